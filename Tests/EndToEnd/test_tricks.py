"""Tricks with the timing of requests, answers, ends and reloads; each test is named after its trick."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.issuer import KeySetServer, SigningKey, jwt_authenticator, key_set
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients(*HTTP1_ONLY)
Server = Callable[..., KeySetServer]


@pytest.mark.parametrize("late", [False, True])
def test_content_is_never_sent_as_a_request(gateway: Start, upstream: Origin, late: bool) -> None:
    """A kept connection dies after the head of a POST: its content must not open the next connection."""
    smuggled = request("GET", "/smuggled", ["X-Auth-Subject: root"])

    def script(connection: Connection) -> None:
        while message := connection.read_head():
            if message.method == "POST":
                connection.close()
                return
            connection.send(ok())

    origin = upstream(script)
    running = gateway(policy(origin.port, upstream={"response_timeout": "2s"}))
    with RawClient(running.port) as client:
        assert client.send(request()).response().status == 200
        head = f"POST /whole HTTP/1.1\r\nHost: gw.test\r\nContent-Length: {len(smuggled)}\r\n\r\n".encode()
        if late:
            client.send(head)
            origin.wait_for(lambda: any(message.method == "POST" for message in origin.requests))
            time.sleep(0.2)
            try:
                client.send(smuggled)
            except OSError:
                pass
        else:
            client.send(head + smuggled)
        assert client.response("POST").status == 502
    assert ask(running.port).status == 200
    assert [message.target for message in origin.requests] == ["/", "/whole", "/"]


def test_content_of_a_request_that_waits_for_a_key_is_kept(
    gateway: Start, upstream: Origin, key_set_server: Server
) -> None:
    first, second = SigningKey("ES256"), SigningKey("ES256")
    server = key_set_server(key_set(first))
    origin = upstream()
    times = {"refresh": "1h", "minimum_refresh": "1m", "maximum_refresh": "1h", "cooldown": "1s", "fetch_timeout": "2s"}
    running = gateway(
        policy(
            origin.port,
            key_sets={"issuer": {"url": server.url} | times},
            failure_budget="off",
            authenticators={"jwt": jwt_authenticator("ES256")},
            routes=[open_route(authenticate=["jwt"])],
        )
    )
    with RawClient(running.port) as client:
        client.send(request(fields=[f"Authorization: Bearer {first.token()}"]))
        assert client.response().status == 200
        time.sleep(1.1)  # the cool-down of a fetch that the first request may have caused
        server.publish(key_set(first, second))
        body = b"x" * 100_000
        client.send(request("POST", "/", [f"Authorization: Bearer {second.token()}"], body))
        assert client.response("POST").status == 200
    assert origin.requests[-1].body == body


def test_a_spoofed_trailer_under_a_name_of_the_policy(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    running = gateway(
        keyed_policy(origin.port, records=[record], identity_headers={"X-Remote-User": "{subject}"})
    )
    with RawClient(running.port) as client:
        client.send(
            f"POST / HTTP/1.1\r\nHost: gw.test\r\nX-API-Key: {secret}\r\nTransfer-Encoding: chunked\r\n\r\n"
            "1\r\nx\r\n0\r\nX-Remote-User: root\r\nx_remote.user: root\r\nX-Sum: 1\r\n\r\n"
        )
        assert client.response("POST").status == 200
    assert origin.requests[0].value("x-remote-user") == "ci@acme"
    assert b"root" not in origin.raw
    assert b"X-Sum: 1" in origin.raw


#: Sizes at some of which a client that does not read leaves the end of its answer with the gateway.
SIZES = range(2_000_000, 7_000_000, 100_000)


def unread(running: Gateway, version: str) -> list[tuple[int, RawClient]]:
    """A client for each size that asked for so much and reads nothing."""
    clients = []
    for size in SIZES:
        client = RawClient(running.port, receive_buffer=4096)
        clients.append((size, client.send(f"GET /{size} HTTP/{version}\r\nHost: gw.test\r\n\r\n")))
    return clients


def rest_of(client: RawClient) -> int | None:
    """How many bytes of content come before the end; None when the end is a reset."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    read = bytearray()
    try:
        while piece := client.sock.recv(1 << 20):
            read += piece
    except ConnectionResetError:
        return None
    return len(read.partition(b"\r\n\r\n")[2])


