"""rokka's authentication as its document tells it: statements RK1 to RK22 over examples/rokka.json."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.gateway import Gateway
from harness.pages import run_page
from harness.rokka import DAY, ELSEWHERE, HERE, KEY, OLD_KEY, PATH, READER, Rokka, is_bad_authentication, is_not_allowed, payload
from harness.systems import example
from harness.upstream import Upstream, answering, ok
from harness.waiting import until


@pytest.fixture
def rokka(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Rokka]:
    one = Rokka(gateway, tmp_path, upstream(answering(lambda _: ok(b"{}"))))
    yield one
    one.session.close()


# Credentials.


def test_rk1_a_key_in_its_header(rokka: Rokka) -> None:
    answer = rokka.call(key=KEY, headers={"Api-Version": "1", "Content-Type": "application/json"})
    assert answer.status_code == 200
    seen = rokka.origin.requests[0]
    assert seen.value("x-auth-method") == "api_key" and seen.value("x-auth-subject") == "main@rokka"
    assert seen.value("api-version") == "1" and seen.value("api-key") is None


def test_rk2_a_token_behind_the_word_bearer(rokka: Rokka) -> None:
    token = rokka.token()
    assert rokka.works(token)
    assert rokka.origin.requests[-1].value("x-auth-method") == "jwt"
    for value in (token, f"Token {token}", f"JWT {token}", f"Basic {token}"):
        assert is_bad_authentication(rokka.call(headers={"Authorization": value}), 401), value
    assert rokka.call(headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert len(rokka.origin.requests) == 2


def test_rk3_keys_of_both_formats(rokka: Rokka) -> None:
    assert rokka.call(key=OLD_KEY).status_code == 200
    assert rokka.call(key=KEY).status_code == 200
    for wrong in (OLD_KEY[:-1], OLD_KEY + "x", KEY[:32], KEY.lower(), KEY[32:]):
        assert is_bad_authentication(rokka.call(key=wrong), 403)


def test_rk3_new_keys_have_64_characters(rokka: Rokka) -> None:
    made = rokka.admin.make("api_keys", name="new", scopes=["read"])
    assert re.fullmatch(r"[0-9A-Za-z]{64}", made["key"])
    assert rokka.call(key=made["key"]).status_code == 200


def test_rk4_a_key_works_from_everywhere_until_it_is_revoked(rokka: Rokka) -> None:
    made = rokka.admin.make("api_keys", name="new", scopes=["read"])
    for client in (HERE, ELSEWHERE, "2001:db8::7"):
        assert rokka.call(key=made["key"], client=client).status_code == 200
    assert [secret["expires_at"] for secret in made["secrets"]] == [None]
    assert is_not_allowed(rokka.call(key=made["key"], method="DELETE"))
    rokka.admin.remove(f"api_keys/{made['id']}")
    assert is_bad_authentication(rokka.call(key=made["key"]), 403)


def test_rk4_a_key_may_do_what_it_was_given_and_nothing_else(rokka: Rokka) -> None:
    nothing = rokka.admin.make("api_keys", name="nothing")
    assert is_not_allowed(rokka.call(key=nothing["key"])) and is_not_allowed(rokka.call(key=nothing["key"], method="PUT"))
    rokka.admin.change(f"api_keys/{nothing['id']}", scopes=["write"])
    assert is_not_allowed(rokka.call(key=nothing["key"])) and rokka.call(key=nothing["key"], method="PUT").status_code == 200


def test_rk5_images_need_no_credential(rokka: Rokka) -> None:
    answer = rokka.call("/dynamic/resize-width-200/abc.jpg", headers={"Host": "acme.rokka.example"})
    assert answer.status_code == 200
    assert rokka.origin.requests[0].value("x-auth-subject") is None
    # A bad one does no harm.
    images = {"Host": "acme.rokka.example"}
    assert rokka.call("/dynamic/x.jpg", key="x" * 64, headers=images).status_code == 200
    assert rokka.call("/dynamic/x.jpg", token="a.b.c", headers=images).status_code == 200
    assert rokka.call("/dynamic/x.jpg", method="POST", headers=images).status_code == 405


def test_rk5_orig_what_the_libraries_call_without_a_credential(rokka: Rokka) -> None:
    for method, path in (("GET", "/operations"), ("GET", "/stackoptions"), ("POST", "/users")):
        assert rokka.call(path, method=method).status_code == 200, path
        assert rokka.origin.requests[-1].value("x-auth-subject") is None
    # Not what is below, or beside.
    for method, path in (("GET", "/operations/resize"), ("GET", "/stackoptions/"), ("POST", "/users/1"), ("GET", "/user")):
        assert is_bad_authentication(rokka.call(path, method=method), 403), path


def test_rk6_the_key_wins_over_the_token(rokka: Rokka) -> None:
    token = rokka.token(OLD_KEY)
    assert rokka.call(key=KEY, token=token).status_code == 200
    assert rokka.origin.requests[-1].value("x-auth-subject") == "main@rokka"
    # A bad key is not rescued by a good token, nor by the same key in another place.
    assert is_bad_authentication(rokka.call(key="x" * 64, token=token), 403)
    assert rokka.call(key=KEY, token="a.b.c").status_code == 200
    # Where tokens are made too: the key's rights are those that count, not the token's ceiling.
    assert payload(rokka.token(KEY, rokka.token(OLD_KEY, expires_in=60), expires_in=3600))["expt"] == 3600


# Getting a token.


def test_rk7_a_token_is_the_key_in_another_form(rokka: Rokka) -> None:
    token = rokka.token(READER)
    assert rokka.works(token)
    assert rokka.origin.requests[-1].value("x-auth-subject") == "reader@rokka"
    assert rokka.origin.requests[-1].value("x-auth-scopes") == "read"
    assert is_not_allowed(rokka.call(token=token, method="POST"))
    assert rokka.call(token=rokka.token(), method="POST").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rk7_orig_the_call_that_the_libraries_make(rokka: Rokka, method: str) -> None:
    """GET; the newest rokka.js POST with the options in the query."""
    answer = rokka.call("/user/apikeys/token?expires_in=3600&ips=request_ip", key=KEY, method=method)
    assert answer.status_code == 200 and answer.json()["payload"]["expt"] == 3600
    assert payload(answer.json()["token"])["ips"] == [HERE]
    assert not rokka.origin.requests


@pytest.mark.parametrize(("token", "status"), [(None, 403), ("a.b.c", 401)])
def test_rk7_nobody_else_gets_one(rokka: Rokka, token: str | None, status: int) -> None:
    assert is_bad_authentication(rokka.ask(token=token), status)
    assert rokka.ask(key="x" * 64).status_code == 403


def test_rk8_the_answer(rokka: Rokka) -> None:
    answer = rokka.ask(KEY)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert list(document) == ["token", "payload"]
    assert document["payload"] == payload(document["token"])


def test_rk9_the_token(rokka: Rokka) -> None:
    before = int(time.time())
    token = rokka.token()
    # Byte by byte what the document's example begins with.
    assert token.split(".")[0] == "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"
    claims = payload(token)
    assert list(claims) == ["id", "exp", "expt", "ips", "rn"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", claims["id"])
    assert type(claims["exp"]) is int and before + DAY <= claims["exp"] <= time.time() + DAY
    assert claims["expt"] == DAY and claims["ips"] == [HERE] and claims["rn"] is True
    # Nothing of the key stands in it.
    assert KEY not in token and claims["id"] not in KEY


def test_rk10_the_lifetime(rokka: Rokka) -> None:
    for wanted in (3600, 3600 * 72, 1, 10 * 365 * DAY):
        before = int(time.time())
        claims = payload(rokka.token(expires_in=wanted))
        assert claims["expt"] == wanted and before + wanted <= claims["exp"] <= time.time() + wanted
    assert payload(rokka.token())["expt"] == DAY


def test_rk10_no_limit_but_that_of_time_itself(rokka: Rokka) -> None:
    assert payload(rokka.token(expires_in=7_000_000_000))["expt"] == 7_000_000_000
    answer = rokka.ask(KEY, expires_in=7_000_000_001)
    assert answer.status_code == answer.json()["code"] == 422
    assert answer.json()["errors"] == ["Expires in is not a number from 1 to 7000000000"]


def test_rk10_not_beyond_the_key(rokka: Rokka) -> None:
    before = int(time.time())
    made = rokka.admin.make("api_keys", name="new", scopes=["read"], expires_in="60s")
    for options in ({"expires_in": 100 * DAY}, {}):
        claims = payload(rokka.token(made["key"], **options))
        assert before < claims["exp"] <= time.time() + 60 and 0 < claims["expt"] <= 60


@pytest.mark.parametrize("wanted", ["0", "-1", "1.5", "x", "", "1e3", "9" * 30, "0x10", " 60", "60;", "null", "true"])
def test_rk10_what_is_no_lifetime(rokka: Rokka, wanted: str) -> None:
    answer = rokka.ask(KEY, expires_in=wanted)
    assert answer.status_code == answer.json()["code"] == 422 and answer.json()["errors"]
    assert "invalid_authentication" not in answer.json()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("expires_in=60&expires_in=90", "expires_in is given twice"),
        ("expires_in=60&expires%5Fin=60", "expires_in is given twice"),
        ("unknown=1", "unknown is not a known parameter"),
        ("_=1", "_ is not a known parameter"),
        ("expires_in", "Expires in is not a number from 1 to 7000000000"),
    ],
)
def test_rk10_doubled_and_unknown_options(rokka: Rokka, query: str, message: str) -> None:
    answer = rokka.call(f"{PATH}?{query}", key=KEY)
    assert answer.status_code == answer.json()["code"] == 422 and answer.json()["errors"] == [message]


@pytest.mark.parametrize("query", ["expires_in=3600&", "&expires_in=3600", "&&expires_in=3600&&", "expires_in=3600&renewable=1"])
def test_rk10_options_as_clients_put_them_together(rokka: Rokka, query: str) -> None:
    answer = rokka.call(f"{PATH}?{query}", key=KEY)
    assert answer.status_code == 200 and answer.json()["payload"]["expt"] == 3600


def test_rk10_options_by_post(rokka: Rokka) -> None:
    """The newest rokka.js posts, with the options in the query and no content; PHP's clients may send an empty array."""
    json_type = {"Content-Type": "application/json"}
    for content in (b"", b"{}", b"null", b"[]"):
        answer = rokka.call(f"{PATH}?expires_in=3600", key=KEY, method="POST", headers=json_type, data=content)
        assert answer.status_code == 200 and answer.json()["payload"]["expt"] == 3600, content
    assert rokka.call(PATH, key=KEY, method="POST").json()["payload"]["expt"] == DAY
    options = {"expires_in": 3600, "ips": ["request_ip", "10.0.0.0/24"], "renewable": False}
    answer = rokka.call(PATH, key=KEY, method="POST", json=options)
    assert answer.json()["payload"] | {"exp": 0, "id": 0} == {"id": 0, "exp": 0, "expt": 3600, "ips": [HERE, "10.0.0.0/24"], "rn": False}
    answer = rokka.call(PATH, key=KEY, method="POST", data={"expires_in": "3600", "no_ip_protection": "1"})
    assert answer.json()["payload"]["expt"] == 3600 and "ips" not in answer.json()["payload"]
    token = answer.json()["token"]
    assert is_not_allowed(rokka.call(PATH, token=token, method="POST"))
    doubled = rokka.call(f"{PATH}?expires_in=3600", key=KEY, method="POST", json={"expires_in": 3600})
    assert doubled.status_code == 422 and doubled.json()["errors"] == ["expires_in is given twice"]


