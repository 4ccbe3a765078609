"""rokka-client-php, call by call, over examples/rokka.json: what the client sends, and that it finds in the answers what it reads there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.gateway import Gateway
from harness.rokka import BAD_CREDENTIALS, DAY, HERE, KEY, READER, Rokka
from harness.rokka_php import ClientException, RokkaPHP
from harness.upstream import Upstream, answering
from harness.waiting import until


@pytest.fixture
def rokka(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Rokka]:
    one = Rokka(gateway, tmp_path, upstream(answering(Rokka.api)))
    yield one
    one.session.close()


def library(rokka: Rokka, key: str | None = None, token: str | None = None) -> RokkaPHP:
    return RokkaPHP(rokka.gateway.url, key, token, fields={"X-Forwarded-For": HERE})


def refused(call: Callable[[], object]) -> ClientException:
    with pytest.raises(ClientException) as raised:
        call()
    return raised.value


def test_the_current_user_with_a_key_and_with_a_token(rokka: Rokka) -> None:
    php = library(rokka, KEY)
    assert php.get_current_user_id() == "main@rokka"
    assert php.get_current_user() == {"id": "main@rokka", "email": "user@example.com", "api_keys": []}
    assert library(rokka, token=php.get_new_token().token).get_current_user_id() == "main@rokka"


def test_the_client_adds_and_deletes_keys(rokka: Rokka) -> None:
    key = rokka.user_key()
    php = library(rokka, key)
    added = php.add_user_api_key("laptop")
    assert added.comment == "laptop" and added.api_key and re.fullmatch(r"[0-9A-Za-z]{64}", added.api_key)
    without = php.add_user_api_key()
    assert without.api_key and without.id != added.id
    mine = library(rokka, added.api_key)
    assert mine.get_current_user_api_key().id == added.id and mine.get_current_user_api_key().api_key is None
    assert mine.get_current_user_id() == php.get_current_user_id()
    # 204 alone is true to the client, and 404 is false.
    assert php.delete_user_api_key(added.id) is True
    assert php.delete_user_api_key(added.id) is False
    assert refused(mine.get_current_user_id).status == 403


def test_the_current_key_with_a_token(rokka: Rokka) -> None:
    php = library(rokka, rokka.user_key())
    current = php.get_current_user_api_key()
    assert library(rokka, token=php.get_new_token().token).get_current_user_api_key().id == current.id


def test_a_token_by_the_key_of_the_client_and_by_another(rokka: Rokka) -> None:
    token = library(rokka).get_new_token(KEY, {"expires_in": 3600})
    assert token.payload["expt"] == 3600 and token.payload["ips"] == [HERE]
    php = library(rokka, token=token.token)
    assert 3590 < php.token_is_valid_for() <= 3600 and php.token_payload() == token.payload
    assert library(rokka, KEY).get_new_token().payload["expt"] == DAY
    assert library(rokka, KEY).get_new_token(READER).payload["id"] != token.payload["id"]


def test_truth_values_are_written_as_numbers(rokka: Rokka) -> None:
    options = {"expires_in": 60, "renewable": False, "no_ip_protection": True, "ips": None}
    claims = library(rokka, KEY).get_new_token(None, options).payload
    assert claims["rn"] is False and "ips" not in claims
    options = {"renewable": True, "no_ip_protection": False, "ips": "request_ip,212.40.50.1/24"}
    claims = library(rokka, KEY).get_new_token(None, options).payload
    assert claims["rn"] is True and claims["ips"] == [HERE, "212.40.50.1/24"]


def test_a_token_renews_itself_and_not_for_longer(rokka: Rokka) -> None:
    php = library(rokka, token=library(rokka, KEY).get_new_token(None, {"expires_in": 3600}).token)
    assert php.get_new_token().payload["expt"] == 3600
    longer = refused(lambda: php.get_new_token(None, {"expires_in": 2 * DAY}))
    assert longer.status == 403 and "invalid_authentication" not in json.loads(longer.body)
    last = library(rokka, token=library(rokka, KEY).get_new_token(None, {"no_ip_protection": True}).token)
    assert refused(last.get_new_token).status == 403


def test_the_key_is_sent_unless_it_is_unset(rokka: Rokka) -> None:
    php = library(rokka, KEY, "a.b.c")
    assert php.get_current_user_id() == "main@rokka"
    php.key = None
    assert refused(php.get_current_user_id).status == 401
    php.token = library(rokka, KEY).get_new_token().token
    assert php.get_current_user_id() == "main@rokka"


def test_without_a_credential(rokka: Rokka) -> None:
    """The client sends "Bearer " with nothing behind it then."""
    answer = refused(library(rokka).get_current_user_id)
    assert answer.status == 403 and json.loads(answer.body) == BAD_CREDENTIALS
    assert library(rokka).create_user("new@example.com").status_code == 200


def test_an_expired_token(rokka: Rokka) -> None:
    php = library(rokka, token=library(rokka, KEY).get_new_token(None, {"expires_in": 1}).token)
    until(lambda: php.token_is_valid_for() < 0 and rokka.call(token=php.token).status_code == 401, 4, "the end of the token")
    answer = refused(php.get_current_user_id)
    assert answer.status == 401 and json.loads(answer.body)["invalid_authentication"] is True
    assert refused(php.get_new_token).status == 401


def test_a_key_that_was_revoked(rokka: Rokka) -> None:
    made = rokka.admin.make("api_keys", name="ends", scopes=["read"])
    php = library(rokka, token=library(rokka).get_new_token(made["key"]).token)
    rokka.admin.remove(f"api_keys/{made['id']}")
    assert refused(php.get_current_user_id).status == 401
    answer = refused(lambda: library(rokka).get_new_token(made["key"]))
    assert answer.status == 403 and json.loads(answer.body)["invalid_authentication"] is True


def test_images_are_copied_by_the_method_copy(rokka: Rokka) -> None:
    assert library(rokka, KEY).copy_source_image("acme", "abc", "other") is True
    assert rokka.origin.requests[-1].method == "COPY"
    assert refused(lambda: library(rokka, READER).copy_source_image("acme", "abc", "other")).status == 403