def test_an_answer_that_ends_with_the_connection_is_not_cut_quietly(gateway: Start, upstream: Origin) -> None:
    """HTTP/1.0, no length, a client that stops reading for too long: it must see a reset, not an end."""

    def script(connection: Connection) -> None:
        if message := connection.read_request():
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * int(message.target[1:]))

    running = gateway(policy(upstream(script).port, bounds={"body_timeout": "1s"}))
    clients = unread(running, "1.0")
    time.sleep(2)
    for size, client in clients:
        assert rest_of(client) in (None, size)


def test_requests_sent_ahead_of_a_half_close_are_all_answered(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            time.sleep(0.2)
            connection.send(ok())

    origin = upstream(script)
    running = gateway(policy(origin.port))
    with RawClient(running.port) as client:
        client.send(b"".join(request(target=f"/{number}") for number in range(3)))
        client.half_close()
        for _ in range(3):
            assert client.response().status == 200
        assert client.is_closed()
    assert [message.target for message in origin.requests] == ["/0", "/1", "/2"]


def test_requests_refused_ahead_of_a_half_close_are_all_answered(gateway: Start, upstream: Origin) -> None:
    running = gateway(keyed_policy(upstream().port, records=[api_key()[1]], failure_budget="off"))
    with RawClient(running.port) as client:
        client.send(request() * 500)
        client.half_close()
        for _ in range(500):
            assert client.response().status == 401
        assert client.is_closed()


@pytest.mark.parametrize("rest", ["GET / HT", "POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 9\r\n\r\nabc"])
def test_a_half_closed_client_with_a_broken_second_request_is_let_go(
    gateway: Start, upstream: Origin, rest: str
) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            time.sleep(0.2)
            connection.send(ok())

    running = gateway(policy(upstream(script).port))
    with RawClient(running.port) as client:
        client.send(request() + rest.encode())
        client.half_close()
        assert client.response().status == 200
        assert client.is_closed(2)


def test_a_half_closed_client_gets_a_long_answer(gateway: Start, upstream: Origin) -> None:
    """The answer must begin soon; it may take its time to end. (Over TLS the end must come before the answer: behind it, it tells that
    the client has left.)"""

    def script(connection: Connection) -> None:
        connection.read_request()
        time.sleep(0.3)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            time.sleep(0.4)
            connection.send(b"x")

    running = gateway(policy(upstream(script).port, bounds={"half_close_timeout": "1s"}))
    with RawClient(running.port) as client:
        client.send(request())
        client.half_close()
        assert client.response().body == b"xxxxx"


@pytest.mark.clients("h1")
def test_an_upload_that_stalls_after_backpressure_is_timed_out(gateway: Start, upstream: Origin) -> None:
    """The client has sent so much that the gateway stopped reading, and then stalls."""
    go = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_head()
        go.wait(10)
        connection.await_end()

    running = gateway(policy(upstream(script).port, bounds={"body_timeout": "2s"}))
    head = b"POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 100000000\r\n\r\n"
    clients = []
    with RawClient(running.port) as probe:
        probe.sock.setblocking(False)
        probe.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sent = 0
        probe.sock.send(head)
        still = 0
        while still < 20:
            try:
                sent += probe.sock.send(b"x" * 16384)
                still = 0
            except BlockingIOError:
                still += 1
                time.sleep(0.02)
        most = sent
    for less in range(0, 4_000_000, 100_000):
        if most - less <= 0:
            break
        client = RawClient(running.port)
        client.sock.setblocking(False)
        clients.append((client, most - less))
    for client, amount in clients:
        client.sock.settimeout(5)
        client.sock.send(head)
    threads = []

    def feed(client: RawClient, amount: int) -> None:
        try:
            client.sock.sendall(b"x" * amount)
        except OSError:
            pass

    for client, amount in clients:
        threads.append(threading.Thread(target=feed, args=(client, amount)))
        threads[-1].start()
    time.sleep(0.5)
    go.set()
    for thread in threads:
        thread.join()
    late = []
    # The upstream has hundreds of megabytes to read before the last of them has stalled.
    deadline = time.monotonic() + 25
    for client, amount in clients:
        client.sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            if not client.stream.fill():
                late.append((amount, "closed"))
        except TimeoutError:
            late.append((amount, "silent"))
        except OSError:
            pass
        client.sock.close()
    assert not late, f"{len(late)} of {len(clients)}: {late}"


@pytest.mark.clients("h1")
@pytest.mark.timeout(150)
def test_a_drain_lets_slow_readers_have_their_answers(gateway: Start, upstream: Origin) -> None:
    """Whole as the exchange sees it, but not yet taken by a client that pauses."""

    def script(connection: Connection) -> None:
        while message := connection.read_request():
            connection.send(ok(b"x" * int(message.target[1:])))

    origin = upstream(script)
    running = gateway(policy(origin.port, bounds={"drain_timeout": "100s"}))
    clients = unread(running, "1.1")
    origin.wait_for(lambda: len(origin.requests) == len(SIZES))
    time.sleep(0.5)
    running.signal(signal.SIGTERM)
    time.sleep(1.5)
    short = [(size, got) for size, client in clients if (got := rest_of(client)) != size]
    assert not short
    assert running.process.wait(5) == 0


@pytest.mark.clients("h1")
def test_a_listener_that_begins_to_expect_proxy_headers(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listener: Json = {"address": f"127.0.0.1:{port}"}
    running = gateway(policy(origin.port, listeners=[listener]))
    assert ask(port).status == 200
    running.replace(policy(origin.port, listeners=[listener | {"proxy_protocol": {"from": ["127.0.0.0/8"]}}]))
    running.wait_for_line("reloaded")
    time.sleep(0.3)
    with RawClient(port) as client:
        client.send(b"PROXY TCP4 192.0.2.9 192.0.2.1 7 80\r\n" + request())
        assert client.response().status == 200
    assert "192.0.2.9" in (origin.requests[-1].value("x-forwarded-for") or "")


def test_a_refused_reload_opens_no_listener(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = gateway(policy(origin.port))
        listeners = [{"address": "127.0.0.1:0"}, {"address": f"127.0.0.1:{port}"}]
        listeners.append({"address": f"127.0.0.1:{taken.getsockname()[1]}"})
        running.replace(policy(origin.port, listeners=listeners))
        running.wait_for_line("reload refused")
        time.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            ask(port)


def test_the_deadline_of_a_drain_resets_and_records(gateway: Start, upstream: Origin) -> None:
    """An answer without a length that the end of the process cuts must not look whole."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        connection.await_end()

    running = gateway(policy(upstream(script).port, bounds={"drain_timeout": "1s"}))
    with RawClient(running.port) as client:
        client.send("GET / HTTP/1.0\r\nHost: gw.test\r\n\r\n")
        assert client.read_head()
        running.signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            while client.sock.recv(1 << 16):
                pass
    running.process.wait(5)
    assert running.access_records(1)[0]["reason"] == "drain_timeout"


def test_a_client_without_a_request_holds_no_drain(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    with RawClient(running.port):
        time.sleep(0.2)
        begun = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("method", ["POST"])
def test_a_kept_connection_after_a_slow_reader_is_still_watched(
    gateway: Start, upstream: Origin, method: str
) -> None:
    """The last piece of an answer came while the client was slow; the upstream closes the kept connection."""
    body = b"x" * 12_000_000
    closed = threading.Event()

    def script(connection: Connection) -> None:
        first = connection.read_request()
        if first and first.target == "/big":
            connection.send(ok(body))
            closed.wait(5)
            return
        while first:
            connection.send(ok())
            first = connection.read_request()

    origin = upstream(script)
    running = gateway(policy(origin.port, loops=1))
    with RawClient(running.port, receive_buffer=4096) as client:
        client.send(request(target="/big"))
        assert client.response().status == 200
        closed.set()
        time.sleep(0.3)
        assert client.send(request(method, "/next", body=b"x")).response(method).status == 200