def test_rk11_a_key_may_adjust_every_option(rokka: Rokka) -> None:
    claims = payload(rokka.token(expires_in=90 * DAY, ips="10.0.0.0/24,192.0.2.1", renewable=False))
    assert claims["expt"] == 90 * DAY and claims["ips"] == ["10.0.0.0/24", "192.0.2.1"] and claims["rn"] is False


# Refreshing.


def test_rk12_a_token_gets_the_next_one(rokka: Rokka) -> None:
    first = rokka.token(expires_in=3600)
    until(lambda: int(time.time()) >= payload(first)["exp"] - 3600 + 1, 3, "the next second")
    before = int(time.time())
    second = rokka.token(None, first)
    assert before + 3600 <= payload(second)["exp"] <= time.time() + 3600
    assert payload(second)["exp"] > payload(first)["exp"]
    assert payload(second)["id"] == payload(first)["id"]
    assert rokka.works(second) and rokka.works(first)


def test_rk13_never_for_longer_than_it_was_made_for(rokka: Rokka) -> None:
    token = rokka.token(expires_in=3600)
    assert is_not_allowed(rokka.ask(token=token, expires_in=3601))
    assert payload(rokka.token(None, token, expires_in=3600))["expt"] == 3600
    shorter = rokka.token(None, token, expires_in=600)
    assert payload(shorter)["expt"] == 600
    # The ceiling only ever sinks.
    assert is_not_allowed(rokka.ask(token=shorter, expires_in=3600))
    assert payload(rokka.token(None, shorter))["expt"] == 600


