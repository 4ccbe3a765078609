"""rokka.js, call by call, over examples/rokka.json: what the library sends, and that it finds in the answers what it reads there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from harness.gateway import Gateway
from harness.rokka import DAY, HERE, KEY, READER, Rokka, payload
from harness.rokka_js import Refused, RokkaJS, Storage, seconds_left
from harness.upstream import Upstream, answering
from harness.waiting import until

#: The options that the guide shows as the defaults of apiTokenOptions.
DEFAULTS = {"renewable": True, "no_ip_protection": False, "ips": "request_ip", "expires_in": 3600 * 24}


@pytest.fixture
def rokka(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Rokka]:
    one = Rokka(gateway, tmp_path, upstream(answering(Rokka.api)))
    yield one
    one.session.close()


def library(
    rokka: Rokka, key: str | None = None, storage: Storage | None = None, client: str = HERE, **members: object
) -> RokkaJS:
    return RokkaJS(rokka.gateway.url, key, storage, fields={"X-Forwarded-For": client}, **members)


def refused(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as raised:
        call()
    return raised.value


# With a key.


def test_user_get_and_get_id_with_a_key(rokka: Rokka) -> None:
    js = library(rokka, KEY)
    assert js.get().body == {"user_id": "main@rokka", "email": "user@example.com", "api_keys": []}
    assert js.get_id() == "main@rokka"
    assert rokka.origin.requests[-1].value("api-version") == "1"


def test_the_library_adds_lists_and_deletes_keys(rokka: Rokka) -> None:
    key = rokka.user_key()
    js = library(rokka, key)
    before = js.list_api_keys()
    assert isinstance(before, list) and len(before) == 1
    added = js.add_api_key("laptop")
    assert added.status == 201
    assert re.fullmatch(r"[0-9A-Za-z]{64}", added.body["api_key"]) and added.body["comment"] == "laptop"
    # It is shown this once, and has the same rights.
    listed = js.list_api_keys()
    assert {record["id"] for record in listed} == {before[0]["id"], added.body["id"]}
    assert not any("api_key" in record for record in listed)
    mine = library(rokka, added.body["api_key"])
    assert mine.get_current_api_key()["id"] == added.body["id"]
    assert mine.get_id() == js.get_id()
    assert mine.request("DELETE", "sourceimages/acme/abc").status == 200
    assert js.delete_api_key(added.body["id"]).status == 204
    assert refused(mine.get).status == 403
    assert [record["id"] for record in js.list_api_keys()] == [before[0]["id"]]
    assert not [request for request in rokka.origin.requests if request.target.startswith("/user/apikeys")]


def test_a_key_without_a_comment_and_one_that_is_not_there(rokka: Rokka) -> None:
    js = library(rokka, rokka.user_key())
    added = js.add_api_key()
    assert added.status == 201 and added.body["api_key"]
    assert refused(lambda: js.delete_api_key("key_0351QZP1GJEsCi0JribTfn")).status == 404


def test_the_current_key_with_a_key_and_with_its_token(rokka: Rokka) -> None:
    key = rokka.user_key()
    current = library(rokka, key).get_current_api_key()
    assert set(current) == {"id", "comment", "created", "accessed"}
    storage = Storage()
    js = library(rokka, None, storage)
    js.get_new_token(key)
    assert js.get_current_api_key()["id"] == current["id"]
    assert [record["id"] for record in js.list_api_keys()] == [current["id"]]


def test_keys_of_another_user_are_not_there(rokka: Rokka) -> None:
    js, other = library(rokka, rokka.user_key("a@example.com")), library(rokka, rokka.user_key("b@example.com"))
    theirs = other.get_current_api_key()["id"]
    assert theirs not in {record["id"] for record in js.list_api_keys()}
    assert refused(lambda: js.delete_api_key(theirs)).status == 404
    assert other.get_current_api_key()["id"] == theirs


def test_a_key_added_with_a_token_is_bounded_as_the_token(rokka: Rokka) -> None:
    """It gets the token's rights, not its key's."""
    storage = Storage()
    js = library(rokka, None, storage)
    js.get_new_token(rokka.user_key(), {"expires_in": 3600})
    added = js.add_api_key("from the token").body
    assert library(rokka, added["api_key"]).get_id() == js.get_id()
    assert refused(library(rokka, added["api_key"], client="198.51.100.7").get).status in (401, 403)
    (secret,) = rokka.admin.call("GET", f"api_keys/{added['id']}").json()["secrets"]
    assert abs(datetime.fromisoformat(secret["expires_at"]).timestamp() - payload(storage.token)["exp"]) <= 1


def test_a_bad_key_and_none(rokka: Rokka) -> None:
    answer = refused(library(rokka, "myKey").get)
    assert answer.status == 403 and answer.error["invalid_authentication"] is True
    assert refused(library(rokka).get).status is None


def test_a_reader_may_not_write(rokka: Rokka) -> None:
    answer = refused(lambda: library(rokka, READER).request("DELETE", "sourceimages/acme/abc"))
    assert answer.status == 403 and "invalid_authentication" not in answer.error


def test_images_are_copied_by_the_method_copy(rokka: Rokka) -> None:
    assert library(rokka, KEY).copy_image("acme", "abc", "other").status == 200
    seen = rokka.origin.requests[-1]
    assert (seen.method, seen.value("destination"), seen.value("overwrite")) == ("COPY", "other", "F")
    assert refused(lambda: library(rokka, READER).copy_image("acme", "abc", "other")).status == 403


def test_calls_without_a_credential(rokka: Rokka) -> None:
    """What the library sends no credential with: operations, stack options, sign-up."""
    js = library(rokka)
    assert js.list_operations().status == js.stack_options().status == js.create_user("new@example.com").status == 200
    assert all(request.value("x-auth-subject") is None for request in rokka.origin.requests)


# With a token.


def test_get_new_token_with_a_key_stores_it(rokka: Rokka) -> None:
    storage = Storage()
    js = library(rokka, None, storage)
    answer = js.get_new_token(KEY)
    assert storage.token == answer.body["token"] and payload(storage.token) == answer.body["payload"]
    assert DAY - 5 < js.token_is_valid_for() <= DAY and not js.is_token_expiring()
    assert js.get_id() == "main@rokka"
    assert rokka.origin.requests[-1].value("x-auth-method") == "jwt"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_get_new_token_by_get_and_by_post(rokka: Rokka, method: str) -> None:
    """The options are in the query of both; the POST has no content and no Content-Type."""
    storage = Storage()
    js = library(rokka, None, storage)
    js.get_new_token(KEY, {"expires_in": 2 * DAY, "ips": "request_ip,212.40.50.1/24"}, method)
    first = storage.token
    assert payload(first)["expt"] == 2 * DAY and payload(first)["ips"] == [HERE, "212.40.50.1/24"]
    # By the token alone.
    js.key = None
    js.get_new_token(None, {"expires_in": DAY}, method)
    assert storage.token != first and payload(storage.token)["expt"] == DAY
    assert refused(lambda: js.get_new_token(None, {"expires_in": 2 * DAY}, method)).status == 403
    assert payload(storage.token)["expt"] == DAY


def test_options_as_content_of_a_post(rokka: Rokka) -> None:
    answer = library(rokka, KEY).request("POST", "user/apikeys/token", {"expires_in": 3600, "ips": "request_ip"})
    assert answer.body["payload"]["expt"] == 3600 and answer.body["payload"]["ips"] == [HERE]


def test_the_documented_options_and_none_are_the_same(rokka: Rokka) -> None:
    said = library(rokka, None, Storage(), options=DEFAULTS).get_new_token(KEY).body["payload"]
    unsaid = library(rokka, None, Storage()).get_new_token(KEY).body["payload"]
    assert said | {"exp": 0} == unsaid | {"exp": 0}


def test_a_token_with_less_than_an_hour_is_renewed_before_the_call(rokka: Rokka) -> None:
    storage = Storage()
    library(rokka, None, storage).get_new_token(KEY, {"expires_in": 3000})
    library(rokka, None, storage).get()
    assert len(storage.history) == 2 and payload(storage.token)["expt"] == 3000
    # 60 s: it is not time yet.
    library(rokka, None, storage, refresh_seconds=60).get()
    assert len(storage.history) == 2
    library(rokka, None, storage, refresh_seconds=-1).get()
    assert len(storage.history) == 2


def test_a_renewal_that_asks_for_more_drops_the_token_and_the_call_is_made_with_it(rokka: Rokka) -> None:
    storage = Storage()
    library(rokka, None, storage).get_new_token(KEY, {"expires_in": 3000})
    js = library(rokka, None, storage, options={"expires_in": 2 * DAY})
    assert js.get_id() == "main@rokka"
    assert storage.token == ""
    answer = refused(js.get)
    assert answer.status is None and answer.error["code"] == 401


def test_a_token_that_may_not_be_renewed_is_used_until_it_ends(rokka: Rokka) -> None:
    storage = Storage()
    library(rokka, None, storage).get_new_token(KEY, {"expires_in": 3000, "renewable": False})
    assert library(rokka, None, storage).get_id() == "main@rokka"
    assert len(storage.history) == 1


def test_an_expired_token_is_dropped_or_replaced_by_means_of_the_key(rokka: Rokka) -> None:
    storage = Storage()
    js = library(rokka, None, storage)
    js.get_new_token(KEY, {"expires_in": 1})
    token = storage.token
    js.key = None
    until(lambda: seconds_left(token) < 0 and rokka.call(token=token).status_code == 401, 4, "the end of the token")
    assert js.token_is_valid_for() < 0
    answer = refused(js.get)
    assert answer.status == 401 and answer.error["invalid_authentication"] is True
    assert storage.token == ""
    storage.token = token
    assert library(rokka, KEY, storage).get_id() == "main@rokka"
    assert seconds_left(storage.token) > 0


@pytest.mark.parametrize("trick", ["revoked", "elsewhere", "malformed", "forged"])
def test_a_401_drops_the_stored_token(rokka: Rokka, trick: str) -> None:
    storage = Storage()
    made = rokka.admin.make("api_keys", name="ends", scopes=["read"])
    js = library(rokka, None, storage)
    js.get_new_token(made["key"])
    js.key = None
    if trick == "revoked":
        rokka.admin.remove(f"api_keys/{made['id']}")
    elif trick == "elsewhere":
        js.fields = {"X-Forwarded-For": "198.51.100.7"}
    elif trick == "malformed":
        storage.token = "a.b.c"
    else:
        storage.token = storage.token[:-4] + ("AAAA" if not storage.token.endswith("AAAA") else "BBBB")
    answer = refused(js.get)
    assert answer.status == answer.error["code"] == 401 and answer.error["invalid_authentication"] is True
    assert storage.token == ""


def test_a_403_keeps_the_stored_token(rokka: Rokka) -> None:
    storage = Storage()
    js = library(rokka, None, storage)
    js.get_new_token(READER)
    js.key = None
    answer = refused(lambda: js.request("DELETE", "sourceimages/acme/abc"))
    assert answer.status == 403 and "invalid_authentication" not in answer.error
    assert storage.token and js.get_id() == "reader@rokka"


def test_answers_are_json_to_the_letter(rokka: Rokka) -> None:
    """The library compares the Content-Type with exactly application/json, and keeps a stream otherwise."""
    js = library(rokka, rokka.user_key())
    answers = [js.add_api_key("x"), js.request("GET", "user/apikeys"), js.request("GET", "user/apikeys/current"), js.get_new_token()]
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json" and answer.body
        assert json.dumps(answer.body)
