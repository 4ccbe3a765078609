"""The calls of AuthRocket's official Ruby library (authrocket-ruby on ncore-ruby) over examples/authrocket.json: method, path, query,
fields and content as the library makes them, and the answer as it reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests
from harness.authrocket import KEY, LOCKED, OTHER_REALM, REALM, Account, json_answer
from harness.gateway import Gateway
from harness.messages import Message
from harness.upstream import Upstream, answering

Json = dict[str, Any]


class AccessDenied(Exception):
    """403: credentials or permissions."""


class AuthenticationFailed(Exception):
    """401: the call itself was about authentication, and failed."""


class RecordNotFound(Exception):
    """404."""


class RateLimited(Exception):
    """429."""


class LibraryError(Exception):
    """Any other status of 400 and above."""


EXCEPTIONS: dict[int, type[Exception]] = {401: AuthenticationFailed, 403: AccessDenied, 404: RecordNotFound, 429: RateLimited}


class Library:
    """What the library does with the credentials it was given: an API key and a default realm, either header by header or as one
    Bearer token."""

    def __init__(self, account: Account, key: str = KEY, realm: str | None = None, bearer: bool = False) -> None:
        self.account = account
        self.fields = {
            "accept": "application/json", "content-type": "application/json", "user-agent": "AuthRocket/ruby v3.11.0 [nc 3.13.0]",
        }
        self.fields |= {"authorization": f"Bearer {key}"} if bearer else {"authrocket-api-key": key}
        self.fields |= {"authrocket-realm": realm} if realm else {}

    def request(self, method: str, path: str, params: Json) -> tuple[Any, list[str], Json | None]:
        """Data, errors and metadata."""
        content = None
        if method in ("GET", "HEAD", "DELETE"):
            path += self.query(params)
        else:
            content = json.dumps(params)
        answer = self.account.call(method, f"/v1/{path}", self.fields, data=content)
        if answer.status_code >= 400 and answer.status_code not in (409, 422):
            raise EXCEPTIONS.get(answer.status_code, LibraryError)(answer.text)
        return self.parsed(answer)

    @staticmethod
    def query(params: Json) -> str:
        # As Ruby writes them.
        params = {name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items()}
        pairs = []
        for name, value in sorted(params.items()):
            if isinstance(value, list):
                pairs += [f"{name}[]={quote_plus(str(one))}" for one in sorted(value)] or [f"{name}[]"]
            elif isinstance(value, dict):
                pairs += [f"{name}[{inner}]={quote_plus(str(one))}" for inner, one in sorted(value.items())]
            else:
                pairs.append(f"{name}={quote_plus(str(value))}")
        return "?" + "&".join(pairs) if pairs else ""

    @staticmethod
    def parsed(answer: requests.Response) -> tuple[Any, list[str], Json | None]:
        document = answer.json() if answer.text.strip() else {}
        errors = document.pop("errors", None) or []
        if errors or answer.status_code in (409, 422):
            return {}, errors or ["Validation error"], document
        if "collection" in document:
            data = document.pop("collection")
            return data, [], document
        return document, [], None

    def all(self, resource: str, **params: Any) -> tuple[list[Json], Json | None]:
        data, errors, metadata = self.request("GET", resource, params)
        assert not errors
        return data, metadata

    def find(self, resource: str, identity: str, **params: Any) -> Json:
        return self.request("GET", f"{resource}/{identity}", params)[0]

    def create(self, resource: str, root: str, **attributes: Any) -> tuple[Json, list[str]]:
        """Attributes go below the name of the resource, unless that is among them."""
        params = attributes if root in attributes else {root: attributes}
        return self.request("POST", resource, params)[:2]

    def update(self, resource: str, root: str, identity: str, **attributes: Any) -> tuple[Json, list[str]]:
        params = attributes if root in attributes else {root: attributes}
        return self.request("PUT", f"{resource}/{identity}", params)[:2]

    def delete(self, resource: str, identity: str, **params: Any) -> Json:
        return self.request("DELETE", f"{resource}/{identity}", params)[0]


@pytest.fixture
def account(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Account]:
    def respond(message: Message) -> bytes:
        is_list = message.method == "GET" and message.target.partition("?")[0].count("/") == 2
        return json_answer(b'{"collection": [], "more_results": false}' if is_list else b'{"id": "usr_1", "object": "user"}')

    one = Account(gateway, tmp_path, upstream(answering(respond)))
    yield one
    one.session.close()


USERS = [
    ("all", lambda it: it.all("users", realm_id=REALM, max_results=1), "GET", f"/v1/users?max_results=1&realm_id={REALM}", None),
    ("find", lambda it: it.find("users", "ada%40example.com", realm_id=REALM), "GET",
     f"/v1/users/ada%40example.com?realm_id={REALM}", None),
    ("create", lambda it: it.create("users", "user", email="a@b.c", realm_id=REALM), "POST", "/v1/users",
     {"user": {"email": "a@b.c", "realm_id": REALM}}),
    ("create-beside", lambda it: it.create("users", "user", user={"email": "a@b.c"}, realm_id=REALM), "POST", "/v1/users",
     {"user": {"email": "a@b.c"}, "realm_id": REALM}),
    ("update", lambda it: it.update("users", "user", "usr_1", name="A", realm_id=REALM), "PUT", "/v1/users/usr_1",
     {"user": {"name": "A", "realm_id": REALM}}),
    ("delete", lambda it: it.delete("users", "usr_1", realm_id=REALM), "DELETE", f"/v1/users/usr_1?realm_id={REALM}", None),
    ("authenticate", lambda it: it.request("POST", "users/ada/authenticate", {"user": {"password": "p", "realm_id": REALM}}), "POST",
     "/v1/users/ada/authenticate", {"user": {"password": "p", "realm_id": REALM}}),
    ("generate_password_token", lambda it: it.request("POST", "users/ada/generate_password_token", {"realm_id": REALM}), "POST",
     "/v1/users/ada/generate_password_token", {"realm_id": REALM}),
    ("update_password", lambda it: it.request("PUT", "users/usr_1/update_password", {"user": {"password": "p", "realm_id": REALM}}), "PUT",
     "/v1/users/usr_1/update_password", {"user": {"password": "p", "realm_id": REALM}}),
    ("invite", lambda it: it.request("POST", "invitations/nvt_1/invite", {"invitation": {"realm_id": REALM}}), "POST",
     "/v1/invitations/nvt_1/invite", {"invitation": {"realm_id": REALM}}),
    ("verify", lambda it: it.request("POST", "domains/dom_1/verify", {"domain": {"realm_id": REALM}}), "POST", "/v1/domains/dom_1/verify",
     {"domain": {"realm_id": REALM}}),
]  # fmt: skip


@pytest.mark.parametrize(("call", "method", "target", "content"), [one[1:] for one in USERS], ids=[one[0] for one in USERS])
@pytest.mark.parametrize("bearer", [False, True], ids=["header", "bearer"])
def test_a_call_reaches_the_api_as_the_library_makes_it(
    account: Account, call: Callable[[Library], object], method: str, target: str, content: Json | None, bearer: bool
) -> None:
    """In the realm that it names, whatever the default is; a key that is locked to another one does not get there."""
    call(Library(account, realm=OTHER_REALM, bearer=bearer))
    received = account.origin.requests[-1]
    assert (received.method, received.target) == (method, target)
    assert (json.loads(received.body) if received.body else None) == content
    assert account.realm_seen() == REALM and (received.value("user-agent") or "").startswith("AuthRocket/ruby")
    assert KEY not in str(received.fields)
    locked = account.admin.make("api_keys?authenticator=account", name="other", realm=OTHER_REALM)["key"]
    with pytest.raises(AccessDenied):
        call(Library(account, locked, bearer=bearer))
    assert len(account.origin.requests) == 1


def test_realms_of_the_account_need_no_realm(account: Account) -> None:
    library = Library(account)
    assert library.all("realms") == ([], {"more_results": False})
    library.request("POST", f"realms/{REALM}/reset", {})
    assert [one.target for one in account.origin.requests] == ["/v1/realms", f"/v1/realms/{REALM}/reset"]
    # The API behind the gateway sees which realm a key is locked to.
    Library(account, LOCKED).find("realms", OTHER_REALM)
    assert account.realm_seen() == REALM


@pytest.mark.parametrize("bearer", [False, True], ids=["header", "bearer"])
def test_jwt_keys(account: Account, bearer: bool) -> None:
    library = Library(account, realm=OTHER_REALM, bearer=bearer)
    made, errors = library.create("jwt_keys", "jwt_key", algo="hs256", use="sign", realm_id=REALM)
    assert not errors and made["realm_id"] == REALM and made["algo"] == "hs256"
    assert library.all("jwt_keys", realm_id=REALM) == ([made], {"more_results": False})
    assert library.all("jwt_keys") == ([], {"more_results": False})
    assert library.find("jwt_keys", made["id"], realm_id=REALM) == made
    with pytest.raises(RecordNotFound):
        library.find("jwt_keys", made["id"])
    _, errors = library.create("jwt_keys", "jwt_key", use="sign")
    assert errors == ["Algo can't be blank"]
    assert library.delete("jwt_keys", made["id"], realm_id=REALM)["id"] == made["id"]
    library.delete("jwt_keys", made["id"], realm_id=REALM, force=True)
    with pytest.raises(RecordNotFound):
        library.find("jwt_keys", made["id"], realm_id=REALM)
    assert not account.origin.requests


@pytest.mark.parametrize("secret", ["ks_wrong", KEY[:-1] + "0", "x"])
@pytest.mark.parametrize("bearer", [False, True], ids=["header", "bearer"])
def test_wrong_credentials_are_denied_access(account: Account, secret: str, bearer: bool) -> None:
    for resource in ("users", "realms", "jwt_keys"):
        with pytest.raises(AccessDenied):
            Library(account, secret, REALM, bearer).all(resource)
    with pytest.raises(AccessDenied):
        Library(account, LOCKED, bearer=bearer).all("jwt_keys")
    assert not account.origin.requests