def test_rk14_a_token_that_may_not_be_renewed(rokka: Rokka) -> None:
    token = rokka.token(renewable=False)
    assert rokka.works(token)
    assert is_not_allowed(rokka.ask(token=token))


def test_rk14_an_expired_token(rokka: Rokka) -> None:
    token = rokka.token(expires_in=1)
    until(lambda: not rokka.works(token), 4, "the end of the token")
    assert is_bad_authentication(rokka.ask(token=token), 401)


@pytest.mark.parametrize(
    "options",
    [
        {"no_ip_protection": True},
        {"ips": ELSEWHERE},
        {"ips": f"request_ip,{ELSEWHERE}"},
        {"ips": "212.50.10.0/24"},
        {"ips": "0.0.0.0/0"},
        {"ips": "::/0"},
        {"ips": f"::ffff:{ELSEWHERE}"},
    ],
)
def test_rk15_a_token_cannot_widen_itself(rokka: Rokka, options: dict[str, Any]) -> None:
    answer = rokka.ask(token=rokka.token(), **options)
    assert is_not_allowed(answer) and "token" not in answer.json()


def test_rk15_nor_become_renewable(rokka: Rokka) -> None:
    assert is_not_allowed(rokka.ask(token=rokka.token(renewable=False), renewable=True))


