"""What ends rokka's keys and tokens, and what callers are told then: statements RK23 to RK30 over examples/rokka.json."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from harness.browser import Browser
from harness.client import ask
from harness.gateway import Gateway
from harness.rokka import (
    BAD_CREDENTIALS, ELSEWHERE, HERE, KEY, OLD_KEY, PATH, READER, Rokka, is_bad_authentication, is_not_allowed, payload, record,
)
from harness.upstream import Upstream, answering, ok
from harness.waiting import until


@pytest.fixture
def rokka(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Rokka]:
    one = Rokka(gateway, tmp_path, upstream(answering(lambda _: ok(b"{}"))))
    yield one
    one.session.close()


# Revocation.


def test_rk23_tokens_end_with_their_key(rokka: Rokka) -> None:
    """Those that were refreshed too, on the next request."""
    made = rokka.admin.make("api_keys", name="new", scopes=["read"])
    first = rokka.token(made["key"])
    second = rokka.token(None, first)
    other = rokka.token()
    assert rokka.works(first) and rokka.works(second)
    rokka.admin.remove(f"api_keys/{made['id']}")
    assert is_bad_authentication(rokka.call(token=first), 401)
    assert is_bad_authentication(rokka.call(token=second), 401)
    assert is_bad_authentication(rokka.ask(token=second), 401)
    # On every loop, whatever it remembers.
    for _ in range(8):
        with requests.Session() as fresh:
            fresh.trust_env = False
            fields = {"Authorization": f"Bearer {second}", "X-Forwarded-For": HERE}
            assert fresh.get(rokka.gateway.url + "/x", headers=fields, timeout=10).status_code == 401
    assert rokka.works(other)


def test_rk23_rotation_ends_them_too(rokka: Rokka) -> None:
    made = rokka.admin.make("api_keys", name="new", scopes=["read"])
    token = rokka.token(made["key"])
    rotated = rokka.admin.perform(f"api_keys/{made['id']}/rotate", {"api_key": {"overlap": "0s"}})
    assert not rokka.works(token)
    assert rokka.works(rokka.token(rotated["key"]))


def test_rk23_an_overlap_keeps_them_until_it_ends(rokka: Rokka) -> None:
    made = rokka.admin.make("api_keys", name="new", scopes=["read"])
    token = rokka.token(made["key"])
    rotated = rokka.admin.perform(f"api_keys/{made['id']}/rotate", {"api_key": {"overlap": "1h"}})
    ends = datetime.fromisoformat(rotated["secrets"][1]["expires_at"]).timestamp()
    assert abs(ends - time.time() - 3600) < 60
    # What was made with the old secret works and is renewed, and nothing of it outlives the secret.
    assert rokka.works(token) and rokka.call(key=made["key"]).status_code == 200
    for fresh in (rokka.token(None, token), rokka.token(made["key"])):
        assert rokka.works(fresh) and 3500 < payload(fresh)["expt"] <= 3600
        assert payload(fresh)["exp"] <= ends and payload(fresh)["id"] == payload(token)["id"]
    # With the new one there is no such end.
    assert payload(rokka.token(rotated["key"]))["expt"] == 86_400


def test_rk23_and_no_longer(rokka: Rokka) -> None:
    made = rokka.admin.make("api_keys", name="new", scopes=["read"])
    token = rokka.token(made["key"])
    rotated = rokka.admin.perform(f"api_keys/{made['id']}/rotate", {"api_key": {"overlap": "1s"}})
    until(lambda: not rokka.works(token), 4, "the end of the overlap")
    assert is_bad_authentication(rokka.call(token=token), 401)
    assert is_bad_authentication(rokka.ask(token=token), 401)
    assert is_bad_authentication(rokka.ask(made["key"]), 403)
    assert rokka.works(rokka.token(rotated["key"]))


def test_rk23_of_keys_in_the_file_too(rokka: Rokka) -> None:
    token, other = rokka.token(OLD_KEY), rokka.token()
    assert rokka.works(token)
    policy = json.loads(rokka.gateway.path.read_text())
    policy["authenticators"]["keys"]["keys"] = [record(KEY, "main", "read", "write")]
    rokka.gateway.replace(policy)
    until(lambda: not rokka.works(token), 3, "the end of the token")
    assert rokka.works(other)


# Errors.


def test_rk24_invalid_tokens_are_401(rokka: Rokka) -> None:
    token = rokka.token()
    head, body, signature = token.split(".")
    own_claims = payload(token)
    for bad in (
        "x", "a.b.c", f"{head}.{body}.", f"{head}.{body}.{signature[:-2]}", f"{head}.{body}.{'A' * len(signature)}",
        jwt.encode(own_claims, "k" * 32, algorithm="HS256"), jwt.encode(own_claims, None, algorithm="none"),
        f"{token}.x", token + "=",
    ):
        assert is_bad_authentication(rokka.call(token=bad), 401), bad
        assert is_bad_authentication(rokka.ask(token=bad), 401), bad
    assert not rokka.origin.requests
    assert is_bad_authentication(rokka.call(token=token, client=ELSEWHERE), 401)
    expired = rokka.token(expires_in=1)
    until(lambda: rokka.call(token=expired).status_code == 401, 4, "the end of the token")
    assert is_bad_authentication(rokka.call(token=expired), 401)


@pytest.mark.parametrize(
    "options",
    [
        {"expires_in": 61}, {"expires_in": 86_400}, {"no_ip_protection": True}, {"ips": ELSEWHERE}, {"ips": "0.0.0.0/0"},
        {"ips": f"request_ip,{ELSEWHERE}"},
    ],
)
def test_rk25_a_failed_renewal_is_403(rokka: Rokka, options: dict[str, Any]) -> None:
    token = rokka.token(expires_in=60)
    assert rokka.ask(token=token, **options).status_code == 403
    assert rokka.ask(token=rokka.token(renewable=False)).status_code == 403
    # And costs the token nothing.
    assert rokka.ask(token=token).status_code == 200


def ended_keys(rokka: Rokka) -> list[str]:
    """Secrets of keys that were good once: disabled, rotated away, revoked, expired."""
    disabled, rotated, revoked = (rokka.admin.make("api_keys", name=name, scopes=["read"]) for name in "drx")
    expired = rokka.admin.make("api_keys", name="e", scopes=["read"], expires_in="1s")
    rokka.admin.change(f"api_keys/{disabled['id']}", enabled=False)
    rokka.admin.perform(f"api_keys/{rotated['id']}/rotate", {"api_key": {"overlap": "0s"}})
    rokka.admin.remove(f"api_keys/{revoked['id']}")
    until(lambda: rokka.call(key=expired["key"]).status_code != 200, 4, "the end of the key")
    return [made["key"] for made in (disabled, rotated, revoked, expired)]


def test_rk26_a_bad_or_missing_key_is_403(rokka: Rokka) -> None:
    for key in ["x" * 64, "", None, "key with spaces", "k" * 5000, *ended_keys(rokka)]:
        assert is_bad_authentication(rokka.call(key=key), 403), key
        assert is_bad_authentication(rokka.ask(key=key), 403), key


def test_rk27_every_bad_authentication_says_so(rokka: Rokka) -> None:
    assert rokka.call().json() == rokka.call(key="").json() == BAD_CREDENTIALS
    for key in ["x" * 64, *ended_keys(rokka)]:
        assert is_bad_authentication(rokka.call(key=key), 403)
    made = rokka.admin.make("api_keys", name="new", scopes=["read"])
    revoked = rokka.token(made["key"])
    rokka.admin.remove(f"api_keys/{made['id']}")
    for token in ("a.b.c", "x", "", revoked):
        assert rokka.call(token=token).json()["invalid_authentication"] is True
    assert is_bad_authentication(rokka.call(token=rokka.token(), client=ELSEWHERE), 401)
    # What cannot be read as one credential is none.
    for status, fields in (
        (403, [f"Api-Key: {KEY}", f"Api-Key: {KEY}"]), (403, [f"Authorization: Bearer {rokka.token()}"] * 2),
        (401, ["Authorization: Basic dTpw"]), (403, ["Authorization: Bearer"]), (401, [f"Authorization: {rokka.token()}"]),
        (401, ["Authorization: Digest username=x"]),
    ):
        answer = ask(rokka.gateway.port, "/organizations/acme", [f"X-Forwarded-For: {HERE}", *fields])
        document = json.loads(answer.body)
        assert document["code"] == answer.status == status, fields
        assert document["invalid_authentication"] is True, fields


def test_rk27_too_many_failures_say_so_too(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path
) -> None:
    budget = {"failures": 3, "per": "1h"}
    rokka = Rokka(gateway, tmp_path, upstream(), failure_budget=budget)
    for letter in "abc":
        assert is_bad_authentication(rokka.call(key=letter * 64), 403)
    for show in ({"key": "x" * 64}, {"token": "a.b.c"}):
        answer = rokka.call(**show)
        assert is_bad_authentication(answer, 429) and int(answer.headers["Retry-After"]) > 0
    # Another address may still fail, and a caller over its rate limit is not a failed authentication.
    assert is_bad_authentication(rokka.call(key="x" * 64, client=ELSEWHERE), 403)


def test_rk28_a_caller_over_its_limit_is_authenticated(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path
) -> None:
    limits = {name: {"requests": 1, "per": "1h", "by": by} for name, by in (("fair", "identity"), ("open", "address"))}
    rokka = Rokka(gateway, tmp_path, upstream(), limits=limits)
    assert [rokka.call(key=KEY).status_code for _ in range(2)] == [200, 429]
    assert "invalid_authentication" not in rokka.call(key=KEY).json()


def test_rk28_who_is_known_but_may_not_is_not_told_so(rokka: Rokka) -> None:
    assert is_not_allowed(rokka.call(key=READER, method="PUT"))
    assert is_not_allowed(rokka.call(token=rokka.token(READER), method="PUT"))


def test_rk29_the_code_is_the_status(rokka: Rokka) -> None:
    for answer in (
        rokka.call(), rokka.call(key="x"), rokka.call(token="a.b.c"), rokka.call(key=READER, method="PUT"),
        rokka.call(PATH, key=KEY, method="PROPFIND"), rokka.call("/%2e%2e/", key=KEY), rokka.ask(KEY, ips="x"),
        rokka.ask(token=rokka.token(renewable=False)), rokka.call(key=KEY, headers={"Content-Length": "x"}),
    ):
        assert answer.json()["code"] == answer.status_code and answer.status_code >= 400
        assert answer.headers["Content-Type"] == "application/json"
    rokka.origin.stop()
    gone = rokka.call(key=KEY)
    assert gone.json()["code"] == gone.status_code == 502 and "invalid_authentication" not in gone.json()


def test_rk30_what_clients_count_with(rokka: Rokka) -> None:
    """`exp` by the clock of the answer's Date, 401 for what is to be dropped, 403 for what was not renewed."""
    answer = rokka.ask(KEY, expires_in=3000)
    left = answer.json()["payload"]["exp"] - time.time()
    assert 2990 < left <= 3000
    # A client that goes by the answer's Date comes to the same.
    said = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert abs(answer.json()["payload"]["exp"] - said - 3000) <= 1
    # Less than an hour is left: the library renews it.
    renewed = rokka.ask(token=answer.json()["token"], expires_in=3000)
    assert renewed.status_code == 200 and renewed.json()["payload"]["expt"] == 3000
    short = rokka.token(expires_in=1)
    until(lambda: rokka.call(token=short).status_code == 401, 4, "the end of the token")
    assert payload(short)["exp"] - time.time() <= 0
    assert rokka.ask(token=rokka.token(renewable=False)).status_code == 403


