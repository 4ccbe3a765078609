"""Key sets over https, and found by what an issuer says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.certificates import Authority
from harness.client import ask, reason
from harness.gateway import Gateway
from harness.issuer import KeySetServer, SigningKey, jwt_authenticator, key_set
from harness.policy import Json, open_route, policy
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]
Server = Callable[..., KeySetServer]

METADATA = "/.well-known/openid-configuration"


def fetching(port: int, **key_set_members: object) -> Json:
    issuer = str(key_set_members.get("issuer", "https://issuer.test"))
    return policy(
        port,
        key_sets={"issuer": {"cooldown": "1s", "fetch_timeout": "2s"} | key_set_members},
        failure_budget="off",
        authenticators={"jwt": jwt_authenticator("ES256", issuer=issuer)},
        routes=[open_route(authenticate=["jwt"])],
    )


def show(running: Gateway, token: str) -> tuple[int, str]:
    answer = ask(running.port, fields=[f"Authorization: Bearer {token}"])
    return answer.status, "" if answer.status == 200 else reason(answer)


def test_keys_come_over_https(gateway: Start, upstream: Origin, key_set_server: Server, authority: Authority) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key), tls=authority.issue("127.0.0.1").server_context())
    running = gateway(fetching(upstream().port, url=server.url, ca=f"file:{authority.path}"))
    assert show(running, key.token()) == (200, "")


@pytest.mark.parametrize(("name", "days"), [("elsewhere.test", 90), ("127.0.0.1", -1)])
def test_keys_of_a_server_that_proves_nothing_are_not_taken(
    gateway: Start, upstream: Origin, key_set_server: Server, authority: Authority, name: str, days: int
) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key), tls=authority.issue(name, days=days).server_context())
    running = gateway(fetching(upstream().port, url=server.url, ca=f"file:{authority.path}"))
    assert show(running, key.token()) == (503, "key_set_unavailable")
    assert server.fetches == 0
    assert "the certificate" in running.wait_for_line("no token of this issuer is accepted")


def test_keys_of_a_strangers_server_are_not_taken(
    gateway: Start, upstream: Origin, key_set_server: Server, authority: Authority, tmp_path: Path
) -> None:
    key = SigningKey("ES256")
    stranger = Authority(tmp_path / "stranger", "Somebody else")
    server = key_set_server(key_set(key), tls=stranger.issue("127.0.0.1").server_context())
    for members in ({"ca": f"file:{authority.path}"}, {}):
        running = gateway(fetching(upstream().port, url=server.url, **members))
        assert show(running, key.token()) == (503, "key_set_unavailable")
    assert server.fetches == 0


@pytest.mark.parametrize("is_secure", [True, False])
def test_an_issuer_says_where_its_keys_are(
    gateway: Start, upstream: Origin, key_set_server: Server, authority: Authority, is_secure: bool
) -> None:
    key = SigningKey("ES256")
    tls = authority.issue("127.0.0.1").server_context() if is_secure else None
    server = key_set_server(key_set(key), tls=tls)
    server.others[METADATA] = json.dumps({"issuer": server.base, "jwks_uri": server.url})
    members = {"ca": f"file:{authority.path}"} if is_secure else {}
    running = gateway(fetching(upstream().port, issuer=server.base, **members))
    assert show(running, key.token(iss=server.base)) == (200, "")
    assert server.fetches == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "https://other.test"}, "other.test"),
        ({"jwks_uri": "http://127.0.0.1:9/jwks.json"}, "no URL to fetch keys from"),
        ({"jwks_uri": None}, "have no"),
    ],
)
def test_metadata_that_lead_elsewhere_are_not_followed(
    gateway: Start, upstream: Origin, key_set_server: Server, authority: Authority, change: Json, said: str
) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key), tls=authority.issue("127.0.0.1").server_context())
    document = {"issuer": server.base, "jwks_uri": server.url} | change
    server.others[METADATA] = json.dumps({name: value for name, value in document.items() if value})
    running = gateway(fetching(upstream().port, issuer=server.base, ca=f"file:{authority.path}"))
    assert show(running, key.token(iss=server.base)) == (503, "key_set_unavailable")
    assert said in running.wait_for_line("no token of this issuer is accepted")


def test_metadata_that_go_bad_leave_the_old_keys(
    gateway: Start, upstream: Origin, key_set_server: Server, authority: Authority
) -> None:
    key, other = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(key), tls=authority.issue("127.0.0.1").server_context())
    server.others[METADATA] = json.dumps({"issuer": server.base, "jwks_uri": server.url})
    running = gateway(fetching(upstream().port, issuer=server.base, ca=f"file:{authority.path}"))
    assert show(running, key.token(iss=server.base)) == (200, "")
    server.others[METADATA] = "<html>gone</html>"
    assert show(running, other.token(iss=server.base))[0] == 401
    running.wait_for_line("the keys in force stay")
    assert show(running, key.token(iss=server.base)) == (200, "")