def test_rk15_but_it_can_narrow_itself(rokka: Rokka) -> None:
    token = rokka.token(ips="212.50.10.0/24")
    narrowed = rokka.token(None, token, ips="request_ip")
    assert payload(narrowed)["ips"] == [HERE]
    assert payload(rokka.token(None, token, client="212.50.10.99"))["ips"] == ["212.50.10.0/24"]
    last = rokka.token(None, token, renewable=False)
    assert is_not_allowed(rokka.ask(token=last))


# Protection by addresses.


def test_rk16_a_token_works_where_it_was_made(rokka: Rokka) -> None:
    token = rokka.token(client=HERE)
    assert payload(token)["ips"] == [HERE]
    assert rokka.works(token, HERE)
    assert is_bad_authentication(rokka.call(token=token, client=ELSEWHERE), 401)
    assert is_bad_authentication(rokka.ask(token=token, client=ELSEWHERE), 401)
    assert rokka.works(token, f"::ffff:{HERE}")


def test_rk16_an_ipv6_client(rokka: Rokka) -> None:
    token = rokka.token(client="2001:db8::7")
    assert payload(token)["ips"] == ["2001:db8::7"]
    assert rokka.works(token, "2001:db8:0:0:0:0:0:7")
    assert not rokka.works(token, "2001:db8::8")


def test_rk17_without_protection(rokka: Rokka) -> None:
    token = rokka.token(no_ip_protection=True)
    assert "ips" not in payload(token)
    assert rokka.works(token, HERE) and rokka.works(token, ELSEWHERE)


def test_rk18_addresses_networks_and_request_ip(rokka: Rokka) -> None:
    token = rokka.token(ips="request_ip,198.51.100.0/24,192.0.2.1")
    assert payload(token)["ips"] == [HERE, "198.51.100.0/24", "192.0.2.1"]
    for client in (HERE, "198.51.100.7", "198.51.100.255", "192.0.2.1"):
        assert rokka.works(token, client)
    for client in ("212.50.10.11", "198.51.101.0", "192.0.2.2"):
        assert not rokka.works(token, client)


@pytest.mark.parametrize("ips", ["", ",", "request_ip,", "x", "300.1.1.1", "10.0.0.0/33", "10.0.0.1/08", "1.2.3.4 5", "request_IP"])
def test_rk18_what_is_no_address(rokka: Rokka, ips: str) -> None:
    answer = rokka.ask(KEY, ips=ips)
    assert answer.status_code == answer.json()["code"] == 422 and answer.json()["errors"]


def test_rk18_orig_networks_with_host_bits_mean_the_network(rokka: Rokka) -> None:
    """`request_ip,212.40.50.1/24` is the guide's own example."""
    token = rokka.token(ips="request_ip,212.40.50.1/24,2001:db8::1/64")
    assert payload(token)["ips"] == [HERE, "212.40.50.1/24", "2001:db8::1/64"]
    for client in (HERE, "212.40.50.0", "212.40.50.255", "2001:db8::ffff"):
        assert rokka.works(token, client), client
    for client in ("212.40.51.1", "2001:db8:0:1::1"):
        assert not rokka.works(token, client), client
    assert payload(rokka.token(None, token))["ips"] == [HERE, "212.40.50.1/24", "2001:db8::1/64"]
    # What counts is the network: 8192 addresses, not one.
    assert rokka.ask(KEY, ips="10.0.0.1/18").status_code == 422


