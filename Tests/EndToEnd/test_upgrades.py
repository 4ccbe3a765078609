"""Connections that change their protocol: what is let through, and the tricks that must not be (RFC 9110 7.8, RFC 6455)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway
from harness.policy import Json, open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, answering, ok
from harness.waiting import stays_false, until
from harness.websocket import BINARY, KEY, frame, piping, read_frame, switch, switching, upgrade

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients(*HTTP1_ONLY)

MIB = 1 << 20


def upgrading(port: int, *names: str, **members: object) -> Json:
    """One open route that lets these protocols through."""
    return policy(port, routes=[open_route(upgrade=list(names or ["websocket"]), **members)], loops=1)


def opened(running: Gateway, behind: bytes = b"", **options: object) -> RawClient:
    """A client whose connection has changed its protocol."""
    client = RawClient(running.port).send(upgrade(**options) + behind)
    head = client.read_head()
    assert head and head.status == 101, head
    return client


@pytest.mark.clients("h1")
def test_a_handshake_passes_and_becomes_a_pipe(gateway: Start, upstream: Origin) -> None:
    origin = upstream(piping)
    running = gateway(upgrading(origin.port))
    with RawClient(running.port) as client:
        client.send(upgrade(fields=["Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: permessage-deflate"]))
        head = client.read_head()
        assert head.status == 101
        assert head.value("upgrade") == "websocket" and head.value("connection") == "Upgrade"
        assert head.value("x-request-id") and not head.value("content-length")
        sent = frame(BINARY, bytes(range(256)), masked=True)
        client.send(sent)
        assert client.stream.take(len(sent)) == sent
        until(lambda: running.metric("portcullis_tunnels_open") == 1)
    seen = origin.requests[0]
    assert seen.value("sec-websocket-key") == KEY and seen.value("sec-websocket-version") == "13"
    assert seen.value("sec-websocket-protocol") == "chat"
    assert seen.value("sec-websocket-extensions") == "permessage-deflate"
    record = running.access_records()[0]
    assert record["status"] == 101 and record["reason"] is None
    assert record["bytes_in"] == record["bytes_out"] == len(sent)
    assert running.metric("portcullis_tunnels_open") == 0
    assert running.metric("portcullis_tunnels_opened_total", route="open") == 1


def test_other_protocols_pass_by_name(gateway: Start, upstream: Origin) -> None:
    origin = upstream(piping)
    with opened(gateway(upgrading(origin.port, "tunnel/2")), name="Tunnel/2") as client:
        assert client.send(b"anything").stream.take(8) == b"anything"
    assert origin.requests[0].value("upgrade") == "Tunnel/2"


def test_bytes_behind_the_heads_are_not_lost(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        assert switch(connection, behind=b"welcome")
        connection.send(connection.stream.take(5))
        connection.await_end()

    with RawClient(gateway(upgrading(upstream(script).port)).port) as client:
        client.send(upgrade() + b"early")
        assert client.read_head().status == 101
        assert client.stream.take(12) == b"welcomeearly"


def test_many_bytes_sent_before_the_answer_arrive(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()
    early = bytes(range(256)) * 4096

    def script(connection: Connection) -> None:
        connection.read_head()
        assert may_answer.wait(10)
        connection.send(switching())
        connection.send(connection.stream.take(len(early)))
        connection.await_end()

    origin = upstream(script)
    with RawClient(gateway(upgrading(origin.port)).port) as client:
        client.send(upgrade())
        sender = threading.Thread(target=lambda: client.send(early))
        sender.start()
        origin.wait_for(lambda: origin.requests)
        assert not origin.raw.partition(b"\r\n\r\n")[2], "content of the tunnel went ahead of the answer"
        may_answer.set()
        assert client.read_head().status == 101
        assert client.stream.take(len(early)) == early
        sender.join()


@pytest.mark.parametrize(
    "head",
    [
        upgrade(name="h2c", fields=["HTTP2-Settings: AAMAAABkAAQAAP__"]),
        upgrade(name="other"),
        upgrade(name="websocket/13"),
        upgrade().replace(b"Connection: Upgrade", b"Connection: keep-alive"),
        upgrade().replace(b"Connection: Upgrade", b"Connection: Upgrade, Sec-WebSocket-Key"),
        upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"),
        upgrade().replace(b"GET", b"PUT"),
        upgrade(fields=["Content-Length: 5"]) + b"hello",
        upgrade(fields=["Transfer-Encoding: chunked"]) + b"0\r\n\r\n",
        upgrade(fields=[f"Sec-WebSocket-Key: {KEY}"]),
        request(fields=["Connection: Upgrade", "Upgrade: websocket"]),
    ],
)
def test_what_is_no_admitted_upgrade_is_an_ordinary_request(gateway: Start, upstream: Origin, head: bytes) -> None:
    origin = upstream()
    with RawClient(gateway(upgrading(origin.port)).port) as client:
        method = "PUT" if head.startswith(b"PUT") else "GET"
        assert client.send(head).response(method).status == 200
    seen = origin.requests[0]
    assert not seen.names() & {"upgrade", "http2-settings"} - ({"http2-settings"} if b"h2c" in head else set())
    assert "upgrade" not in (seen.value("connection") or "").lower()


def test_a_route_without_upgrades_forwards_none(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    assert ask(gateway(policy(origin.port)).port, fields=["Connection: Upgrade", "Upgrade: websocket"]).status == 200
    assert not {"upgrade", "connection"} & origin.requests[0].names()


@pytest.mark.parametrize("lines", [["Upgrade: h2c, websocket"], ["Upgrade: h2c", "Upgrade: websocket"]])
def test_of_several_protocols_the_admitted_one_goes_on(gateway: Start, upstream: Origin, lines: list[str]) -> None:
    origin = upstream(piping)
    head = upgrade().replace(b"Upgrade: websocket", "\r\n".join(lines).encode())
    with RawClient(gateway(upgrading(origin.port)).port) as client:
        assert client.send(head).read_head().status == 101
    assert origin.requests[0].value("upgrade") == "websocket"


# MARK: Answers that do not agree


def test_an_ordinary_answer_is_one(gateway: Start, upstream: Origin) -> None:
    """CVE-2019-11248 and its like: a refused upgrade whose connection was piped all the same."""
    origin = upstream(answering(lambda message: ok(message.target.encode())))
    running = gateway(upgrading(origin.port, match={"path": "/public/**"}))
    with RawClient(running.port) as client:
        client.send(upgrade("/public/ws") + request(target="/admin", fields=["X-Smuggled: 1"]))
        assert client.response().body == b"/public/ws"
        refused = client.response()
        assert refused.status == 404 and reason(refused) == "route_not_found"
        assert client.send(request(target="/public/next")).response().body == b"/public/next"
    assert [message.target for message in origin.requests] == ["/public/ws", "/public/next"]
    assert b"X-Smuggled" not in origin.raw


def test_a_wrong_websocket_version_is_the_upstreams_to_refuse(gateway: Start, upstream: Origin) -> None:
    """The well-known trick: a proxy that believes in the upgrade pipes what follows past its rules."""

    def refuse(message: object) -> bytes:
        return b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"

    origin = upstream(answering(refuse))
    running = gateway(upgrading(origin.port, match={"path": "/ws"}))
    with RawClient(running.port) as client:
        head = upgrade().replace(b"Version: 13", b"Version: 777")
        client.send(head + request(target="/internal"))
        answer = client.response()
        assert answer.status == 426 and answer.value("sec-websocket-version") == "13"
        assert client.response().status == 404
    assert [message.target for message in origin.requests] == ["/ws"]


@pytest.mark.parametrize(
    "answer",
    [
        switching(name="h2c"),
        switching().replace(b"Upgrade: websocket", b"Upgrade: websocket, h2c"),
        switching(fields=["Upgrade: websocket"]),
        switching().replace(b"Connection: Upgrade\r\n", b""),
        switching().replace(b"\r\nUpgrade: websocket", b""),
        switching(key=None),
        switching(key="AAAAAAAAAAAAAAAAAAAAAA=="),
        switching(fields=["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]),
    ],
)
def test_an_answer_that_agrees_to_something_else_is_invalid(gateway: Start, upstream: Origin, answer: bytes) -> None:
    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(answer)
        connection.await_end()

    with RawClient(gateway(upgrading(upstream(script).port)).port) as client:
        assert reason(client.send(upgrade()).response()) == "upstream_invalid_response"


def test_an_agreement_nobody_asked_for_is_invalid(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(switching())
        connection.await_end()

    running = gateway(upgrading(upstream(script).port))
    assert reason(ask(running.port)) == "upstream_invalid_response"


# MARK: The pipe


def test_the_connection_is_not_used_again(gateway: Start, upstream: Origin) -> None:
    origin = upstream(lambda connection: piping(connection) if connection.number == 0 else answering(lambda _: ok())(connection))
    running = gateway(upgrading(origin.port))
    with opened(running) as client:
        client.send(b"x").stream.take(1)
    until(lambda: origin.connections[0].stream.ended)
    assert ask(running.port).status == 200
    assert len(origin.connections) == 2


def test_a_half_close_is_passed_on_both_ways(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        assert switch(connection)
        assert connection.await_end(5), "the client's half-close did not arrive"
        connection.send(b"after the end: " + connection.stream.buffer)

    running = gateway(upgrading(upstream(script).port, "other"))
    with opened(running, name="other") as client:
        client.send(b"all")
        client.half_close()
        assert client.stream.take(18) == b"after the end: all"
        assert client.is_closed()
    record = running.access_records()[0]
    assert record["reason"] is None and record["bytes_in"] == 3 and record["bytes_out"] == 18


@pytest.mark.clients("h1")
def test_the_upstream_may_end_first(gateway: Start, upstream: Origin) -> None:
    received = threading.Event()

    def script(connection: Connection) -> None:
        assert switch(connection)
        connection.send(b"bye")
        connection.sock.shutdown(1)
        while connection.stream.fill():
            pass
        if bytes(connection.stream.raw).endswith(b"x" * MIB):
            received.set()

    running = gateway(upgrading(upstream(script).port, "other"))
    with opened(running, name="other") as client:
        assert client.stream.take(10) == b"bye"
        client.send(b"x" * MIB)
    assert received.wait(10)
    assert running.access_records()[0]["reason"] is None


def test_a_client_that_resets_resets_the_upstream(gateway: Start, upstream: Origin) -> None:
    origin = upstream(piping)
    running = gateway(upgrading(origin.port))
    client = opened(running)
    client.send(b"x").stream.take(1)
    client.reset()
    origin.wait_for(lambda: origin.connections[0].stream.ended)
    assert running.access_records()[0]["reason"] == "client_left"


def test_an_upstream_that_dies_cuts_the_client(gateway: Start, upstream: Origin) -> None:
    may_die = threading.Event()

    def script(connection: Connection) -> None:
        assert switch(connection)
        assert may_die.wait(10)
        connection.reset()

    running = gateway(upgrading(upstream(script).port))
    with opened(running) as client:
        may_die.set()
        assert client.is_closed()
    assert running.access_records()[0]["reason"] == "upstream_cut"


def test_ten_thousand_small_frames_both_ways(gateway: Start, upstream: Origin) -> None:
    frames = [frame(BINARY, number.to_bytes(4), masked=True) for number in range(10_000)]
    with opened(gateway(upgrading(upstream(piping).port))) as client:
        sender = threading.Thread(target=lambda: [client.send(one) for one in frames])
        sender.start()
        for number in range(10_000):
            assert read_frame(client.stream) == (BINARY, number.to_bytes(4))
        sender.join()


def test_a_slow_reader_stalls_its_own_tunnel_and_memory_is_flat(gateway: Start, upstream: Origin) -> None:
    size, block = 64 * MIB, bytes(range(256)) * 256
    sent = threading.Event()

    def script(connection: Connection) -> None:
        if connection.number > 0:
            return piping(connection)
        assert switch(connection)
        for _ in range(size // len(block)):
            connection.send(block)
        sent.set()
        connection.await_end()

    running = gateway(upgrading(upstream(script).port))
    before = running.resident_bytes()
    slow = RawClient(running.port, receive_buffer=65_536).send(upgrade())
    assert slow.read_head().status == 101
    assert stays_false(sent.is_set, 0.3), "the gateway swallowed the stream"
    with opened(running) as other:
        assert other.send(b"quick").stream.take(5) == b"quick"
    taken = 0
    while taken < size:
        taken += len(slow.stream.take(min(len(block), size - taken)))
        slow.stream.raw.clear()
        assert running.resident_bytes() - before < 24 * MIB
    slow.sock.close()


@pytest.mark.clients("h1")
def test_a_stalled_upstream_stalls_the_client(gateway: Start, upstream: Origin) -> None:
    may_read = threading.Event()
    size = 32 * MIB

    def script(connection: Connection) -> None:
        assert switch(connection)
        assert may_read.wait(20)
        count = 0
        while count < size and connection.stream.fill():
            count += len(connection.stream.take(len(connection.stream.buffer)))
            connection.stream.raw.clear()
        connection.send(b"%d" % count)

    running = gateway(upgrading(upstream(script).port))
    with opened(running) as client:
        client.sock.settimeout(0.5)
        block, sent = b"x" * 65_536, 0
        try:
            while sent < size:
                sent += client.sock.send(block)
        except TimeoutError:
            pass
        assert sent < size / 2, "the gateway swallowed the stream"
        may_read.set()
        client.sock.settimeout(20)
        while sent < size:
            sent += client.sock.send(block[: size - sent])
        assert client.stream.take(8) == b"%d" % size


def test_server_sent_events_arrive_one_by_one(gateway: Start, upstream: Origin) -> None:
    """Not a tunnel, but as long-lived: an answer without end is neither collected nor cut."""
    received = threading.Semaphore(0)

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            event = b"data: %d\n\n" % number
            connection.send(b"%x\r\n%s\r\n" % (len(event), event))
            # The next event is sent only when this one has arrived.
            assert received.acquire(timeout=5)
        connection.send(b"0\r\n\r\n")

    with RawClient(gateway(policy(upstream(script).port)).port) as client:
        client.send(request(fields=["Accept: text/event-stream"]))
        assert client.read_head().value("content-type") == "text/event-stream"
        for number in range(5):
            event = b"data: %d\n\n" % number
            assert client.stream.take_until(b"\n\n\r\n") == b"%x\r\n%s\r\n" % (len(event), event)
            received.release()
        assert client.stream.take(5) == b"0\r\n\r\n"
