"""The gateway on examples/rokka.json, with keys of the document. It believes this machine's X-Forwarded-For here, so that requests
can come from any address."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from .gateway import Gateway
from .messages import Message
from .systems import Admin, example, prepare
from .upstream import Upstream

#: The document's keys of both formats.
OLD_KEY = "mHXscTNT0rk9ZoMLO4dlFbpGxGe06hXt"
KEY = "81468485c73a4201b5f86478434eb0431Lj0Sv7jrPioKLSBuNswRWQRP6OJbjLG"
READER = "R" * 64
#: The document's client and another.
HERE, ELSEWHERE = "212.50.10.10", "198.51.100.7"
PATH = "/user/apikeys/token"
DAY = 86_400
#: The document's example of an answer to bad credentials.
BAD_CREDENTIALS = {
    "code": 403,
    "message": "API credentials are not supplied or not a valid format.",
    "invalid_authentication": True,
}


def record(secret: str, identifier: str, *scopes: str) -> dict[str, Any]:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return {"id": identifier, "sha256": digest, "subject": f"{identifier}@rokka", "scopes": list(scopes)}


class Rokka:
    def __init__(self, start: Callable[..., Gateway], folder: Path, origin: Upstream, **members: Any) -> None:
        prepare(folder)
        policy = example("rokka", origin.port, **{"trusted_proxies": ["127.0.0.0/8"], "failure_budget": "off"} | members)
        policy["authenticators"]["keys"]["keys"] = [
            record(KEY, "main", "read", "write"), record(OLD_KEY, "old", "read", "write"), record(READER, "reader", "read"),
        ]
        self.gateway = start(policy)
        self.origin = origin
        self.admin = Admin(self.gateway.admin_port, folder)
        self.session = requests.Session()
        # No proxy and no authorities of the machine.
        self.session.trust_env = False

    @staticmethod
    def api(request: Message) -> bytes:
        """The API behind the gateway: it knows its users, and answers everything else with an empty object."""
        user = {"user_id": request.value("x-auth-subject"), "email": "user@example.com", "api_keys": []}
        body = json.dumps(user if request.target == "/user" else {}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def user_key(self, email: str = "user@example.com") -> str:
        """A new key of a new user, who may read and write."""
        user = self.admin.make("users", email=email, name="User", scopes=["read", "write"])
        return self.admin.make("api_keys", name="first", scopes=["read", "write"], user_id=user["id"])["key"]

    def call(
        self, path: str = "/organizations/acme", key: str | None = None, token: str | None = None, client: str = HERE,
        method: str = "GET", headers: dict[str, str] | None = None, **arguments: Any,
    ) -> requests.Response:
        fields = {"X-Forwarded-For": client} | (headers or {})
        if key is not None:
            fields["Api-Key"] = key
        if token is not None:
            fields["Authorization"] = f"Bearer {token}"
        return self.session.request(method, self.gateway.url + path, headers=fields, timeout=10, **arguments)

    def ask(self, key: str | None = None, token: str | None = None, client: str = HERE, **options: Any) -> requests.Response:
        """Asks for a token with these options, as the JavaScript library does: in the query."""
        texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in options.items()}
        return self.call(PATH, key, token, client, params=texts)

    def token(self, key: str | None = KEY, token: str | None = None, client: str = HERE, **options: Any) -> str:
        answer = self.ask(key, token, client, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["token"]

    def works(self, token: str, client: str = HERE) -> bool:
        answer = self.call(token=token, client=client)
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200


def payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def is_bad_authentication(answer: requests.Response, status: int) -> bool:
    document = answer.json()
    return (answer.status_code, document["code"], document.get("invalid_authentication")) == (status, status, True)


def is_not_allowed(answer: requests.Response) -> bool:
    """403 for somebody who is known: without the member that tells of bad authentication."""
    return answer.status_code == answer.json()["code"] == 403 and "invalid_authentication" not in answer.json()