#: What the JavaScript library does: a token by the key, the next one by the token, and what it does with an answer that says no.
LIBRARY = """(async () => {
  const common = {"Api-Version": "1", "Content-Type": "application/json"};
  const ask = (path, more, method = "GET") => fetch(BASE + path, {method, headers: {...common, ...more}});
  const first = await ask("/user/apikeys/token?expires_in=3600", {"Api-Key": KEY});
  const {token, payload} = await first.json();
  const bearer = {"Authorization": "Bearer " + token};
  const next = await ask("/user/apikeys/token?expires_in=3600", bearer);
  const answers = [first, next, await ask("/organizations/acme", bearer), await ask("/organizations/acme", bearer, "PUT")];
  const refused = [
    await ask("/organizations/acme", {"Authorization": "Bearer " + token + "x"}), await ask("/organizations/acme", {"Api-Key": "x"}),
    await ask("/user/apikeys/token?expires_in=7200", bearer),
  ];
  return [answers.map(one => one.status), refused.map(one => one.status), (await refused[0].json()).invalid_authentication, payload.rn];
})()"""


def test_rk30_the_javascript_library_works_on_a_page_of_elsewhere(rokka: Rokka, upstream: Callable[..., Upstream]) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<!doctype html>"
    site = upstream(answering(lambda _: page))
    script = LIBRARY.replace("BASE", json.dumps(rokka.gateway.url)).replace("KEY", json.dumps(KEY))
    with Browser() as browser:
        browser.open(f"http://127.0.0.1:{site.port}/")
        assert browser.evaluate(script) == [[200, 200, 200, 200], [401, 403, 403], True, True]
    asked = {request.method for request in rokka.origin.requests}
    # The API saw no key and no preflight: the gateway answers those.
    assert asked == {"GET", "PUT"} and KEY.encode() not in rokka.origin.raw