def test_rk18_not_beyond_the_key(rokka: Rokka) -> None:
    made = rokka.admin.make("api_keys", name="new", scopes=["read"], allow_ips=["212.50.10.0/24"])
    refused = rokka.ask(made["key"], ips=f"request_ip,{ELSEWHERE}")
    assert refused.status_code == 422
    assert refused.json()["errors"] == [f"Ips has a value beyond the addresses of the credential: {ELSEWHERE}"]
    assert payload(rokka.token(made["key"], ips="212.50.10.64/26"))["ips"] == ["212.50.10.64/26"]
    # Without protection of its own it has the key's.
    free = rokka.token(made["key"], no_ip_protection=True)
    assert payload(free)["ips"] == ["212.50.10.0/24"] and payload(free)["rn"] is False
    assert rokka.works(free, "212.50.10.99") and not rokka.works(free, ELSEWHERE)


@pytest.mark.parametrize(
    ("ips", "is_granted"),
    [
        (",".join(f"192.0.2.{n}" for n in range(10)), True),
        (",".join(f"192.0.2.{n}" for n in range(11)), False),
        ("10.0.0.0/19", True),
        ("10.0.0.0/18", False),
        ("10.0.0.0/19,10.0.32.0/21", False),
        ("10.0.0.0/19,10.0.0.0/20,10.0.16.0/21", True),
        ("2001:db8::/64", True),
        ("2001:db8::/51", True),
        ("2001:db8::/50", False),
        ("::/0", False),
        ("0.0.0.0/0", False),
    ],
)
def test_rk19_ten_values_and_ten_thousand_addresses(rokka: Rokka, ips: str, is_granted: bool) -> None:
    answer = rokka.ask(KEY, ips=ips)
    assert (answer.status_code == 200) == is_granted, answer.text
    if not is_granted:
        assert answer.status_code == answer.json()["code"] == 422
        # Which of the two bounds it was.
        assert re.fullmatch(r"Ips .*\(maximum is (10|10000, not \d+)\)", *answer.json()["errors"]), answer.text


def test_rk19_the_bounds_are_settings(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> None:
    routes = example("rokka", 1)["routes"]
    routes[0]["action"]["mint_token"]["addresses"] = {"values": 2, "addresses": 3}
    rokka = Rokka(gateway, tmp_path, upstream(), routes=routes)
    assert rokka.ask(KEY, ips="192.0.2.1,192.0.2.2").status_code == 200
    assert rokka.ask(KEY, ips="192.0.2.1,192.0.2.2,192.0.2.3").status_code != 200
    assert rokka.ask(KEY, ips="192.0.2.0/30").status_code != 200


def test_rk20_networks_stay_readable(rokka: Rokka) -> None:
    assert payload(rokka.token(ips="10.1.0.0/20,2001:db8::/64"))["ips"] == ["10.1.0.0/20", "2001:db8::/64"]


# Renewability.


@pytest.mark.parametrize(
    ("options", "is_renewable"),
    [
        ({}, True),
        ({"ips": "request_ip"}, True),
        ({"no_ip_protection": True}, False),
        ({"no_ip_protection": True, "renewable": True}, True),
        ({"renewable": False}, False),
        ({"no_ip_protection": False, "renewable": True}, True),
    ],
)
def test_rk21_renewable_as_protected_unless_said(rokka: Rokka, options: dict[str, Any], is_renewable: bool) -> None:
    token = rokka.token(**options)
    assert payload(token)["rn"] is is_renewable
    assert (rokka.ask(token=token).status_code == 200) is is_renewable


def test_rk22_the_defaults_of_the_javascript_library(rokka: Rokka) -> None:
    said = payload(rokka.token(renewable=True, no_ip_protection=False, ips="request_ip", expires_in=3600 * 24))
    unsaid = payload(rokka.token())
    assert said | {"exp": 0} == unsaid | {"exp": 0}


@pytest.mark.timeout(120)
def test_the_page(tmp_path: Path) -> None:
    run_page("rokka", tmp_path)
