"""Signing keys of every algorithm, tokens by two independent libraries, and a key set endpoint that can misbehave."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwk as jose_jwk
from joserfc import jwt as jose_jwt

from .server import WebServer

ISSUER = "https://issuer.test"
AUDIENCE = "gateway"
ALGORITHMS = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Made once a run: RSA keys are slow to make."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningKey:
    """A private key for one algorithm under one key id."""

    def __init__(self, algorithm: str, kid: str | None = None, number: int = 0) -> None:
        self.algorithm = algorithm
        self.kid = kid or f"{algorithm.lower()}-{secrets.token_hex(4)}"
        if algorithm.startswith("HS"):
            self.private: Any = secrets.token_bytes(64)
        elif algorithm.startswith("ES"):
            self.private = ec.generate_private_key(CURVES[algorithm]())
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa_key(number)

    @property
    def pem(self) -> bytes:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def jwk(self, private: bool = False) -> dict[str, str]:
        """The JWK; an oct key is secret either way."""
        if isinstance(self.private, bytes):
            members = {"kty": "oct", "k": base64url(self.private)}
        else:
            kind = {"E": "EC", "R": "RSA", "P": "RSA"}[self.algorithm[0]] if self.algorithm != "EdDSA" else "OKP"
            members = jose_jwk.import_key(self.pem, kind).as_dict(private=private)
            members.pop("kid", None)
        return members | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def token(self, library: str = "pyjwt", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token with good claims; a claim given as None is left out."""
        now = int(time.time())
        good = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": now,
            "exp": now + 3600,
            "jti": secrets.token_hex(8),
        }
        content = {name: value for name, value in (good | claims).items() if value is not None}
        head = {"kid": self.kid} | (header or {})
        if library == "pyjwt":
            return jwt.encode(content, self.private, algorithm=self.algorithm, headers=head)
        key = jose_jwk.import_key(self.jwk(private=True))
        return jose_jwt.encode({"alg": self.algorithm, "typ": "JWT"} | head, content, key, algorithms=[self.algorithm])


def key_set(*keys: SigningKey) -> str:
    return json.dumps({"keys": [key.jwk() for key in keys]})


def jwt_authenticator(*algorithms: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "jwt",
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "algorithms": list(algorithms) or ["RS256", "ES256"],
        "key_set": "issuer",
    } | members


class KeySetServer:
    """Serves one document over HTTP, or https, counts its fetches, and can be slow, broken or away. Whatever stands in
    `others` is served under its own path."""

    def __init__(
        self, document: str | bytes, cache_control: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.others: dict[str, str] = {}
        self.document = document.encode() if isinstance(document, str) else document
        self.status = 200
        self.cache_control = cache_control
        self.content_type = "application/json"
        self.fetches = 0
        self.condition = threading.Condition()
        #: Cleared to hold answers back.
        self.may_answer = threading.Event()
        self.may_answer.set()
        outer = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                with outer.condition:
                    outer.fetches += 1
                    outer.condition.notify_all()
                outer.may_answer.wait(30)
                document = outer.others[self.path].encode() if self.path in outer.others else outer.document
                self.send_response(outer.status)
                self.send_header("Content-Type", outer.content_type)
                if outer.cache_control:
                    self.send_header("Cache-Control", outer.cache_control)
                if outer.status in (301, 302, 307):
                    self.send_header("Location", "/elsewhere.json")
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                try:
                    self.wfile.write(document)
                except OSError:
                    pass

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = WebServer(Answer, tls)
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.port}"
        self.url = f"{self.base}/jwks.json"

    def publish(self, document: str | bytes) -> None:
        self.document = document.encode() if isinstance(document, str) else document

    def wait_for_fetches(self, count: int, timeout: float = 10) -> None:
        with self.condition:
            assert self.condition.wait_for(lambda: self.fetches >= count, timeout), (
                f"{self.fetches} fetches after {timeout} s, not {count}"
            )

    def stop(self) -> None:
        self.may_answer.set()
        self.server.stop()
