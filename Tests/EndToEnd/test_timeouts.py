"""Every clock of the gateway, wound down so that the tests are quick."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway
from harness.policy import open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, ok

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*HTTP1_ONLY), pytest.mark.upstreams("https", "h2c", "h2", one=True)]

QUICK = {"head_timeout": "300ms", "idle_timeout": "300ms", "body_timeout": "300ms"}


def test_a_slow_head_is_408(gateway: Start, upstream: Origin) -> None:
    with RawClient(gateway(policy(upstream().port, bounds=QUICK)).port) as client:
        answer = client.send("GET / HTTP/1.1\r\nHost: gw").response()
        assert answer.status == 408 and client.is_closed()


def test_the_record_of_a_slow_head_tells_nothing_of_another_clients_request(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, bounds=QUICK, loops=1))
    with RawClient(running.port) as client:
        client.send("POST /slow HTTP/1.1\r\nHost: gw\r\n")
        assert ask(running.port, "/of/another", ["User-Agent: another"]).status == 200
        assert client.response().status == 408
    record = next(record for record in running.access_records(2) if record["status"] == 408)
    assert record["reason"] == "head_timeout" and "another" not in str(record)


def test_a_head_trickling_in_is_408(gateway: Start, upstream: Origin) -> None:
    """The clock runs from the first byte; more bytes do not wind it up again."""
    origin = upstream()
    running = gateway(policy(origin.port, bounds=QUICK))
    with RawClient(running.port) as client:
        client.sock.settimeout(0.05)
        client.send("GET / HTTP/1.1\r\nX-A: ")
        for _ in range(100):
            try:
                client.send("a")
                if client.stream.fill():
                    break
            except TimeoutError:
                continue
        client.sock.settimeout(5)
        assert client.response().status == 408
    assert not origin.requests


def test_a_connection_without_a_byte_is_closed(gateway: Start, upstream: Origin) -> None:
    with RawClient(gateway(policy(upstream().port, bounds=QUICK)).port) as client:
        client.sock.settimeout(5)
        answer = client.read_all()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_without_a_word(gateway: Start, upstream: Origin) -> None:
    with RawClient(gateway(policy(upstream().port, bounds=QUICK)).port) as client:
        assert client.send(request()).response().status == 200
        assert client.is_closed(5)


def test_a_stalled_request_body_is_408(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    with RawClient(gateway(policy(origin.port, bounds=QUICK)).port) as client:
        client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 100\r\n\r\nhalf")
        assert client.response("POST").status == 408
        assert client.is_closed()
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
    assert not origin.requests[0].complete


def test_a_client_that_does_not_read_is_dropped(gateway: Start, upstream: Origin) -> None:
    def flood(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            connection.send(b"x" * 1_000_000)

    origin = upstream(flood)
    running = gateway(policy(origin.port, bounds=QUICK))
    with RawClient(running.port, receive_buffer=4096) as client:
        client.send(request())
        origin.wait_for(lambda: origin.connections and origin.connections[0].fault, 10)


@pytest.mark.clients(*HTTP1_ONLY)
def test_a_slow_answer_to_a_whole_upload_is_waited_for(gateway: Start, upstream: Origin) -> None:
    """The time for content is over with the content, also where it came in pieces."""

    def script(connection: Connection) -> None:
        connection.read_request()
        time.sleep(3)
        connection.send(ok(b"late"))

    # Long beside the pause between the pieces, which a busy machine makes longer.
    running = gateway(policy(upstream(script).port, bounds={"body_timeout": "2s"}))
    for pieces in ((b"ab", b"cd"), (b"", b"abcd")):
        with RawClient(running.port) as client:
            client.send(request("POST", "/", ["Content-Length: 4"]) + pieces[0])
            time.sleep(0.1)
            client.send(pieces[1])
            assert client.response("POST").body == b"late"


def test_no_answer_in_time_is_504(gateway: Start, upstream: Origin) -> None:
    def silent(connection: Connection) -> None:
        connection.read_request()
        connection.await_end()

    origin = upstream(silent)
    running = gateway(policy(origin.port, upstream={"response_timeout": "200ms"}))
    answer = ask(running.port)
    assert answer.status == 504 and reason(answer) == "upstream_timeout"
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
    assert ask(running.port).status == 504


def test_a_routes_own_response_timeout(gateway: Start, upstream: Origin) -> None:
    origin = upstream(lambda connection: connection.read_request() and connection.await_end())
    assert ask(gateway(policy(origin.port, routes=[open_route(response_timeout="200ms")])).port).status == 504


def test_an_upload_does_not_count_against_the_response_timeout(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, upstream={"response_timeout": "300ms"}))
    with RawClient(running.port) as client:
        client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 8\r\n\r\n")
        client.sock.settimeout(0.1)
        for _ in range(7):
            client.send("x")
            with pytest.raises(TimeoutError):
                client.stream.fill()
        client.sock.settimeout(5)
        assert client.send("x").response("POST").status == 200


def test_an_answer_that_stalls_is_cut(gateway: Start, upstream: Origin) -> None:
    def stall(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.await_end()

    origin = upstream(stall)
    running = gateway(policy(origin.port, routes=[open_route(idle_timeout="300ms")]))
    answer = ask(running.port)
    assert answer.status == 200 and answer.body == b"half" and not answer.complete
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())


def test_nobody_listening_is_502(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    origin.stop()
    answer = ask(gateway(policy(origin.port)).port)
    assert answer.status == 502 and reason(answer) == "upstream_unreachable"


def test_a_connection_that_is_never_accepted_is_given_up(gateway: Start) -> None:
    """A full accept queue drops further SYNs: connecting takes for ever."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    running = gateway(policy(port, upstream={"connect_timeout": "200ms"}))
    answer = ask(running.port)
    assert answer.status in (502, 504), answer.start
    for one in (listener, *fillers):
        one.close()


def test_a_pooled_connection_is_closed_when_idle(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, upstream={"idle_timeout": "200ms"}))
    assert ask(running.port).status == 200
    origin.wait_for(lambda: origin.connections[0].stream.ended)


@pytest.mark.clients("h1")
def test_connections_of_one_address_are_bounded(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, bounds={"connections_per_address": 3}))
    clients = [RawClient(running.port) for _ in range(3)]
    for client in clients:
        assert client.send(request()).response().status == 200
    with RawClient(running.port) as fourth:
        try:
            fourth.send(request())
            assert fourth.read_all() == b"" or fourth.stream.raw.startswith(b"HTTP/1.1 503 ")
        except OSError:
            pass
    assert ask(running.port, source="127.0.0.2").status == 200
    clients[0].sock.close()
    # The place becomes free once the gateway has seen the close.
    for _ in range(200):
        try:
            if ask(running.port).status == 200:
                break
        except (OSError, AssertionError):
            continue
    else:
        raise AssertionError("the place of a closed connection was not given back")
