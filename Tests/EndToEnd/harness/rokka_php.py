"""What rokka-client-php (1.21) sends and what it does with the answers, call by call: src/Base.php, src/User.php, src/Core/User*.php.

Guzzle writes the fields; every answer of 4xx is a ClientException, whatever its content type."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any

import requests

Json = dict[str, Any]


class ClientException(Exception):
    """Guzzle's, for 4xx; `status` is its code, `body` what the application may read of it."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


@dataclass
class UserApiKey:
    """An API key as the client holds it; getId() must be a string, the others may be null."""

    id: str
    comment: str | None
    api_key: str | None

    @classmethod
    def of(cls, record: Json) -> UserApiKey:
        one = cls(record["id"], record.get("comment"), record.get("api_key"))
        assert isinstance(one.id, str) and all(isinstance(part, str | None) for part in (one.comment, one.api_key)), record
        return one


@dataclass
class UserApiToken:
    token: str
    payload: Json

    @classmethod
    def of(cls, answer: Json) -> UserApiToken:
        assert isinstance(answer["token"], str) and isinstance(answer["payload"], dict), answer
        return cls(answer["token"], answer["payload"])


def build_query(options: Json) -> str:
    """As http_build_query of RFC 3986 does: true is 1, false is 0, null is left out."""

    def text(value: Any) -> str:
        return str(int(value)) if isinstance(value, bool) else str(value)

    pairs = [f"{name}={urllib.parse.quote(text(value), safe='-_.~')}" for name, value in options.items() if value is not None]
    return "&".join(pairs)


class RokkaPHP:
    """Factory::getUserClient(organization, key, [API_TOKEN => token]). `fields` stand for what lies between."""

    def __init__(
        self, host: str, key: str | None = None, token: str | None = None, fields: dict[str, str] | None = None
    ) -> None:
        self.host = host
        #: setCredentials() and setToken(). A key is sent in place of a token.
        self.key = key
        self.token = token
        self.fields = fields or {}

    def call(
        self, method: str, path: str, content: Any = None, query: Json | None = None, *, key: str | None = None,
        with_credentials: bool = True, headers: dict[str, str] | None = None, has_content: bool = False,
    ) -> requests.Response:
        fields = {"User-Agent": "GuzzleHttp/7"} | self.fields | (headers or {}) | {"Api-Version": "1"}
        if with_credentials:
            if shown := (key if key is not None else self.key):
                fields["Api-Key"] = shown
            else:
                # Without either "Bearer " alone is sent.
                fields["Authorization"] = f"Bearer {self.token or ''}"
        body = None
        if has_content:
            body = json.dumps(content, separators=(",", ":")).encode()
            fields["Content-Type"] = "application/json"
        address = f"{self.host}/{path}" + (f"?{build_query(query)}" if query else "")
        with requests.Session() as session:
            session.trust_env = False
            session.headers.clear()
            answer = session.request(method, address, data=body, headers=fields, timeout=10)
        if answer.status_code >= 400:
            raise ClientException(answer.status_code, answer.text)
        return answer

    def get_current_user_id(self) -> str:
        return json.loads(self.call("GET", "user").text)["user_id"]

    def get_current_user(self) -> Json:
        """Core\\User takes `id` or `user_id`, `email`, `api_key` and the list `api_keys`."""
        user = json.loads(self.call("GET", "user").text)
        keys = [UserApiKey.of(record) for record in user.get("api_keys") or []]
        return {"id": user.get("id") or user["user_id"], "email": user.get("email"), "api_keys": keys}

    def create_user(self, email: str) -> requests.Response:
        return self.call("POST", "users", {"email": email}, has_content=True, with_credentials=False)

    def add_user_api_key(self, comment: str | None = None) -> UserApiKey:
        return UserApiKey.of(json.loads(self.call("POST", "user/apikeys", {"comment": comment}, has_content=True).text))

    def get_current_user_api_key(self) -> UserApiKey:
        return UserApiKey.of(json.loads(self.call("GET", "user/apikeys/current").text))

    def delete_user_api_key(self, identifier: str) -> bool:
        """True for 204 alone, false for 404 and for every other answer of 2xx."""
        try:
            return self.call("DELETE", f"user/apikeys/{identifier}").status_code == 204
        except ClientException as refused:
            if refused.status == 404:
                return False
            raise

    def get_new_token(self, key: str | None = None, parameters: Json | None = None) -> UserApiToken:
        return UserApiToken.of(json.loads(self.call("GET", "user/apikeys/token", query=parameters, key=key).text))

    def token_payload(self) -> Json | None:
        parts = (self.token or "").split(".")
        if len(parts) != 3:
            return None
        return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))

    def token_is_valid_for(self) -> int:
        """-1 without a token, or one without `exp`; PHP takes the difference for an int."""
        expiry = (self.token_payload() or {}).get("exp")
        if expiry is None:
            return -1
        assert type(expiry) is int
        return expiry - int(time.time())

    def copy_source_image(self, organization: str, image: str, destination: str) -> bool:
        """False for 404."""
        try:
            self.call("COPY", f"sourceimages/{organization}/{image}", headers={"Destination": destination, "Overwrite": "F"})
        except ClientException as refused:
            if refused.status == 404:
                return False
            raise
        return True
