"""HTTP/2 as attackers write it: each attack ends its own connection with a word why, in bounded memory, and nobody else
notices."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from harness import frames as wire
from harness import vectors
from harness.client import ask
from harness.frames import FrameClient, request_lines
from harness.gateway import Gateway
from harness.http2 import HTTP2Client
from harness.messages import Message
from harness.policy import open_route, policy
from harness.protocols import PROTOCOLS, ClientProtocol
from harness.upstream import Connection, Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

MIB = 1 << 20
#: What an attack may make the gateway hold at any time, whatever it sends; it is less than one without.
RESIDENT_GROWTH = 4 * MIB
#: Processor time of a whole attack, with room for a debug build; it is a hundredth without.
CPU_SECONDS = 1.0
QUICK = {"head_timeout": "400ms", "idle_timeout": "400ms", "body_timeout": "400ms"}

pytestmark = pytest.mark.clients("h2")


@contextmanager
def bounded(running: Gateway, growth: int = RESIDENT_GROWTH) -> Iterator[None]:
    """What happens meanwhile costs the gateway little memory at any time, and little processor time in all."""
    running.forget_peak()
    before, spent = running.resident_bytes(), running.cpu_seconds()
    yield
    assert running.peak_bytes() - before < growth
    assert running.cpu_seconds() - spent < CPU_SECONDS


def odd(count: int) -> range:
    return range(1, 2 * count, 2)


def get(stream: int, *more: tuple[bytes, bytes]) -> bytes:
    return wire.headers(stream, request_lines(b"GET", b"/", *more))


def post(stream: int, *more: tuple[bytes, bytes]) -> bytes:
    return wire.headers(stream, request_lines(b"POST", b"/", *more), wire.END_HEADERS)


def rapid_reset() -> Iterator[bytes]:
    """CVE-2023-44487."""
    for stream in odd(20_000):
        yield get(stream) + wire.reset(stream)


def provoked(trick: Callable[[int], bytes]) -> Callable[[], Iterator[bytes]]:
    """CVE-2025-8671: the client does something for which the server must reset the stream."""

    def attack() -> Iterator[bytes]:
        for stream in odd(20_000):
            yield post(stream) + trick(stream)

    return attack


def continuation_flood() -> Iterator[bytes]:
    """CVE-2024-27316."""
    yield wire.headers(1, request_lines(), wire.END_STREAM)
    for number in range(200_000):
        yield wire.frame(wire.CONTINUATION, 1, wire.literal(b"x-%d" % number, b"y" * 1000))


def empty_continuations() -> Iterator[bytes]:
    yield wire.headers(1, request_lines(), wire.END_STREAM)
    for _ in range(200_000):
        yield wire.frame(wire.CONTINUATION, 1)


def hpack_bomb() -> Iterator[bytes]:
    """One large entry in the table, then named by one byte each time: 4 KiB of heap for a byte of wire."""
    first = wire.block(request_lines()) + wire.literal(b"x", b"y" * 3900, kept=True)
    yield wire.frame(wire.HEADERS, 1, first, wire.END_HEADERS | wire.END_STREAM)
    for stream in odd(1000):
        again = wire.block(request_lines()) + b"\xbe" * 15_000
        yield wire.frame(wire.HEADERS, stream + 2, again, wire.END_HEADERS | wire.END_STREAM)


#: Fields of 4 KiB that enter the table, where the newest has index 62.
ENTRIES = {
    "valid": wire.literal(b"x", b"y" * 3900, kept=True),
    "invalid name": wire.literal(b"x" * 3900 + b" ", b"", kept=True),
    "invalid value": wire.literal(b"x", b"y" * 3900 + b"\0", kept=True),
}


def bomb(entry: str, start: bytes = b"") -> bytes:
    return start + ENTRIES[entry] + b"\xbe" * (16_384 - len(start) - len(ENTRIES[entry]))


def invalid_bomb(entry: str) -> Callable[[], Iterator[bytes]]:
    def attack() -> Iterator[bytes]:
        for stream in odd(1000):
            yield wire.frame(wire.HEADERS, stream, bomb(entry, wire.block(request_lines())), wire.END_HEADERS | wire.END_STREAM)

    return attack


def trailer_bomb(entry: str) -> Callable[[], Iterator[bytes]]:
    def attack() -> Iterator[bytes]:
        for stream in odd(1000):
            yield post(stream) + wire.frame(wire.HEADERS, stream, bomb(entry), wire.END_HEADERS | wire.END_STREAM)

    return attack


def ignored_continuations() -> Iterator[bytes]:
    """A block that the library decodes without a word, since its stream was reset for its first field."""
    yield wire.headers(1, [*request_lines(), (b"te", b"gzip")], wire.END_STREAM)
    for _ in range(20_000):
        yield wire.frame(wire.CONTINUATION, 1, b"\x82" * 16_384)


def streams_never_finished() -> Iterator[bytes]:
    for stream in odd(20_000):
        yield post(stream)


def empty_content() -> Iterator[bytes]:
    """CVE-2019-9518."""
    yield post(1)
    for _ in range(200_000):
        yield wire.frame(wire.DATA, 1)


def empty_padded_content() -> Iterator[bytes]:
    yield post(1)
    for _ in range(200_000):
        yield wire.frame(wire.DATA, 1, b"\x04" + bytes(4), wire.PADDED)


def tiny_window_updates() -> Iterator[bytes]:
    yield post(1)
    for _ in range(200_000):
        yield wire.window_update(0, 1) + wire.window_update(1, 1)


def flood(piece: bytes, count: int = 200_000) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([piece] * count)


def priorities() -> Iterator[bytes]:
    for stream in odd(200_000):
        yield wire.frame(wire.PRIORITY, stream + 2, struct.pack(">IB", 1, 7))


CALM, PROTOCOL = wire.ENHANCE_YOUR_CALM, wire.PROTOCOL_ERROR
ATTACKS: dict[str, tuple[Callable[[], Iterator[bytes]], set[int]]] = {
    "rapid reset": (rapid_reset, {CALM}),
    "provoked resets: window update of nothing": (provoked(lambda stream: wire.window_update(stream, 0)), {CALM, PROTOCOL}),
    "provoked resets: window too large": (
        provoked(lambda stream: wire.window_update(stream, 0x7FFF_FFFF)),
        {CALM, wire.FLOW_CONTROL_ERROR},
    ),
    "provoked resets: head behind the content": (
        provoked(lambda stream: wire.frame(wire.DATA, stream, b"x", wire.END_STREAM) + get(stream)),
        {CALM, PROTOCOL, wire.STREAM_CLOSED},
    ),
    "provoked resets: depends on itself": (
        provoked(lambda stream: wire.frame(wire.PRIORITY, stream, struct.pack(">IB", stream, 7))),
        {CALM, PROTOCOL},
    ),
    "provoked resets: malformed heads": (
        lambda: (get(stream, (b"connection", b"close")) for stream in odd(20_000)),
        {CALM},
    ),
    "CONTINUATION flood": (continuation_flood, {CALM}),
    "empty CONTINUATION flood": (empty_continuations, {CALM}),
    "HPACK bomb": (hpack_bomb, {CALM}),
    "HPACK bomb of an invalid name": (invalid_bomb("invalid name"), {CALM}),
    "HPACK bomb of an invalid value": (invalid_bomb("invalid value"), {CALM}),
    "HPACK bomb in trailers": (trailer_bomb("valid"), {CALM}),
    "HPACK bomb of an invalid name in trailers": (trailer_bomb("invalid name"), {CALM}),
    "CONTINUATION flood of a block that is ignored": (ignored_continuations, {CALM}),
    "SETTINGS flood": (flood(wire.settings((4, 65_535))), {CALM}),
    "empty SETTINGS flood": (flood(wire.settings()), {CALM}),
    "SETTINGS of many entries": (flood(wire.settings(*[(4, 65_535)] * 2000)), {CALM, PROTOCOL}),
    "PING flood": (flood(wire.frame(wire.PING, 0, bytes(8))), {CALM}),
    "acknowledgements of nothing": (flood(wire.frame(wire.PING, 0, bytes(8), wire.ACK)), {CALM}),
    "PRIORITY flood": (priorities, {CALM}),
    "unknown frames": (flood(wire.frame(0xFA, 0, b"x")), {CALM}),
    "empty DATA flood": (empty_content, {CALM}),
    "empty padded DATA flood": (empty_padded_content, {CALM}),
    "tiny WINDOW_UPDATE flood": (tiny_window_updates, {CALM}),
    "streams never finished": (streams_never_finished, {CALM}),
}


@pytest.mark.clients("h2", "h2-tls")
@pytest.mark.parametrize(("attack", "codes"), ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_ends_its_own_connection(
    gateway: Start, upstream: Origin, attack: Callable[[], Iterator[bytes]], codes: set[int]
) -> None:
    def read_only(connection: Connection) -> None:
        while message := connection.read_head():
            connection.read_body(message)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connection.stream.raw.clear()

    origin = upstream(read_only)
    running = gateway(policy(origin.port, access_log="off"))
    with HTTP2Client(running.port, running.protocol) as bystander, FrameClient(running.port, running.protocol) as client:
        assert bystander.ask().status == 200
        with bounded(running):
            pending, taken = b"", True
            for piece in attack():
                pending += piece
                if len(pending) > 8192:
                    taken = client.send(pending)
                    pending = b""
                    if not taken:
                        break
            assert not taken, "the attack was borne to its end"
        assert bystander.ask().status == 200, "another client was not served"
        # A connection closed with bytes unread may lose the word behind it; that there is one, the next test sees.
        ends = [found.code for found in client.rest() if found.kind == wire.GOAWAY]
        assert set(ends) <= codes
    assert ask(running.port).status == 200


def drained_attack(client: FrameClient, attack: Iterator[bytes], pieces: int) -> list[int]:
    """Codes of GOAWAY to an attacker who reads: in small steps, so that nothing is lost when the connection ends."""
    for index, piece in enumerate(attack):
        if index >= pieces or not client.send(piece):
            break
    return [found.code for found in client.rest() if found.kind == wire.GOAWAY]


@pytest.mark.clients("h2", "h2-tls")
@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("rapid reset", 600), ("CONTINUATION flood", 20), ("HPACK bomb", 3), ("HPACK bomb of an invalid name", 2),
        ("HPACK bomb in trailers", 2), ("SETTINGS flood", 250), ("PING flood", 1100),
    ],  # fmt: skip
)
def test_an_attacker_is_told_why(gateway: Start, upstream: Origin, name: str, pieces: int) -> None:
    running = gateway(policy(upstream().port))
    with FrameClient(running.port, running.protocol) as client:
        codes = drained_attack(client, ATTACKS[name][0](), pieces)
    assert codes and codes[-1] == wire.ENHANCE_YOUR_CALM


def test_acknowledgements_that_are_not_read_are_bounded(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    client = FrameClient(running.port)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    many = wire.frame(wire.PING, 0, bytes(8)) * 1000
    with bounded(running):
        assert not all(client.send(many) for _ in range(1000))
    client.sock.close()


def test_windows_kept_shut_stall_nobody_else_and_end(gateway: Start, upstream: Origin) -> None:
    """A hundred large answers that the client does not take: bounded memory, others served, cut by body_timeout."""

    def large(connection: Connection) -> None:
        while message := connection.read_request():
            if message.target == "/small":
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                continue
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n")
            for _ in range(64):
                connection.send(bytes(65_536))

    running = gateway(policy(upstream(large).port, bounds={"body_timeout": "1500ms"}))
    start = wire.PREFACE + wire.settings((4, 0))
    with bounded(running, 32 * MIB), FrameClient(running.port, start=start) as client:
        for stream in odd(100):
            client.send(wire.headers(stream, request_lines(b"GET", b"/large")))
        answered = {client.until(wire.HEADERS).stream for _ in range(100)}
        assert answered == set(odd(100))
        assert ask(running.port, "/small").status == 200
        cut: set[int] = set()
        while len(cut) < 100:
            found = client.until(wire.RST_STREAM, wire.GOAWAY)
            assert found, "the connection ended without a word"
            cut |= {found.stream} if found.kind == wire.RST_STREAM else answered
    records = running.access_records(101)
    assert {entry["reason"] for entry in records if entry["path"] == "/large"} == {"client_timed_out"}


def test_a_window_opened_byte_by_byte_is_served(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    start = wire.PREFACE + wire.settings((4, 0))
    with bounded(running), FrameClient(running.port, start=start) as client:
        client.send(get(1))
        assert client.status(1) == 200
        body = b""
        while len(body) < 5:
            client.send(wire.window_update(1, 1))
            body += client.until(wire.DATA).payload
        assert body == b"hello"


def test_a_header_block_that_dribbles_ends_the_connection(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, bounds=QUICK))
    with bounded(running), FrameClient(running.port) as client:
        client.send(wire.headers(1, request_lines(), wire.END_STREAM))
        assert [found.code for found in client.rest() if found.kind == wire.GOAWAY] == [wire.ENHANCE_YOUR_CALM]
    assert not origin.requests


#: Idle connections stay, so what ends the connection is that it is in the middle of something.
HASTY_HEADS = {"head_timeout": "300ms"}
START = wire.PREFACE + wire.settings()


@pytest.mark.clients("h2", "h2-tls")
@pytest.mark.parametrize(
    "half",
    [
        START + b"\0",
        START + wire.settings((4, 65_535))[:12],
        START + get(1)[:8],
        START + get(1)[:20],
        START + get(1) + wire.frame(wire.PING, 0, bytes(8))[:10],
        wire.PREFACE + wire.settings()[:5],
    ],
    ids=["one byte", "SETTINGS", "head of a frame", "HEADERS", "PING behind a request", "first SETTINGS"],
)
def test_half_a_frame_ends_the_connection(gateway: Start, upstream: Origin, half: bytes) -> None:
    running = gateway(policy(upstream().port, bounds=HASTY_HEADS))
    with bounded(running), FrameClient(running.port, running.protocol, start=half) as client:
        assert [found.code for found in client.rest() if found.kind == wire.GOAWAY] == [wire.ENHANCE_YOUR_CALM]


@pytest.mark.clients("h2-tls")
@pytest.mark.parametrize("start", [b"", wire.PREFACE[:10], wire.PREFACE], ids=["nothing", "half of it", "no SETTINGS"])
def test_a_preface_that_does_not_come_ends_the_connection(gateway: Start, upstream: Origin, start: bytes) -> None:
    running = gateway(policy(upstream().port, bounds=HASTY_HEADS))
    with FrameClient(running.port, running.protocol, start=start) as client:
        assert [found.code for found in client.rest() if found.kind == wire.GOAWAY] == [wire.ENHANCE_YOUR_CALM]


def test_half_a_frame_that_grows_byte_by_byte_ends_the_connection(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, bounds=HASTY_HEADS))
    with bounded(running), FrameClient(running.port) as client:
        client.sock.settimeout(0.05)
        frame, ends = wire.frame(wire.SETTINGS, 0, bytes(600)), []
        for byte in frame:
            client.send(bytes([byte]))
            try:
                found = client.read()
            except TimeoutError:
                continue
            if found is None:
                break
            ends += [found.code] if found.kind == wire.GOAWAY else []
        assert ends == [wire.ENHANCE_YOUR_CALM]


def test_content_may_take_longer_than_a_head(gateway: Start, upstream: Origin) -> None:
    """A frame of it may: what bounds content is that it goes on coming."""
    origin = upstream()
    running = gateway(policy(origin.port, bounds={"head_timeout": "100ms"}))
    with FrameClient(running.port) as client:
        client.sock.settimeout(0.05)
        client.send(post(1), wire.frame(wire.DATA, 1, bytes(10), wire.END_STREAM)[:9])
        for _ in range(10):
            with pytest.raises(TimeoutError):
                client.until(wire.HEADERS, wire.GOAWAY)
            client.send(bytes(1))
        client.sock.settimeout(10)
        assert client.status(1) == 200
    assert origin.requests[0].body == bytes(10)


def test_what_an_attacker_left_open_is_cut(gateway: Start, upstream: Origin) -> None:
    """Told to calm down, it may not keep the connection by a request that takes long."""

    def hold(connection: Connection) -> None:
        connection.read_request()
        connection.await_end()

    origin = upstream(hold)
    running = gateway(policy(origin.port))
    with FrameClient(running.port) as client:
        client.send(get(1))
        origin.wait_for(lambda: origin.requests)
        # Three quarters of what is borne, and not all of it.
        for _ in range(400):
            client.send(wire.frame(wire.PING, 0, bytes(8)) * 2)
        # Once when it is told, and once more where the end itself says it.
        assert {found.code for found in client.rest() if found.kind == wire.GOAWAY} == {wire.ENHANCE_YOUR_CALM}
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())


def test_an_idle_connection_ends_with_goodbye(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, bounds=QUICK))
    with HTTP2Client(running.port) as client:
        assert client.ask().status == 200
        assert client.is_closed(5)
        assert client.goodbyes[-1][0] == wire.NO_ERROR


BASE = [(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "gw.test")]


def without(name: str) -> list[tuple[str, str]]:
    return [line for line in BASE if line[0] != name]


def swapped(name: str, value: str) -> list[tuple[str, str]]:
    return [(other, value if other == name else old) for other, old in BASE]


MALFORMED: dict[str, list[tuple[str, str]]] = {
    "no :method": without(":method"),
    "no :scheme": without(":scheme"),
    "no :path": without(":path"),
    "no :authority and no host": without(":authority"),
    "empty :path": swapped(":path", ""),
    "empty :method": swapped(":method", ""),
    "empty :authority": swapped(":authority", ""),
    "two :method": [(":method", "POST"), *BASE],
    "two :authority": [*BASE, (":authority", "gw.test")],
    "an unknown pseudo-field": [*BASE, (":verb", "GET")],
    "a pseudo-field of answers": [*BASE, (":status", "200")],
    "a pseudo-field behind fields": [*without(":path"), ("x", "1"), (":path", "/x")],
    "space in :method": swapped(":method", "GET /"),
    "request line in :method": swapped(":method", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET"),
    "CR LF in :authority": swapped(":authority", "gw.test\r\nx: y"),
    "space in :path": swapped(":path", "/x y"),
    "version in :path": swapped(":path", "/x HTTP/1.1"),
    "LF in a value": [*BASE, ("x", "a\nb: c")],
    "CR in a value": [*BASE, ("x", "a\rb")],
    "space before a value": [*BASE, ("x", " a")],
    "colon in a name": [*BASE, ("x:y", "a")],
    "space in a name": [*BASE, ("x y", "a")],
    "CR LF in a name": [*BASE, ("x\r\ny", "a")],
    "upper-case name": [*BASE, ("X-Auth-Subject", "root")],
    "connection": [*BASE, ("connection", "x-auth-subject")],
    "keep-alive": [*BASE, ("keep-alive", "timeout=5")],
    "proxy-connection": [*BASE, ("proxy-connection", "close")],
    "transfer-encoding": [*BASE, ("transfer-encoding", "chunked")],
    "upgrade": [*BASE, ("upgrade", "websocket")],
    "te: gzip": [*BASE, ("te", "gzip")],
    "te: trailers, deflate": [*BASE, ("te", "trailers, deflate")],
    "another host": [*BASE, ("host", "evil.test")],
    "two hosts": [*without(":authority"), ("host", "gw.test"), ("host", "gw.test")],
    "content-length without content": [*BASE, ("content-length", "5")],
    "two content-lengths": [*BASE, ("content-length", "0"), ("content-length", "0")],
    "content-length with a sign": [*BASE, ("content-length", "+0")],
    "CONNECT": [(":method", "CONNECT"), (":authority", "gw.test:80")],
    "CONNECT with a path": swapped(":method", "CONNECT"),
    "extended CONNECT of something else": [*swapped(":method", "CONNECT"), (":protocol", "connect-udp")],
    ":protocol without CONNECT": [*BASE, (":protocol", "websocket")],
    "asterisk with GET": swapped(":path", "*"),
    "absolute :path": swapped(":path", "http://evil.test/"),
}


def judged(client: FrameClient, lines: list[tuple[str, str]], content: int | None = None) -> int | None:
    """The status of the answer, None for a stream or connection that was ended."""
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    flags = wire.END_HEADERS | (0 if content is not None else wire.END_STREAM)
    client.send(wire.headers(1, encoded, flags))
    if content is not None:
        client.send(wire.frame(wire.DATA, 1, bytes(content), wire.END_STREAM))
    return client.status(1)


def test_malformed_requests_reach_nobody(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, failure_budget="off"))
    for name, lines in MALFORMED.items():
        with FrameClient(running.port) as client:
            status = judged(client, lines)
            assert status is None or 400 <= status < 500 or status == 501, (name, status)
    assert not origin.connections, origin.requests
    with FrameClient(running.port) as client:
        assert judged(client, [*BASE, ("te", "trailers"), ("host", "GW.test")]) == 200


@pytest.mark.clients("h2", "h2-tls")
def test_plain_connect_is_answered_as_over_http_1(gateway: Start, upstream: Origin, protocol: ClientProtocol) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    connect = [(b":method", b"CONNECT"), (b":authority", b"evil.test:443")]
    with FrameClient(running.port, protocol) as client:
        client.send(wire.headers(1, connect), get(3))
        assert client.status(1) == 501 and client.status(3) == 200
    assert [entry["reason"] for entry in running.access_records(2) if entry["status"] == 501] == ["method_not_supported"]
    assert len(origin.requests) == 1


@pytest.mark.clients("h2-tls")
def test_what_must_never_become_http_1(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, failure_budget="off"))
    for case in vectors.load("downgrade.json")["cases"]:
        with FrameClient(running.port, PROTOCOLS["h2-tls"]) as client:
            status = judged(client, case["fields"], case["data_octets"])
            assert status is None or 400 <= status < 500, (case["id"], status)
    assert not [seen for seen in origin.requests if seen.complete]


def test_a_stream_error_leaves_the_other_streams(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    with FrameClient(running.port) as client:
        client.send(get(1, (b"connection", b"close")), get(3))
        found = client.until(wire.RST_STREAM, wire.GOAWAY)
        assert (found.kind, found.stream, found.code) == (wire.RST_STREAM, 1, wire.PROTOCOL_ERROR)
        assert client.status(3) == 200
    by_reason = {entry["reason"] for entry in running.access_records(2)}
    assert by_reason == {"stream_malformed", None}


@pytest.mark.parametrize("sent", [b"12345678901", b"1234"])
def test_content_that_is_not_as_long_as_announced(gateway: Start, upstream: Origin, sent: bytes) -> None:
    def script(connection: Connection) -> None:
        # Where the fault is found before the head left, there is none.
        if head := connection.read_head():
            connection.read_body(head)
            assert not head.complete

    running = gateway(policy(upstream(script).port))
    with FrameClient(running.port) as client:
        client.send(post(1, (b"content-length", b"10")), wire.frame(wire.DATA, 1, sent, wire.END_STREAM))
        found = client.until(wire.RST_STREAM, wire.HEADERS)
        assert found and found.kind == wire.RST_STREAM and found.code == wire.PROTOCOL_ERROR


BROKEN = {
    "content of no stream": wire.frame(wire.DATA, 1, b"x"),
    "content of the connection": wire.frame(wire.DATA, 0, b"x"),
    "window update of nothing": wire.window_update(0, 0),
    "push enabled with seven": wire.settings((2, 7)),
    "short PING": wire.frame(wire.PING, 0, b"short"),
    "push": wire.frame(wire.PUSH_PROMISE, 1, bytes(4)),
    "even stream": wire.frame(wire.HEADERS, 2, b"", wire.END_HEADERS),
    "CONTINUATION of nothing": wire.frame(wire.CONTINUATION, 1),
    "undecodable block": wire.frame(wire.HEADERS, 1, b"\xff" * 6, wire.END_HEADERS),
    "GOAWAY of a stream": wire.frame(wire.GOAWAY, 1, bytes(8)),
    "frame too large": b"\xff\xff\xff" + bytes(6),
}


@pytest.mark.parametrize("piece", BROKEN.values(), ids=BROKEN.keys())
def test_connection_errors_end_the_connection(gateway: Start, upstream: Origin, piece: bytes) -> None:
    running = gateway(policy(upstream().port))
    with FrameClient(running.port) as client:
        client.send(piece)
        ends = [found.code for found in client.rest() if found.kind == wire.GOAWAY]
        assert ends and ends[-1] not in (wire.NO_ERROR, wire.INTERNAL_ERROR)


def test_cookie_crumbs_are_one_cookie(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, routes=[open_route(request_headers={"set": {"X-Route": "{route}"}})]))
    with FrameClient(running.port) as client:
        client.send(get(1, (b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2"), (b"cookie", b"c=3; d=4")))
        assert client.status(1) == 200
    seen: Message = origin.requests[0]
    assert seen.value("cookie") == "a=1; b=2; c=3; d=4"


def test_more_streams_than_allowed_are_refused(gateway: Start, upstream: Origin) -> None:
    origin = upstream(lambda connection: connection.read_request() and connection.await_end())
    running = gateway(policy(origin.port, bounds={"http2": {"streams": 10}}))
    with FrameClient(running.port) as client:
        client.until(wire.SETTINGS)
        client.send(b"".join(get(stream) for stream in odd(12)), wire.frame(wire.SETTINGS, 0, b"", wire.ACK))
        refused = [client.until(wire.RST_STREAM) for _ in range(2)]
        assert {(found.stream, found.code) for found in refused} == {(21, wire.REFUSED_STREAM), (23, wire.REFUSED_STREAM)}
    until(lambda: all(connection.stream.ended for connection in origin.connections), what="the aborts")
