"""Memory that strangers can spend: clients that ask for much and take nothing make the gateway hold a bounded amount, and what was
begun still arrives whole once they take it."""

from __future__ import annotations

import hashlib
import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import frames as wire
from harness.certificates import shelf
from harness.client import ask, reason, request
from harness.frames import FrameClient, request_lines
from harness.gateway import Gateway
from harness.policy import open_route, policy
from harness.protocols import PROTOCOLS, dial
from harness.server import free_ports
from harness.upstream import Connection, Upstream, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

KIB, MIB = 1 << 10, 1 << 20
BODY = hashlib.shake_256(b"an answer").digest(3 * MIB)
DIGEST = hashlib.sha256(BODY).hexdigest()
NO_WINDOW = wire.PREFACE + wire.settings((4, 0))
BUFFERED = "portcullis_buffered_bytes"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def sends_much(connection: Connection) -> None:
    """Answers with more than anything on the way could hold."""
    connection.sock.settimeout(60)
    while connection.read_request():
        try:
            connection.send(ok(BODY))
        except OSError:
            return


def asks_for(streams: int) -> bytes:
    return b"".join(wire.headers(number, request_lines(b"GET", b"/")) for number in range(1, 2 * streams, 2))


def settled(running: Gateway) -> bool:
    """Nothing more is read meanwhile."""
    before = running.metric(BUFFERED)
    return all(running.metric(BUFFERED) == before for _ in range(20))


@pytest.mark.upstreams("https", "h2c", "h2", full=True)
def test_a_connection_of_128_streams_that_takes_nothing(gateway: Start, upstream: Origin, upstream_protocol) -> None:
    """It held 10 MiB, with an upstream of HTTP/2 33 MiB, for 3.6 KB sent."""
    running = gateway(policy(upstream(sends_much).port, loops=1))
    # OpenSSL keeps a record, and some state, for each connection to an upstream of HTTPS.
    allowed = 8 * MIB if upstream_protocol.name == "https" else 3 * MIB
    # What the first connection makes the program load is not counted.
    assert ask(running.port, "/").status == 200
    running.forget_peak()
    before = running.resident_bytes()
    clients = [FrameClient(running.port, PROTOCOLS["h2"], NO_WINDOW) for _ in range(3)]
    for number, client in enumerate(clients, 1):
        client.send(asks_for(128))
        until(lambda number=number: running.metric("portcullis_requests_in_flight") == 128 * number, 30)
        until(lambda: settled(running), 30)
    assert running.peak_bytes() - before < allowed * len(clients)
    for client in clients:
        client.sock.close()
    until(lambda: running.metric("portcullis_requests_in_flight") == 0)


@pytest.mark.upstreams("h2c", full=True)
def test_a_stream_whose_window_is_open_beside_127_that_are_not_taken_from(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream(sends_much).port, loops=1))
    with FrameClient(running.port, PROTOCOLS["h2"], NO_WINDOW + wire.window_update(0, 64 * MIB)) as client:
        client.send(asks_for(127))
        until(lambda: running.metric("portcullis_requests_in_flight") == 127, 30)
        until(lambda: settled(running), 30)
        client.send(wire.headers(255, request_lines(b"GET", b"/")), wire.window_update(255, 64 * MIB))
        received = b""
        while len(received) < len(BODY):
            frame = client.until(wire.DATA, stream=255)
            assert frame
            received += frame.payload
        assert hashlib.sha256(received).hexdigest() == DIGEST


def take_http1(sock: socket.socket) -> str:
    """The digest of the content of one answer."""
    sock.settimeout(30)
    received = b""
    while b"\r\n\r\n" not in received:
        received += sock.recv(65536)
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    pieces, left = [rest], len(BODY) - len(rest)
    while left > 0:
        pieces.append(sock.recv(65536))
        assert pieces[-1], f"{left} bytes are missing"
        left -= len(pieces[-1])
    return hashlib.sha256(b"".join(pieces)).hexdigest()


