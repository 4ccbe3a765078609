"""Bodies of any size both ways, and every way in which an exchange can end early."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.messages import request_body, response_body
from harness.policy import api_key, keyed_policy, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, answering, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*HTTP1_ONLY), pytest.mark.upstreams("https", "h2c", "h2", one=True)]

MIB = 1 << 20
BLOCK = bytes(range(256)) * 256
UPLOAD_BYTES = 192 * MIB
DOWNLOAD_BYTES = 256 * MIB
#: What an exchange may hold beside the process itself: the bound on pending output both ways, the kernel's not counted.
RESIDENT_GROWTH = 24 * MIB


def post_head(length: int | None, target: str = "/upload") -> bytes:
    framing = f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked"
    return f"POST {target} HTTP/1.1\r\nHost: gw.test\r\n{framing}\r\n\r\n".encode()


def counting_sink(connection: Connection) -> None:
    """Reads a body without keeping it and answers its size and digest."""
    while head := connection.read_head():
        digest, count = hashlib.sha256(), 0
        for piece in request_body(connection.stream, head):
            digest.update(piece)
            count += len(piece)
            connection.stream.raw.clear()
        assert head.complete
        connection.send(ok(f"{count} {digest.hexdigest()}".encode()))


@pytest.mark.clients("h1")
def test_a_huge_upload_through_a_slow_upstream_holds_memory_flat(gateway: Start, upstream: Origin) -> None:
    may_read = threading.Event()

    def slow(connection: Connection) -> None:
        head = connection.read_head()
        may_read.wait(30)
        connection.stream.raw.clear()
        digest = hashlib.sha256()
        for piece in request_body(connection.stream, head):
            digest.update(piece)
            connection.stream.raw.clear()
        connection.send(ok(digest.hexdigest().encode()))

    origin = upstream(slow)
    running = gateway(policy(origin.port))
    ask_nothing = running.resident_bytes()
    digest = hashlib.sha256(BLOCK * (UPLOAD_BYTES // len(BLOCK))).hexdigest()
    with RawClient(running.port) as client:
        client.send(post_head(UPLOAD_BYTES))
        origin.wait_for(lambda: origin.requests)
        # The upstream reads nothing yet: the gateway must stop reading long before the body is sent.
        client.sock.settimeout(0.5)
        sent = 0
        try:
            while sent < UPLOAD_BYTES:
                sent += client.sock.send(BLOCK)
        except TimeoutError:
            pass
        assert sent < UPLOAD_BYTES / 2, "the gateway swallowed the body"
        stalled = running.resident_bytes()
        may_read.set()
        client.sock.settimeout(30)
        peak = stalled
        whole = memoryview(BLOCK)
        while sent < UPLOAD_BYTES:
            at = sent % len(BLOCK)
            sent += client.sock.send(whole[at:])
            if sent % (16 * MIB) < len(BLOCK):
                peak = max(peak, running.resident_bytes())
        assert client.response("POST").body.decode() == digest
    assert peak - ask_nothing < RESIDENT_GROWTH


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_arrives_as_it_was_sent(gateway: Start, upstream: Origin, chunked: bool) -> None:
    running = gateway(policy(upstream(counting_sink).port))
    body = BLOCK * 64
    with RawClient(running.port) as client:
        client.send(post_head(None if chunked else len(body)))
        if chunked:
            sizes, at = [1, 2, 15, 16, 17, 1000, 65_535, 65_536, 100_000], 0
            while at < len(body):
                piece = body[at : at + sizes[at % len(sizes)]]
                client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                at += len(piece)
            client.send(b"0\r\n\r\n")
        else:
            client.send(body)
        answer = client.response("POST")
    assert answer.body.decode() == f"{len(body)} {hashlib.sha256(body).hexdigest()}"


def test_a_body_sent_byte_by_byte(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    whole = post_head(None) + b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n"
    with RawClient(gateway(policy(origin.port)).port) as client:
        for byte in whole:
            client.send(bytes([byte]))
        assert client.response("POST").status == 200
    assert origin.requests[0].body == b"hello!" and origin.requests[0].complete


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_big_download_through_a_slow_client_holds_memory_flat(gateway: Start, upstream: Origin, framing: str) -> None:
    size = DOWNLOAD_BYTES if framing == "length" else 32 * MIB
    sent = threading.Event()

    def flood(connection: Connection) -> None:
        connection.read_request()
        line = {"length": f"Content-Length: {size}\r\n", "chunked": "Transfer-Encoding: chunked\r\n", "close": ""}[
            framing
        ]
        connection.send(f"HTTP/1.1 200 OK\r\n{line}\r\n".encode())
        for _ in range(size // len(BLOCK)):
            connection.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if framing == "chunked" else BLOCK)
        if framing == "chunked":
            connection.send(b"0\r\n\r\n")
        sent.set()

    running = gateway(policy(upstream(flood).port))
    before = running.resident_bytes()
    with RawClient(running.port, receive_buffer=65_536) as client:
        client.send(request())
        head = client.read_head()
        assert not sent.wait(0.3), "the gateway swallowed the body"
        stalled = running.resident_bytes()
        count, digest = 0, hashlib.sha256()
        for piece in response_body(client.stream, head, "GET"):
            count += len(piece)
            digest.update(piece)
            client.stream.raw.clear()
        assert head.complete
        peak = max(stalled, running.resident_bytes())
    assert count == size
    assert digest.digest() == hashlib.sha256(BLOCK * (size // len(BLOCK))).digest()
    assert peak - before < RESIDENT_GROWTH


def test_a_client_that_leaves_aborts_the_exchange(gateway: Start, upstream: Origin) -> None:
    def wait(connection: Connection) -> None:
        connection.read_request()
        connection.await_end()

    origin = upstream(wait)
    running = gateway(policy(origin.port))
    client = RawClient(running.port).send(request())
    origin.wait_for(lambda: origin.requests)
    client.reset()
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())


def test_a_client_that_leaves_in_the_middle_of_its_body(gateway: Start, upstream: Origin) -> None:
    def read(connection: Connection) -> None:
        connection.read_request()
        connection.await_end()

    origin = upstream(read)
    running = gateway(policy(origin.port))
    client = RawClient(running.port).send(post_head(1000) + b"half")
    until(lambda: b"half" in origin.raw, what="the first bytes")
    client.reset()
    origin.wait_for(lambda: origin.connections[0].stream.ended)
    assert not origin.requests[0].complete


def test_a_client_that_leaves_in_the_middle_of_a_chunked_body(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    client = RawClient(running.port).send(post_head(None) + b"5\r\nhello\r\n")
    until(lambda: b"hello" in origin.raw, what="the first bytes")
    client.half_close()
    origin.wait_for(lambda: origin.connections[0].stream.ended)
    assert not origin.requests[0].complete, "an unfinished body was ended for the client"


def test_a_client_that_leaves_in_the_middle_of_a_download(gateway: Start, upstream: Origin) -> None:
    def flood(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            connection.send(BLOCK)

    origin = upstream(flood)
    running = gateway(policy(origin.port))
    client = RawClient(running.port).send(request())
    client.read_head()
    client.reset()
    until(lambda: origin.connections[0].fault is not None, what="the abort at the upstream")


def test_a_half_closed_client_is_answered(gateway: Start, upstream: Origin) -> None:
    with RawClient(gateway(policy(upstream().port)).port) as client:
        client.send(request())
        client.half_close()
        assert client.response().body == b"hello"
        assert client.is_closed()


def test_an_early_answer_reaches_the_client_while_it_uploads(gateway: Start, upstream: Origin) -> None:
    def hasty(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        connection.await_end()

    origin = upstream(hasty)
    with RawClient(gateway(policy(origin.port)).port) as client:
        client.send(post_head(50 * MIB) + BLOCK)
        answer = client.response("POST")
        assert answer.status == 413 and answer.body == b"big"
        try:
            client.send(b"x" * 1000)
        except OSError:
            pass
        assert client.is_closed(), "a connection with an unread body was kept"


def test_trailers_of_an_answer_reach_the_client(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                b"5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n"
            )

    answer = ask(gateway(policy(upstream(script).port)).port, fields=["TE: trailers"])
    assert answer.body == b"hello" and answer.complete
    assert ("x-sum", "7") in [(name.lower(), value) for name, value in answer.trailers]


def test_trailers_of_a_request_reach_the_upstream(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    with RawClient(gateway(policy(origin.port)).port) as client:
        client.send(post_head(None) + b"5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n")
        assert client.response("POST").status == 200
    assert [(name.lower(), value) for name, value in origin.requests[0].trailers] == [("x-sum", "7")]


def test_an_upstream_that_dies_in_the_middle_of_a_request(gateway: Start, upstream: Origin) -> None:
    def die(connection: Connection) -> None:
        connection.read_head()
        connection.reset()

    with RawClient(gateway(policy(upstream(die).port)).port) as client:
        client.send(post_head(10_000_000))
        try:
            for _ in range(100):
                client.send(BLOCK)
        except OSError:
            pass
        assert client.response("POST").status == 502


def test_a_cut_download_is_cut_for_the_client_too(gateway: Start, upstream: Origin) -> None:
    may_die = threading.Event()

    def die(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + BLOCK)
        may_die.wait(10)

    with RawClient(gateway(policy(upstream(die).port)).port) as client:
        head = client.send(request()).read_head()
        assert head.status == 200
        assert client.stream.take(len(BLOCK)) == BLOCK
        may_die.set()
        assert client.is_closed()


@pytest.mark.upstreams("https")
def test_connections_are_reused(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, loops=1))
    for _ in range(10):
        assert ask(running.port).status == 200
    assert len(origin.connections) == 1


@pytest.mark.parametrize("line", ["Connection: close", None])
def test_a_connection_the_upstream_closes_is_not_reused(gateway: Start, upstream: Origin, line: str | None) -> None:
    def once(connection: Connection) -> None:
        connection.read_request()
        connection.send(ok(b"hi", *([line] if line else [])))

    origin = upstream(once)
    running = gateway(policy(origin.port, loops=1))
    for _ in range(5):
        assert ask(running.port).body == b"hi"
    assert len(origin.requests) == 5


@pytest.mark.upstreams("https")
def test_a_reused_connection_that_died_is_retried_once_for_get(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(ok())
        if connection.number == 0:
            connection.read_head()
            connection.reset()
        else:
            connection.await_end()

    origin = upstream(script)
    running = gateway(policy(origin.port, loops=1))
    assert ask(running.port, "/first").status == 200
    assert ask(running.port, "/second").status == 200
    assert [message.target for message in origin.requests] == ["/first", "/second", "/second"]


def test_a_request_that_got_bytes_back_is_not_retried(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200")
        connection.reset()

    origin = upstream(script)
    assert ask(gateway(policy(origin.port)).port).status == 502
    assert len(origin.requests) == 1


def test_two_servers_share_the_load(gateway: Start, upstream: Origin) -> None:
    first, second = upstream(), upstream()
    running = gateway(policy(first.port, second.port, loops=1))
    clients = [RawClient(running.port) for _ in range(8)]
    for client in clients:
        client.send(request())
    for client in clients:
        assert client.response().status == 200
    assert first.requests and second.requests


def test_a_dead_server_is_stepped_over(gateway: Start, upstream: Origin) -> None:
    alive, dead = upstream(), upstream()
    dead.stop()
    running = gateway(policy(dead.port, alive.port))
    for number in range(20):
        answer = ask(running.port, method="POST" if number % 2 else "GET", body=b"x" if number % 2 else b"")
        assert answer.status == 200
    assert len(alive.requests) == 20


def test_a_refused_upload_of_any_size_gets_its_answer(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    _, record = api_key()
    running = gateway(keyed_policy(origin.port, records=[record]))
    with RawClient(running.port) as client:
        client.send(post_head(500_000))
        try:
            client.send(b"x" * 500_000)
        except OSError:
            pass
        assert client.response("POST").status == 401
    assert not origin.connections


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_above_its_bound_is_413(gateway: Start, upstream: Origin, chunked: bool) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, bounds={"body_bytes": "1KiB"}))
    assert ask(running.port, method="POST", body=b"x" * 1024).status == 200
    with RawClient(running.port) as client:
        client.send(post_head(None if chunked else 1025, "/large"))
        if chunked:
            client.send(b"401\r\n" + b"x" * 1025 + b"\r\n0\r\n\r\n")
        assert client.response("POST").status == 413
        client.half_close()
        assert client.is_closed()
    assert not any(message.complete for message in origin.requests if message.target == "/large")


def test_http_1_0_with_keep_alive(gateway: Start, upstream: Origin) -> None:
    with RawClient(gateway(policy(upstream().port)).port) as client:
        for _ in range(3):
            client.send("GET / HTTP/1.0\r\nHost: gw.test\r\nConnection: keep-alive\r\n\r\n")
            answer = client.response()
            assert answer.body == b"hello" and answer.value("connection").lower() == "keep-alive"
        client.send("GET / HTTP/1.0\r\nHost: gw.test\r\n\r\n")
        assert client.response().body == b"hello"
        assert client.is_closed()


def test_http_1_0_without_a_host(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    with RawClient(gateway(policy(origin.port)).port) as client:
        assert client.send("GET / HTTP/1.0\r\n\r\n").response().status == 200
    assert len(origin.requests[0].values("host")) == 1


def test_asterisk_target(gateway: Start, upstream: Origin) -> None:
    answer = ask(gateway(policy(upstream().port)).port, "*", method="OPTIONS")
    assert answer.status in (200, 204, 404)


@pytest.mark.upstreams("https")
def test_ten_thousand_small_exchanges_on_one_connection_hold_memory_flat(gateway: Start, upstream: Origin) -> None:
    origin = upstream(answering(lambda message: ok(b"x" * 100)))
    running = gateway(policy(origin.port, loops=1, access_log="off"))
    with RawClient(running.port) as client:

        def rounds(count: int) -> None:
            for _ in range(count // 50):
                client.send(request() * 50)
                for _ in range(50):
                    assert client.response().status == 200
                client.stream.raw.clear()

        rounds(1000)
        before = running.resident_bytes()
        rounds(9000)
        assert running.resident_bytes() - before < 4 * MIB
