"""Peers that do by chance, but from a seed, what no program means to: mutated bytes, frames in any order, values at the edges, and
connections that end at any moment. What is held against the gateway is that it ends, that a sanitizer complains, or that
something of a connection remains."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random

import hpack

from .frames import ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE
from .frames import RST_STREAM, SETTINGS, WINDOW_UPDATE, Lines, frame
from .gateway import Gateway
from .protocols import client_context
from .server import Server, cut
from .waiting import until

#: Clients at once.
WORKERS = 8
#: The seconds that one run may take, in quick and in slow tests.
QUICK_SECONDS, SLOW_SECONDS = 4.0, 25.0
#: Until nothing of a run is left: streams and tunnels of peers that are gone end by then.
SETTLE_SECONDS = 30
#: The gauges that fall to nothing when all peers are gone, and what they may still say.
LEFT_BEHIND = {"portcullis_connections_open": 1, "portcullis_tunnels_open": 0, "portcullis_requests_in_flight": 0}
#: What a build with checks writes before it ends the program.
COMPLAINTS = ("AddressSanitizer", "ThreadSanitizer", "Fatal error", "Fatal access conflict", "overlapping accesses")

Act = Callable[[Random], str]


def run(running: Gateway, seed: int, act: Act, seconds: float, meanwhile: Act | None = None) -> Counter[str]:
    """Lets `WORKERS` threads act until the time is over or the gateway has ended. `act` returns what it did; peers that are gone
    are no fault. `meanwhile` acts in a thread of its own. Each thread draws from its own seed."""
    deadline = time.monotonic() + seconds
    done: Counter[str] = Counter()
    faults: list[Exception] = []

    def work(name: str, one: Act) -> None:
        draw = Random(f"{seed}/{name}")
        while time.monotonic() < deadline and running.is_alive() and not faults:
            try:
                done[one(draw)] += 1
            except OSError as gone:
                done[type(gone).__name__] += 1
            except Exception as fault:
                faults.append(fault)

    threads = [threading.Thread(target=work, args=(str(number), act)) for number in range(WORKERS)]
    if meanwhile:
        threads.append(threading.Thread(target=work, args=("meanwhile", meanwhile)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    assert sum(done.values()) >= WORKERS, done
    return done


def check_unharmed(running: Gateway, seed: int) -> None:
    """The gateway runs, holds nothing of peers that are gone, ends when it is asked, and no check of its build complained."""
    said = f"seed {seed}: {running.lines[-30:]}"
    assert running.is_alive(), said
    until(lambda: not left_behind(running), SETTLE_SECONDS, f"the end of what is left after seed {seed}")
    assert running.stop(timeout=20) == 0, said
    assert not [line for line in running.lines if any(words in line for words in COMPLAINTS)], said


def left_behind(running: Gateway) -> dict[str, float]:
    # The connection that asks may be counted.
    return {name: count for name, most in LEFT_BEHIND.items() if (count := running.metric(name)) > most}


def mutated(draw: Random, piece: bytes, most: int) -> bytes:
    """The bytes with up to `most` changes: other bytes, bytes that separate, doubled and missing pieces."""
    made = bytearray(piece)
    for _ in range(draw.randint(0, most)):
        at = draw.randrange(len(made) + 1)
        match draw.randrange(6):
            case 0 if made:
                made[at - 1] = draw.randrange(256)
            case 1:
                made[at:at] = bytes([draw.choice(b"\0\t\n\r :,%/;\x7f\x80\xff")])
            case 2:
                del made[at : at + draw.randint(1, 6)]
            case 3:
                made[at:at] = made[max(0, at - 30) : at]
            case 4:
                made[at:at] = draw.choice([b"\r\n", b"\r\n\r\n", b": ", b"Connection: ", b"a" * 3000, b"Content-Length: 5\r\n"])
            case _ if draw.random() < 0.3:
                del made[at:]
    return bytes(made)


def dial(draw: Random, port: int, alpn: str | None = None) -> socket.socket:
    """A connection with TLS where `alpn` says what to speak in it; some handshakes are nonsense or left alone."""
    sock = socket.create_connection(("127.0.0.1", port), 3)
    if alpn is None:
        return sock
    if draw.random() < 0.1:
        with sock:
            sock.sendall(draw.choice([b"\x16\x03\x01\x02\x00\x01", draw.randbytes(300), b"GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01"]))
            time.sleep(draw.choice([0, 0.05]))
        raise ConnectionAbortedError
    return client_context(alpn).wrap_socket(sock, server_hostname="localhost")


def read_a_while(draw: Random, sock: socket.socket) -> None:
    sock.settimeout(draw.choice([0.01, 0.05, 0.2]))
    end = time.monotonic() + draw.choice([0, 0.02, 0.1, 0.4])
    while time.monotonic() < end:
        try:
            if not sock.recv(draw.choice([1, 100, 65_536])):
                return
        except TimeoutError:
            pass


def leave(draw: Random, sock: socket.socket) -> None:
    """Ends a connection in one of the ways there are."""
    match draw.randrange(3):
        case 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case 1 if not isinstance(sock, ssl.SSLSocket):
            sock.shutdown(socket.SHUT_WR)
            time.sleep(draw.choice([0, 0.02]))
    sock.close()


def send_in_pieces(draw: Random, sock: socket.socket, piece: bytes) -> None:
    at = draw.randint(0, len(piece)) if draw.random() < 0.3 else 0
    sock.sendall(piece[:at])
    if at:
        time.sleep(0.002)
    sock.sendall(piece[at:])


def any_frames(draw: Random, blocks: list[bytes], count: int = 25) -> bytes:
    """Frames of all types, known and unknown, on streams that may be open."""
    out, stream = frame(SETTINGS), 1
    for _ in range(draw.randint(1, count)):
        last = max(1, stream - 2)
        kind = draw.choice([DATA, HEADERS, HEADERS, HEADERS, 2, RST_STREAM, SETTINGS, 5, PING, GOAWAY, WINDOW_UPDATE,
                            CONTINUATION, 10, 16, draw.randrange(256)])  # fmt: skip
        match kind:
            case _ if kind == HEADERS:
                flags = draw.choice([END_HEADERS, END_HEADERS | END_STREAM, END_HEADERS | END_STREAM, 0, 0x2C, 0x0C])
                out += frame(HEADERS, stream, mutated(draw, draw.choice(blocks), draw.choice([0, 0, 2])), flags)
                stream = max(1, stream + draw.choice([2, 2, 2, 0, -2, 1]))
            case _ if kind == DATA:
                flags = draw.choice([0, END_STREAM, PADDED, PADDED | END_STREAM])
                out += frame(DATA, last, draw.randbytes(draw.choice([0, 1, 10, 3000])), flags)
            case _ if kind == SETTINGS:
                values = (draw.choice([0, 1, 16_384, 65_535, 0x7FFFFFFF, 0xFFFFFFFF]) for _ in range(draw.randint(0, 6)))
                out += frame(SETTINGS, 0, b"".join(struct.pack(">HI", draw.randint(0, 9), it) for it in values), draw.choice([0, 0, ACK]))
            case _ if kind == WINDOW_UPDATE:
                out += frame(WINDOW_UPDATE, draw.choice([0, last]), struct.pack(">I", draw.choice([0, 1, 70_000, 0x7FFFFFFF])))
            case _ if kind == RST_STREAM:
                out += frame(RST_STREAM, last, struct.pack(">I", draw.choice([0, 7, 8, 0xFFFFFFFF])))
            case _ if kind == PING:
                out += frame(PING, 0, b"12345678", draw.choice([0, ACK]))
            case _ if kind == GOAWAY:
                out += frame(GOAWAY, 0, struct.pack(">II", draw.choice([0, 1, 0x7FFFFFFF]), draw.choice([0, 1, 99])))
            case _:
                out += frame(kind, draw.choice([0, stream]), draw.randbytes(draw.choice([0, 4, 5, 6, 40])), draw.randrange(256))
    return out


def requests_of(draw: Random, heads: Callable[[Random], tuple[Lines, bool]], count: int = 30) -> bytes:
    """Well-formed requests on streams of one connection, of which some are cancelled, get windows, or go on."""
    encoder = hpack.Encoder()
    out = PREFACE + frame(SETTINGS, 0, struct.pack(">HI", 4, draw.choice([0, 1, 1000, 65_535])))
    for number in range(draw.randint(1, count)):
        stream = 1 + 2 * number
        lines, is_tunnel = heads(draw)
        ends = 0 if is_tunnel else draw.choice([0, END_STREAM])
        out += frame(HEADERS, stream, encoder.encode(list(lines)), END_HEADERS | ends)
        if not ends:
            content = draw.choice([b"{}", draw.randbytes(draw.choice([0, 10, 3000]))])
            out += frame(DATA, stream, content, 0 if is_tunnel else draw.choice([0, END_STREAM]))
        if draw.random() < 0.25:
            out += frame(RST_STREAM, draw.choice([stream, max(1, stream - 4)]), struct.pack(">I", draw.choice([0, 8, 7])))
        if draw.random() < 0.1:
            out += frame(WINDOW_UPDATE, draw.choice([0, stream]), struct.pack(">I", draw.choice([1, 70_000])))
    return out + (frame(GOAWAY, 0, bytes(8)) if draw.random() < 0.1 else b"")


class ChaosConnection:
    def __init__(self, sock: socket.socket, draw: Random) -> None:
        self.sock = sock
        self.draw = draw

    def cut(self) -> None:
        cut(self.sock)


class ChaosUpstream(Server):
    """A server that `behave`s by chance on each connection, which is over when that returns."""

    def __init__(self, seed: int, behave: Callable[[Random, socket.socket], None]) -> None:
        self.seed = seed
        self.behave = behave
        super().__init__()

    def open(self, sock: socket.socket) -> ChaosConnection:
        sock.settimeout(2)
        connection = ChaosConnection(sock, random.Random(f"{self.seed}/{len(self.connections)}"))
        self.connections.append(connection)
        return connection

    def serve(self, connection: ChaosConnection) -> None:
        try:
            self.behave(connection.draw, connection.sock)
            leave(connection.draw, connection.sock)
        except (OSError, ssl.SSLError):
            connection.sock.close()