@pytest.mark.upstreams("h2c", full=True)
def test_the_bound_on_what_is_held_is_kept_and_nothing_that_was_begun_is_lost(gateway: Start, upstream: Origin) -> None:
    """Slow clients of every protocol fill it; others are refused in a way that says "again"; then all take their answers."""
    bound, streams = 2 * MIB, 16
    running = gateway(
        policy(
            upstream(sends_much).port,
            listeners=[{"address": "127.0.0.1:0"}, {"address": f"127.0.0.1:{free_ports(1)[0]}", "tls": shelf().listener}],
            bounds={"buffered_bytes": "2MiB", "body_timeout": "60s"},
        )
    )
    plain, secure = running.ports
    assert take_http1(asking(plain)) == DIGEST
    assert running.metric(f"{BUFFERED}_limit") == bound
    running.forget_peak()
    before = running.resident_bytes()
    slow = [asking(plain) for _ in range(3)] + [asking(secure, "h1-tls") for _ in range(2)]
    framed = []

    def is_full() -> bool:
        if len(framed) < 12:
            framed.append(FrameClient(plain, PROTOCOLS["h2"], NO_WINDOW))
            framed[-1].send(asks_for(streams))
        return running.metric(f"{BUFFERED}_limit_reached_total") >= 1

    until(is_full, 30)
    until(lambda: settled(running), 30)
    refused = ask(plain, "/")
    assert (refused.status, reason(refused)) == (503, "overloaded") and int(refused.value("Retry-After") or 0) >= 1
    with FrameClient(plain, PROTOCOLS["h2"]) as client:
        client.send(wire.headers(1, request_lines(b"GET", b"/")))
        answer = client.until(wire.RST_STREAM, wire.HEADERS)
        assert answer and (answer.kind, answer.code) == (wire.RST_STREAM, wire.REFUSED_STREAM)
    assert re.search(r'"buffered":\{"bytes":\d+,"limit":2097152,"limit_reached":[1-9]', running.admin("/status"))
    assert running.peak_bytes() - before < sizing(bound)

    for sock in slow:
        assert take_http1(sock) == DIGEST
    begun = 0
    for client in framed:
        begun += served(client, streams)
    assert begun >= streams
    until(lambda: running.metric("portcullis_requests_in_flight") == 0, 10)
    assert running.metric(BUFFERED) <= bound / 4
    assert ask(plain, "/").status == 200


def asking(port: int, name: str = "h1") -> socket.socket:
    """A client that has asked and reads nothing yet."""
    sock = dial(port, PROTOCOLS[name], receive_buffer=4096)
    sock.sendall(request("GET", "/"))
    return sock


def served(client: FrameClient, streams: int) -> int:
    """How many of its streams were begun, all of whose answers are whole; the others were refused, and are asked for again."""
    client.sock.settimeout(30)
    numbers = set(range(1, 2 * streams, 2))
    client.send(wire.window_update(0, 1 << 30), *(wire.window_update(number, 16 * MIB) for number in sorted(numbers)))
    taken = {number: hashlib.sha256() for number in numbers}
    refused = set()
    while numbers:
        frame = client.until(wire.DATA, wire.RST_STREAM, wire.GOAWAY)
        assert frame and frame.kind != wire.GOAWAY
        if frame.kind == wire.RST_STREAM:
            assert frame.code == wire.REFUSED_STREAM
            refused.add(frame.stream)
            numbers.discard(frame.stream)
            continue
        taken[frame.stream].update(frame.payload)
        if frame.flags & wire.END_STREAM:
            numbers.discard(frame.stream)
    whole = [one.hexdigest() for number, one in taken.items() if number not in refused]
    assert all(one == DIGEST for one in whole)
    return len(whole)


def sizing(bound: int) -> int:
    """What the formula of operations.md allows for `bound` bytes in flight."""
    factor, rest = re.search(r"in flight: `buffered_bytes` × (\d\.\d) \+ (\d+) MiB", OPERATIONS.read_text()).groups()
    return int(bound * float(factor)) + int(rest) * MIB


def test_heads_that_cost_little_to_send_and_much_to_keep(gateway: Start, upstream: Origin) -> None:
    """128 requests of 32 KiB each, spelled by references to one field: what is not taken yet does not pile up."""
    running = gateway(policy(upstream(sends_much).port, bounds={"http2": {"queued_bytes": "256KiB"}}))
    with FrameClient(running.port, PROTOCOLS["h2"], NO_WINDOW) as client:
        field = wire.literal(b"x-long", b"y" * 3900, kept=True)
        client.send(wire.frame(wire.HEADERS, 1, wire.block(request_lines()) + field, wire.END_HEADERS | wire.END_STREAM))
        again = wire.block(request_lines()) + bytes([0x80 | 62]) * 7
        for number in range(3, 64, 2):
            client.send(wire.frame(wire.HEADERS, number, again, wire.END_HEADERS | wire.END_STREAM))
        found = client.until(wire.RST_STREAM, wire.GOAWAY)
        assert found and (found.kind, found.code) == (wire.RST_STREAM, wire.REFUSED_STREAM)
        # Eight heads of 28 KiB are what fits.
        until(lambda: running.metric("portcullis_refusals_total", reason="overloaded") >= 20)
        assert running.metric("portcullis_requests_in_flight") <= 10


def test_a_client_that_sends_requests_ahead_and_reads_nothing(gateway: Start, upstream: Origin) -> None:
    """Its answers wait in bounded memory, whoever gives them."""
    running = gateway(policy(upstream(sends_much).port, routes=[open_route(match={"path": "/only"})]))
    running.forget_peak()
    before = running.resident_bytes()
    sock = dial(running.port, PROTOCOLS["h1"], receive_buffer=4096)
    sock.setblocking(False)
    flood, sent = request("GET", "/nowhere") * 1000, 0
    until(lambda: running.metric("portcullis_connections_open") >= 1)
    for _ in range(30):
        try:
            sent += sock.send(flood)
        except BlockingIOError:
            running.metric(BUFFERED)
    assert sent > 100 * KIB
    assert running.peak_bytes() - before < 6 * MIB
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
