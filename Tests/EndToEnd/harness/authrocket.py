"""The gateway on examples/authrocket.json, with keys of the document's form beside those of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import requests

from .certificates import shelf
from .gateway import Gateway
from .protocols import HTTP1, PROTOCOLS, spoken
from .systems import Admin, example, prepare
from .upstream import Upstream

#: The key and the realm of the document.
KEY = "ks_0ut5nPLwrV9PxSRGy8OMZI-e34b5ff952f5e43de641d6e96a9a5d58"
REALM = "rl_0v1zTHXhtNgmDaXaDYSAqx"
OTHER_REALM = "rl_1a2B3c4D5e6F7g8H9i0JkL"
LOCKED = "ks_1vt5nPLwrV9PxSRGy8OMZJ-000102030405060708090a0b0c0d0e0f"
FOREIGN = "ks_2wt5nPLwrV9PxSRGy8OMZK-101112131415161718191a1b1c1d1e1f"
JSON = {"Accept": "application/json"}
REQUEST_ID = r"rq_[0-9A-Za-z]{22}"


def record(secret: str, **members: object) -> dict[str, object]:
    """A key of the form in the document: the part before "-" names it."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return {"id": secret.split("-")[0], "sha256": digest, "expires_at": "2099-01-01T00:00:00Z"} | members


class Account:
    """The gateway on the example, with keys of the document's form beside those of the store."""

    def __init__(self, start: Callable[..., Gateway], folder: Path, origin: Upstream, **members: object) -> None:
        prepare(folder)
        policy = example("authrocket", origin.port, **members)
        authenticators = policy["authenticators"]
        authenticators["account"]["keys"] = [record(KEY, scopes=["admin_realm"]), record(LOCKED, realm=REALM)]
        authenticators["other-account"]["keys"] = [record(FOREIGN)]
        self.gateway = start(policy)
        self.admin = Admin(self.gateway.admin_port, folder)
        self.origin = origin
        # The admin listener is in the list of neither.
        self.secure, self.clear = (
            int(self.gateway.wait_for_line(rf"listening on {scheme}://").rpartition(":")[2]) for scheme in ("https", "http")
        )
        spoken[self.secure] = PROTOCOLS["h1-tls"]
        spoken[self.clear] = HTTP1
        self.session = requests.Session()
        # No proxy and no authorities of the machine.
        self.session.trust_env = False
        self.session.verify = str(shelf().authority.path)

    def call(self, method: str, path: str, headers: dict[str, str | None], **arguments: object) -> requests.Response:
        # The library's own Accept and User-Agent stay out unless a test asks for them.
        url = f"https://localhost:{self.secure}{path}"
        return self.session.request(method, url, headers={"Accept": None} | headers, timeout=10, **arguments)

    def get(self, path: str = "/v1/users", **headers: str) -> requests.Response:
        return self.call("GET", path, JSON | {name.replace("_", "-"): value for name, value in headers.items()})

    def realm_seen(self) -> str | None:
        """The realm the upstream was told with the last request."""
        return self.origin.requests[-1].value("x-realm")


def json_answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def key(secret: str = KEY, realm: str | None = REALM) -> dict[str, str]:
    return JSON | {"Authrocket-Api-Key": secret} | ({"Authrocket-Realm": realm} if realm else {})
