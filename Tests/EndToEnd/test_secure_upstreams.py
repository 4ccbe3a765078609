"""TLS to upstreams over HTTP/1.1: who is believed, what is shown, and what becomes of connections that cannot be made."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.certificates import Authority
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway
from harness.messages import response_body
from harness.policy import Json, policy
from harness.upstream import Connection, Upstream, ok

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


def secure(*upstreams: Upstream, **members: object) -> Json:
    """A policy whose servers are asked over TLS and HTTP/1.1."""
    servers = [f"https://127.0.0.1:{one.port}" for one in upstreams]
    return policy(upstream={"servers": servers, "protocols": ["http/1.1"]} | members)


def believing(authority: Authority, **members: object) -> Json:
    return {"ca": f"file:{authority.path}"} | members


def test_a_server_that_proves_itself_is_asked_over_one_kept_connection(
    gateway: Start, upstream: Origin, authority: Authority
) -> None:
    origin = upstream(tls=authority.issue("127.0.0.1").server_context())
    running = gateway(secure(origin, tls=believing(authority)))
    for _ in range(3):
        answer = ask(running.port, "/x", method="POST", body=b"content" * 10_000)
        assert (answer.status, answer.body) == (200, b"hello")
    assert [one.body for one in origin.requests] == [b"content" * 10_000] * 3
    assert running.metric("portcullis_upstream_connections_opened_total") <= running.metric(
        "portcullis_requests_total", route="open"
    )
    with RawClient(running.port) as client:
        before = len(origin.connections)
        for _ in range(5):
            assert client.send(request()).response().status == 200
        assert len(origin.connections) <= before + 1


def test_large_content_goes_both_ways(gateway: Start, upstream: Origin, authority: Authority) -> None:
    def echo(connection: Connection) -> None:
        while read := connection.read_request():
            connection.send(ok(read.body))

    origin = upstream(echo, tls=authority.issue("127.0.0.1").server_context())
    running = gateway(secure(origin, tls=believing(authority)))
    content = bytes(range(256)) * 32_768
    assert ask(running.port, method="PUT", body=content).body == content


def test_a_name_is_asked_for_and_looked_for(gateway: Start, upstream: Origin, authority: Authority) -> None:
    asked: list[str | None] = []
    context = authority.issue("api.internal").server_context()
    context.sni_callback = lambda _, name, __: asked.append(name)
    origin = upstream(tls=context)
    running = gateway(secure(origin, tls=believing(authority, server_name="api.internal")))
    assert ask(running.port).status == 200
    assert asked == ["api.internal"]
    assert origin.requests[0].value("host") == "gw.test"


@pytest.mark.parametrize(
    ("names", "days", "said"),
    [
        (("localhost", "127.0.0.2"), 90, "made out to another name"),
        (("127.0.0.1",), -1, "expired"),
    ],
)
def test_a_server_that_cannot_prove_itself_gets_no_request(
    gateway: Start, upstream: Origin, authority: Authority, names: tuple[str, ...], days: int, said: str
) -> None:
    origin = upstream(tls=authority.issue(*names, days=days).server_context())
    running = gateway(secure(origin, tls=believing(authority)))
    answer = ask(running.port, "/secret")
    assert (answer.status, reason(answer)) == (502, "upstream_tls_failed")
    assert origin.requests == []
    assert len(origin.connections) == 1, "one try is enough"
    assert said in running.wait_for_line("no secure connection")
    assert running.access_records()[0]["reason"] == "upstream_tls_failed"
    assert running.metric("portcullis_upstream_connections_failed_total") == 1


def test_an_unknown_issuer_is_believed_only_where_nothing_is_verified(
    gateway: Start, upstream: Origin, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger", "Somebody else")
    origin = upstream(tls=stranger.issue("127.0.0.1").server_context())
    running = gateway(secure(origin, tls=believing(authority)))
    assert reason(ask(running.port)) == "upstream_tls_failed"
    assert "no trusted authority" in running.wait_for_line("no secure connection")
    # Nor by the system's authorities.
    assert reason(ask(gateway(secure(origin)).port)) == "upstream_tls_failed"
    assert origin.requests == []
    assert ask(gateway(secure(origin, tls={"verify": False})).port).status == 200


def test_the_next_server_is_asked_instead(gateway: Start, upstream: Origin, authority: Authority) -> None:
    wrong = upstream(tls=authority.issue("elsewhere").server_context())
    right = upstream(tls=authority.issue("127.0.0.1").server_context())
    running = gateway(secure(wrong, right, tls=believing(authority)))
    for _ in range(6):
        assert ask(running.port, method="POST", body=b"once").status == 200
    assert wrong.requests == []
    assert len(right.requests) == 6
    assert wrong.connections


def test_the_gateway_shows_its_certificate(gateway: Start, upstream: Origin, authority: Authority) -> None:
    context = authority.issue("127.0.0.1").server_context(client_ca=authority.path)
    origin = upstream(tls=context)
    own = authority.issue("gateway.test")
    shown = believing(authority, certificate=f"file:{own.certificate}", key=f"file:{own.key}")
    assert ask(gateway(secure(origin, tls=shown)).port).status == 200
    hidden = gateway(secure(origin, tls=believing(authority)))
    assert reason(ask(hidden.port)) in ("upstream_tls_failed", "upstream_closed")
    assert len(origin.requests) == 1


def test_a_server_in_clear_is_no_secure_one(gateway: Start, upstream: Origin, authority: Authority) -> None:
    def shout(connection: Connection) -> None:
        connection.send(ok())

    origin = upstream(shout)
    running = gateway(secure(origin, tls=believing(authority)))
    assert reason(ask(running.port)) == "upstream_tls_failed"


def test_a_handshake_has_the_time_of_connecting(gateway: Start, upstream: Origin, authority: Authority) -> None:
    def silent(connection: Connection) -> None:
        connection.await_end()

    origin = upstream(silent)
    running = gateway(secure(origin, tls=believing(authority), connect_timeout="300ms"))
    answer = ask(running.port)
    assert (answer.status, reason(answer)) == (504, "upstream_connect_timeout")
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_an_answer_without_a_length_is_whole_only_with_a_goodbye(
    gateway: Start, upstream: Origin, authority: Authority, says_goodbye: bool
) -> None:
    was_seen = threading.Event()

    def until_close(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"part")
        was_seen.wait(10)
        if says_goodbye:
            try:
                connection.sock.unwrap()
            except OSError:
                pass
        connection.close()

    origin = upstream(until_close, tls=authority.issue("127.0.0.1").server_context())
    running = gateway(secure(origin, tls=believing(authority)))
    with RawClient(running.port) as client:
        answer = client.send(request()).read_head()
        was_seen.set()
        assert b"".join(response_body(client.stream, answer, "GET")) == b"part"
        assert answer.complete == says_goodbye
    assert running.access_records()[0].get("reason") == (None if says_goodbye else "upstream_cut")


def test_a_reload_that_believes_others_keeps_no_connection(
    gateway: Start, upstream: Origin, authority: Authority, tmp_path: Path
) -> None:
    origin = upstream(tls=authority.issue("127.0.0.1").server_context())
    config = secure(origin, tls=believing(authority)) | {"loops": 1}
    running = gateway(config)
    assert ask(running.port).status == 200
    stranger = Authority(tmp_path / "stranger")
    config["upstreams"]["up"]["tls"] = believing(stranger)
    running.replace(config)
    running.wait_for_line("reloaded")
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
    assert reason(ask(running.port)) == "upstream_tls_failed"
    assert len(origin.requests) == 1


def test_sessions_are_resumed(gateway: Start, upstream: Origin, authority: Authority) -> None:
    resumed: list[bool] = []

    def once(connection: Connection) -> None:
        assert isinstance(connection.sock, ssl.SSLSocket)
        resumed.append(bool(connection.sock.session_reused))
        if connection.read_request():
            connection.send(ok(b"hello", "Connection: close"))

    origin = upstream(once, tls=authority.issue("127.0.0.1").server_context())
    running = gateway(secure(origin, tls=believing(authority)) | {"loops": 1})
    for _ in range(3):
        assert ask(running.port).status == 200
    assert resumed == [False, True, True]
