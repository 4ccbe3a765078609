"""What rokka.js (4.0.0) sends and what it does with the answers, call by call: src/index.ts, src/transport.ts, src/apis/user.ts.

It runs on node: `node-fetch` writes the fields, and content that is a string goes out as text/plain. No field of the gateway's
answers beyond those read here has a meaning for the library."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

import requests

Json = dict[str, Any]
#: What node-fetch sends with every request.
FIELDS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", "Connection": "close", "User-Agent": "node-fetch"}
#: Statuses that the library asks again for, ten times unless it is configured otherwise.
RETRIED = (429, 502, 503, 504)
REFRESH_SECONDS = 3600


class Refused(Exception):
    """A rejected promise. `status` is None where the library did not send a request."""

    def __init__(self, status: int | None, error: Any) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.error = error


@dataclass
class Storage:
    """What the application keeps for the library: apiTokenGetCallback and apiTokenSetCallback."""

    token: str | None = ""
    #: Each token that was set, in order; an empty one drops the token before it.
    history: list[str | None] = field(default_factory=list)

    def set(self, token: str | None) -> None:
        self.history.append(token)
        self.token = token or ""


def claims(token: str | None) -> Json | None:
    """The payload, unverified; None for what jwt-decode cannot read."""
    try:
        part = (token or "").split(".")[1]
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return None


def seconds_left(token: str | None) -> float:
    """-1 without a token."""
    expiry = (claims(token) or {}).get("exp")
    return expiry - time.time() if expiry else -1


def stringify(options: Json) -> str:
    """As query-string does: sorted, null as a bare name, undefined (here: absent) left out."""

    def text(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    pairs = [
        name if value is None else f"{name}={urllib.parse.quote(text(value), safe='-_.~')}"
        for name, value in sorted(options.items())
    ]
    return "&".join(pairs)


@dataclass
class Answer:
    status: int
    #: JSON where the Content-Type is exactly application/json, or else text, or None.
    body: Any
    headers: Any


class RokkaJS:
    """One instance: `rokka({apiHost, apiKey, apiTokenGetCallback, apiTokenSetCallback, apiTokenOptions, apiTokenRefreshTime})`.

    `fields` stand for what lies between: the address that a proxy reports, or the Origin that a browser adds."""

    def __init__(
        self, host: str, key: str | None = None, storage: Storage | None = None, options: Json | None = None,
        refresh_seconds: int = REFRESH_SECONDS, fields: dict[str, str] | None = None,
    ) -> None:
        self.host = host
        self.key = key
        self.storage = storage
        self.options = options or {}
        # 0 is falsy in JavaScript: the default is used, whatever the guide says.
        self.refresh_seconds = refresh_seconds or REFRESH_SECONDS
        self.fields = fields or {}

    def request(
        self, method: str, path: str, content: Any = None, query: Json | None = None, *, headers: dict[str, str] | None = None,
        with_credentials: bool = True, by_key: bool = False, may_renew: bool = True,
    ) -> Answer:
        address = f"{self.host}/{path}" + (f"?{stringify(query)}" if query else "")
        fields = FIELDS | self.fields | (headers or {}) | {"Api-Version": "1"}
        if with_credentials:
            if self.storage is not None and not by_key:
                fields["Authorization"] = f"Bearer {self.usable_token(may_renew)}"
            elif not self.key:
                raise Refused(None, "Missing required property `apiKey`")
            else:
                fields["Api-Key"] = self.key
        body = None
        if content is not None:
            body = json.dumps(content, separators=(",", ":")).encode()
            fields["Content-Type"] = "text/plain;charset=UTF-8"
        with requests.Session() as session:
            session.trust_env = False
            session.headers.clear()
            answer = session.request(method, address, data=body, headers=fields, timeout=10)
        return self.judged(answer, fields)

    def usable_token(self, may_renew: bool) -> str:
        """The stored token, renewed where it is about to expire, or made where there is a key and no valid one."""
        assert self.storage is not None
        token = self.storage.token
        is_valid = bool(token) and (claims(token) or {}).get("rn") is True and seconds_left(token) > 0
        is_expiring = is_valid and seconds_left(token) < self.refresh_seconds
        if (may_renew and is_expiring) or (not is_valid and self.key):
            try:
                token = self.get_new_token(self.key).body["token"]
            except Refused as refused:
                if refused.status == 403:
                    self.storage.set("")
        if not token:
            raise Refused(None, {"code": 401, "message": "No API token (or renewing it did not work correctly)"})
        return token

    def judged(self, answer: requests.Response, fields: dict[str, str]) -> Answer:
        body: Any = None
        if answer.headers.get("Content-Type") == "application/json":
            body = answer.json()
        elif answer.status_code in (201, 204):
            body = answer.text
        if answer.status_code < 400:
            return Answer(answer.status_code, body, answer.headers)
        # The stored token is dropped, unless another one was stored meanwhile.
        if answer.status_code == 401 and self.storage is not None and fields.get("Authorization") == f"Bearer {self.storage.token}":
            self.storage.set("")
        raise Refused(answer.status_code, body)

    # rokka.user

    def get(self) -> Answer:
        return self.request("GET", "user")

    def get_id(self) -> str:
        return self.request("GET", "user").body["user_id"]

    def list_api_keys(self) -> list[Json]:
        return self.request("GET", "user/apikeys").body

    def add_api_key(self, comment: str | None = None) -> Answer:
        return self.request("POST", "user/apikeys", {"comment": comment})

    def delete_api_key(self, identifier: str) -> Answer:
        return self.request("DELETE", f"user/apikeys/{identifier}")

    def get_current_api_key(self) -> Json:
        return self.request("GET", "user/apikeys/current").body

    def get_new_token(self, key: str | None = None, options: Json | None = None, method: str = "GET") -> Answer:
        """GET in all releases; the options are in the query with POST too."""
        if key:
            self.key = key
        answer = self.request(
            method, "user/apikeys/token", query={**self.options, **(options or {})}, may_renew=False,
            by_key=bool(key) and seconds_left(self.storage and self.storage.token) < 10,
        )
        if self.storage is not None:
            self.storage.set(answer.body.get("token"))
        return answer

    def is_token_expiring(self, within_seconds: float = REFRESH_SECONDS) -> bool:
        return within_seconds > seconds_left(self.storage and self.storage.token)

    def token_is_valid_for(self) -> float:
        return seconds_left(self.storage and self.storage.token)

    # Of the rest of the API one call of each kind.

    def copy_image(self, organization: str, image: str, destination: str) -> Answer:
        fields = {"Destination": destination, "Overwrite": "F"}
        return self.request("COPY", f"sourceimages/{organization}/{image}", headers=fields)

    def list_operations(self) -> Answer:
        return self.request("GET", "operations", with_credentials=False)

    def stack_options(self) -> Answer:
        return self.request("GET", "stackoptions", with_credentials=False)

    def create_user(self, email: str) -> Answer:
        return self.request("POST", "users", {"email": email, "organization": None}, with_credentials=False)
