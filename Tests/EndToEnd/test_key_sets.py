"""Key sets from a URL: rotation, rubbish, dead issuers, revocation."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway
from harness.issuer import KeySetServer, SigningKey, jwt_authenticator, key_set
from harness.messages import Message
from harness.policy import Json, open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients(*HTTP1_ONLY)
Server = Callable[..., KeySetServer]

#: As short as the bounds allow, so that the tests see several refreshes.
QUICK = {"refresh": "1s", "minimum_refresh": "1s", "maximum_refresh": "1h", "cooldown": "1s", "fetch_timeout": "2s"}
PATIENT = {"refresh": "1h", "minimum_refresh": "1m", "maximum_refresh": "1h", "cooldown": "1h", "fetch_timeout": "2s"}


def fetched_policy(port: int, url: str, times: Json = PATIENT, **members: object) -> Json:
    return policy(
        port,
        key_sets={"issuer": {"url": url} | times},
        failure_budget="off",
        authenticators={"jwt": jwt_authenticator("ES256", "RS256")},
        routes=[open_route(authenticate=["jwt"])],
        **members,
    )


def show(running: Gateway, token: str) -> Message:
    return ask(running.port, fields=[f"Authorization: Bearer {token}"])


def test_a_new_kid_is_fetched_while_the_request_waits(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    first, second = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(first))
    running = gateway(fetched_policy(upstream().port, server.url))
    assert show(running, first.token()).status == 200
    assert server.fetches == 1
    server.publish(key_set(first, second))
    assert show(running, second.token()).status == 200, "the new key was not looked for"
    assert server.fetches == 2
    assert show(running, first.token()).status == 200


def test_many_requests_wait_for_one_fetch(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    first, second = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(first))
    running = gateway(fetched_policy(upstream().port, server.url))
    assert show(running, first.token()).status == 200
    server.publish(key_set(first, second))
    server.may_answer.clear()
    clients = [RawClient(running.port) for _ in range(40)]
    for client in clients:
        client.send(request(fields=[f"Authorization: Bearer {second.token()}"]))
    server.wait_for_fetches(2)
    # Others are served meanwhile.
    assert show(running, first.token()).status == 200
    server.may_answer.set()
    assert [client.response().status for client in clients] == [200] * 40
    assert server.fetches == 2


def test_a_thousand_bad_kids_cause_at_most_one_fetch(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    known, stranger = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(known))
    origin = upstream()
    running = gateway(fetched_policy(origin.port, server.url))
    assert show(running, known.token()).status == 200
    before = server.fetches
    with RawClient(running.port) as client:
        for number in range(1000):
            token = stranger.token(header={"kid": f"made-up-{number}"})
            assert client.send(request(fields=[f"Authorization: Bearer {token}"])).response().status == 401
    assert server.fetches <= before + 1
    assert len(origin.requests) == 1


def test_removal_revokes_at_once(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    kept, removed = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(kept, removed))
    running = gateway(fetched_policy(upstream().port, server.url, QUICK))
    token = removed.token()
    assert show(running, token).status == 200
    server.publish(key_set(kept))
    server.wait_for_fetches(server.fetches + 1)
    until(lambda: show(running, token).status == 401, 2, "the end of the removed key")
    assert show(running, kept.token()).status == 200


RUBBISH = {
    "HTML": b"<!doctype html><html><body>Bad gateway</body></html>",
    "nothing": b"",
    "empty set": b'{"keys":[]}',
    "no keys member": b"{}",
    "a list": b"[]",
    "10 MB": b'{"keys":[' + b" " * 10_000_000 + b"]}",
    "cut short": b'{"keys":[{"kty":"EC"',
    "only unusable keys": b'{"keys":[{"kty":"unknown","kid":"x"}]}',
    "private key": None,
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_never_replaces_good_keys(gateway: Start, upstream: Origin, key_set_server: Server, name: str) -> None:
    key, other = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(key))
    running = gateway(fetched_policy(upstream().port, server.url, QUICK))
    assert show(running, key.token()).status == 200
    mark = len(running.lines)
    server.publish(RUBBISH[name] or json.dumps({"keys": [other.jwk(private=True)]}))
    server.wait_for_fetches(server.fetches + 1)
    running.wait_for_line("issuer", after=mark)
    assert show(running, key.token()).status == 200
    assert show(running, other.token()).status == 401
    server.publish(key_set(key, other))
    until(lambda: show(running, other.token()).status == 200, 10, "recovery")


@pytest.mark.parametrize("status", [302, 404, 500, 204])
def test_a_failing_issuer_keeps_its_keys(gateway: Start, upstream: Origin, key_set_server: Server, status: int) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key))
    running = gateway(fetched_policy(upstream().port, server.url, QUICK))
    assert show(running, key.token()).status == 200
    server.status = status
    server.publish(b"")
    server.wait_for_fetches(server.fetches + 1)
    assert show(running, key.token()).status == 200


def test_dead_issuers_do_not_delay_the_start_nor_each_other(
    gateway: Start, upstream: Origin, key_set_server: Server
) -> None:
    key = SigningKey("ES256")
    good = key_set_server(key_set(key))
    silent = key_set_server(b"")
    silent.may_answer.clear()
    closed = socket.create_server(("127.0.0.1", 0))
    closed_port = closed.getsockname()[1]
    closed.close()
    urls = {"good": good.url, "silent": silent.url, "closed": f"http://127.0.0.1:{closed_port}/jwks.json"}
    config = policy(
        upstream().port,
        key_sets={name: {"url": url} | QUICK for name, url in urls.items()},
        authenticators={name: jwt_authenticator("ES256", issuer=f"https://{name}.test", key_set=name) for name in urls},
        routes=[open_route(authenticate=list(urls)), open_route(name="free", match={"path": "/free"})],
    )
    began = time.monotonic()
    running = gateway(config)
    assert time.monotonic() - began < 2
    assert ask(running.port, "/free").status == 200
    until(lambda: show(running, key.token(iss="https://good.test")).status == 200)
    for name in ("silent", "closed"):
        answer = show(running, key.token(iss=f"https://{name}.test"))
        assert answer.status in (401, 503)
        if answer.status == 503:
            assert reason(answer) == "key_set_unavailable"
    assert ask(running.admin_port, "/healthz").status == 200


def test_the_first_request_waits_for_the_first_fetch(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key))
    server.may_answer.clear()
    running = gateway(fetched_policy(upstream().port, server.url))
    server.wait_for_fetches(1)
    with RawClient(running.port) as client:
        client.send(request(fields=[f"Authorization: Bearer {key.token()}"]))
        threading.Timer(0.1, server.may_answer.set).start()
        assert client.response().status == 200


def test_cache_control_is_kept_within_bounds(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key), cache_control="max-age=1")
    times = QUICK | {"refresh": "1h", "minimum_refresh": "1s"}
    gateway(fetched_policy(upstream().port, server.url, times))
    server.wait_for_fetches(3)


def test_state_is_visible(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key))
    running = gateway(fetched_policy(upstream().port, server.url))
    assert show(running, key.token()).status == 200
    assert "key_set" in running.admin("/metrics")


def test_an_operator_has_a_key_set_fetched_now(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    kept, removed = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(kept, removed))
    running = gateway(fetched_policy(upstream().port, server.url))
    token = removed.token()
    assert show(running, token).status == 200
    server.publish(key_set(kept))
    assert show(running, token).status == 200, "nothing has asked for the keys again yet"
    name = next(iter(fetched_policy(1, server.url)["key_sets"]))
    assert ask(running.admin_port, f"/key_sets/{name}/refresh", method="POST").status == 202
    until(lambda: show(running, token).status == 401, 5, "the end of the removed key")
    for path in ("/key_sets/nobody/refresh", f"/key_sets/{name}", "/key_sets//refresh"):
        assert ask(running.admin_port, path, method="POST").status == 404


def test_key_sets_outlive_a_reload(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    key = SigningKey("ES256")
    server = key_set_server(key_set(key))
    config = fetched_policy(upstream().port, server.url)
    running = gateway(config)
    assert show(running, key.token()).status == 200
    server.stop()
    mark = len(running.lines)
    running.replace(config | {"bounds": {"header_fields": 90}})
    running.wait_for_line("reloaded", after=mark)
    assert show(running, key.token()).status == 200


def test_a_key_set_file_is_followed(gateway: Start, upstream: Origin, tmp_path) -> None:
    first, second = SigningKey("ES256"), SigningKey("ES256")
    path = tmp_path / "jwks.json"
    path.write_text(key_set(first))
    config = fetched_policy(upstream().port, "")
    config["key_sets"]["issuer"] = {"file": str(path)}
    running = gateway(config)
    assert show(running, first.token()).status == 200
    beside = tmp_path / "new"
    beside.write_text(key_set(second))
    beside.rename(path)
    until(lambda: show(running, second.token()).status == 200, what="the new key set")
    assert show(running, first.token()).status == 401
