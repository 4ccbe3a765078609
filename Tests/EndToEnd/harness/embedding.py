"""An app that embeds another system's users: it signs tokens with what its own API is to be shown, serves that API, and
exchanges refresh tokens."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt

from .client import ask
from .issuer import base64url
from .messages import Message
from .policy import Json, open_route, policy
from .systems import example, prepare
from .upstream import Upstream, answering, ok

#: The claim that Rollout's own documentation names.
NAMESPACE = "rollout.com"
POINTER = "/rollout.com/authData"
CLIENT = "demo-client"
REFRESH_PATH = "/rollout/refresh"


def json_answer(document: object, status: str = "200 OK") -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


UNAUTHORIZED = json_answer({"error": "who are you?"}, "401 Unauthorized")


class App:
    """`exchange` answers refreshes and may be replaced; keys are taken where they are `good`."""

    def __init__(self) -> None:
        self.secret = secrets.token_bytes(64)
        self.lifetime: float = 20_000
        self.good: set[str] = set()
        #: Refresh tokens that were not used yet, and the user they are for.
        self.refresh_tokens: dict[str, str] = {}
        self.refreshes: list[Message] = []
        self.exchange: Callable[[Message], bytes] = self.renew
        self.lock = threading.Lock()
        self.upstream = Upstream(answering(self.respond))

    @property
    def port(self) -> int:
        return self.upstream.port

    def stop(self) -> None:
        self.upstream.stop()

    def issue(self, user: str, **members: Any) -> Json:
        """A new authData for a user; keys of before stay good."""
        key, refresh_token = f"key-{user}-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}"
        with self.lock:
            self.good.add(key)
            self.refresh_tokens[refresh_token] = user
        return {"apiKey": key, "refreshToken": refresh_token, "expiresIn": self.lifetime} | members

    def token(self, data: object = None, user: object = "user-1", age: float = 0, **claims: Any) -> str:
        """A token as the app embeds it; a claim given as None is left out."""
        now = int(time.time() - age)
        payload: Json = {"iss": CLIENT, "sub": user, "iat": now, "exp": int(time.time()) + 3600}
        if data is not None:
            payload[NAMESPACE] = {"authData": data}
        payload = {name: value for name, value in (payload | claims).items() if value is not None}
        return jwt.encode(payload, self.secret, algorithm="HS512")

    def key_set(self) -> Json:
        return {"keys": [{"kty": "oct", "alg": "HS512", "k": base64url(self.secret)}]}

    def respond(self, request: Message) -> bytes:
        if request.target.startswith(REFRESH_PATH):
            with self.lock:
                self.refreshes.append(request)
            return self.exchange(request)
        return ok(b"welcome") if request.value("x-api-key") in self.good else UNAUTHORIZED

    def renew(self, request: Message) -> bytes:
        """A new triple for a refresh token, once; the user's keys of before end."""
        shown = json.loads(request.body)["refreshToken"]
        with self.lock:
            user = self.refresh_tokens.pop(shown, None)
            self.good = {key for key in self.good if not key.startswith(f"key-{user}-")}
        if user is None:
            return json_answer({"error": "unknown refresh token"}, "400 Bad Request")
        return json_answer(self.issue(user))

    def shown(self) -> list[str | None]:
        """The keys that requests other than refreshes came with, in their order."""
        return [r.value("x-api-key") for r in self.upstream.requests if not r.target.startswith(REFRESH_PATH)]

    def example(self, folder: Path, *, refresh: Json | None = None, **members: Any) -> Json:
        """examples/rollout.json, run below the folder, with this app in place of the one it comes with: it signs, is called
        and answers refreshes. `refresh` adds to how the credential is refreshed."""
        prepare(folder)
        (folder / "var" / "demo-client-jwks.json").write_text(json.dumps(self.key_set()))
        policy = example("rollout", self.port, **members)
        url = f"http://127.0.0.1:{self.port}{REFRESH_PATH}"
        policy["stored_credentials"]["app"]["refresh"] |= {"url": url} | (refresh or {})
        return policy

    def policy(self, *, refresh: Json | None = None, route: Json | None = None, **members: Any) -> Json:
        """`refresh` adds to how the credential is refreshed."""
        return policy(
            self.port,
            key_sets={"client": self.key_set()},
            authenticators={
                "embedding": {
                    "type": "jwt", "from": ["bearer"], "algorithms": ["HS512"], "issuer": [CLIENT, "client-two"],
                    "key_set": "client", "required_claims": {"/sub": True},
                }
            },
            stored_credentials={
                "app": {
                    "claim": POINTER,
                    "refresh": {
                        "url": f"http://127.0.0.1:{self.port}{REFRESH_PATH}",
                        "body": {"refreshToken": "{stored_credential./refreshToken}", "userId": "{subject}"},
                        "cooldown": "1s",
                    } | (refresh or {}),
                }
            },
            routes=[
                open_route(
                    authenticate=["embedding"], stored_credential="app",
                    request_headers={"set": {"X-API-Key": "{stored_credential./apiKey}"}}, **(route or {}),
                )
            ],
            failure_budget="off",
            **members,
        )


class Gate:
    """Holds refreshes back until it is opened."""

    def __init__(self, app: App) -> None:
        self.open = threading.Event()
        self.renew = app.renew
        app.exchange = self.exchange

    def exchange(self, request: Message) -> bytes:
        assert self.open.wait(20)
        return self.renew(request)


def show(port: int, token: str, target: str = "/actions/tasks", method: str = "GET", body: bytes = b"", *fields: str) -> Message:
    return ask(port, target, [f"Authorization: Bearer {token}", *fields], method, body)
