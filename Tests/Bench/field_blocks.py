#!/usr/bin/env python3
"""What a field block of HTTP/2 costs the gateway: bytes sent against processor time, for every kind of block.

Each kind is sent on connections of its own, by clients and by an upstream. Needs the modules of Tests/EndToEnd.
Usage: PORTCULLIS=path field_blocks.py [connections]
"""

from __future__ import annotations

import glob
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "EndToEnd"))

from harness import frames as wire  # noqa: E402

GATEWAY = os.environ.get("PORTCULLIS", ".build/release/portcullis")
#: Bytes of every block: one whole frame.
BLOCK = 16_384
LONG = 3900
STATUS = wire.literal(b":status", b"200")


def upto(count: int, start: bytes, piece: bytes) -> bytes:
    return start + piece * max(0, (count - len(start)) // len(piece))


def entry(name: bytes, value: bytes) -> bytes:
    return wire.literal(name, value, kept=True)


HEAD = wire.block(wire.request_lines(b"POST"))
GET = wire.block(wire.request_lines())
LITERALS = b"".join(wire.literal(b"x-%03d" % number, b"v" * 150) for number in range(80))
MANY = b"".join(wire.literal(b"x-%04d" % number, b"v" * 150) for number in range(102))


def references(first: bytes) -> bytes:
    return upto(BLOCK, first, b"\xbe")


BOMBS = {
    "references to a valid field": entry(b"x", b"v" * LONG),
    "references to a field with an invalid name": entry(b"x" * LONG + b" ", b""),
    "references to a field with an invalid value": entry(b"x", b"v" * LONG + b"\0"),
    "references to a field with an upper-case name": entry(b"x" * LONG + b"X", b""),
    "references to an empty field": entry(b"a", b""),
}


def head_frame(stream: int, block: bytes, flags: int = wire.END_HEADERS | wire.END_STREAM) -> bytes:
    return wire.frame(wire.HEADERS, stream, block, flags)


def trailing(block: bytes) -> bytes:
    return head_frame(1, HEAD, wire.END_HEADERS) + wire.frame(wire.DATA, 1, b"x") + head_frame(1, block)


def in_frames(stream: int, block: bytes) -> bytes:
    """The block in as many frames as it needs."""
    parts = [block[start : start + BLOCK] for start in range(0, len(block), BLOCK)]
    out = wire.frame(wire.HEADERS, stream, parts[0], wire.END_STREAM | (wire.END_HEADERS if len(parts) == 1 else 0))
    for number, part in enumerate(parts[1:], 2):
        out += wire.frame(wire.CONTINUATION, stream, part, wire.END_HEADERS if number == len(parts) else 0)
    return out


def requests() -> dict[str, bytes]:
    """What a client sends behind the preface."""
    found = {
        "a small request": head_frame(1, GET),
        "valid literals of 12 KiB (forwarded)": head_frame(1, GET + LITERALS),
        "valid literals of 16 KiB (431: too many fields)": head_frame(1, GET + MANY),
        "valid literals of 147 KB (431)": in_frames(1, upto(9 * BLOCK, GET, wire.literal(b"x-many", b"v" * 150))),
        "cookie crumbs": head_frame(1, upto(BLOCK, GET, wire.literal(b"cookie", b"a=b"))),
        "tiny literals into the table": head_frame(1, upto(BLOCK, GET, b"\x40\x01a\x00")),
        "indexed names into the table": head_frame(1, upto(BLOCK, GET, b"\x7e\x00")),
        "Huffman": head_frame(1, GET + b"\x00\x01a" + wire.number(14_000, 7, 0x80) + b"\x18\xc6\x31\x8c\x63" * 2800),
        "changes of the table's size": head_frame(1, b"\x20" * (BLOCK - len(GET)) + GET),
        "147 KB of changes of the table's size": in_frames(1, b"\x20" * (9 * BLOCK - len(GET)) + GET),
        "a static field over and over": head_frame(1, upto(BLOCK, GET, b"\x90")),
    }
    for name, first in BOMBS.items():
        found[name] = head_frame(1, references(GET + first))
        found[name + ", 147 KB"] = in_frames(1, upto(9 * BLOCK, GET + first, b"\xbe"))
        found["trailers: " + name] = trailing(references(first))
        found["second head: " + name] = head_frame(1, HEAD, wire.END_HEADERS) + head_frame(1, references(first), wire.END_HEADERS)
    ignored = b"\x82" * BLOCK
    found["ended: a stream used before"] = head_frame(1, GET) + wire.reset(1) + head_frame(1, ignored)
    found["128 requests that stay open, and a stream above them"] = b"".join(
        head_frame(2 * n + 1, HEAD, wire.END_HEADERS) for n in range(128)) + head_frame(257, ignored)
    found["PUSH_PROMISE of a client"] = wire.frame(wire.PUSH_PROMISE, 1, struct.pack(">I", 2) + ignored[:-4], wire.END_HEADERS)
    reset = head_frame(1, GET + wire.literal(b"te", b"gzip"), wire.END_HEADERS)
    found["ignored: trailers of a stream that we reset"] = reset + head_frame(1, ignored)
    return found


def answers() -> dict[str, bytes]:
    """What an upstream sends for its first stream."""
    plain = head_frame(1, STATUS, wire.END_HEADERS) + wire.frame(wire.DATA, 1, b"x")
    found = {
        "answer: small": head_frame(1, STATUS),
        "answer: valid literals of 12 KiB": head_frame(1, STATUS + LITERALS),
    }
    for name, first in BOMBS.items():
        found["answer: " + name] = head_frame(1, references(STATUS + first))
        found["answer's trailers: " + name] = plain + head_frame(1, references(first))
        found["interim answer: " + name] = head_frame(1, references(wire.literal(b":status", b"103") + first), wire.END_HEADERS)
    return found


class Origin(threading.Thread):
    """Answers each connection's first request with `answer`, as HTTP/2 or HTTP/1."""

    def __init__(self, speaks_http2: bool) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.speaks_http2 = speaks_http2
        self.answer = b""
        self.start()

    def run(self) -> None:
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                if not self.speaks_http2:
                    while sock.recv(65_536):
                        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    return
                sock.recv(65_536)
                sock.sendall(wire.settings() + wire.frame(wire.SETTINGS, 0, b"", wire.ACK) + self.answer)
                sock.settimeout(2)
                while sock.recv(65_536):
                    pass
            except OSError:
                pass


def spent(pid: int) -> int:
    """Nanoseconds of processor time of all threads."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            total += int(Path(path).read_text().split()[0])
        except OSError:
            pass
    return total


def settled(pid: int) -> int:
    """The time spent, once it grows no more."""
    before = spent(pid)
    for _ in range(100):
        time.sleep(0.02)
        now = spent(pid)
        if now - before < 30_000:
            return now
        before = now
    return before


def measure(pid: int, count: int, once: Callable[[], None]) -> float:
    """Microseconds of one round."""
    start = settled(pid)
    for _ in range(count):
        once()
    return (settled(pid) - start) / count / 1000


def client(port: int, piece: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.settimeout(0.03)
        try:
            sock.sendall(wire.PREFACE + wire.settings() + piece)
            while sock.recv(65_536):
                pass
        except OSError:
            pass


def sustained(pid: int, port: int, piece: Callable[[int], bytes], seconds: float = 4) -> tuple[float, float, float]:
    """One connection that sends blocks as fast as it may: megabytes sent, percent of a core in that time, seconds it lived."""
    start, before, sent, stream = time.monotonic(), settled(pid), 0, 1
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.settimeout(0.5)
        try:
            sock.sendall(wire.PREFACE + wire.settings())
            while time.monotonic() - start < seconds:
                block = piece(stream)
                sock.sendall(block)
                sent, stream = sent + len(block), stream + 2
                sock.setblocking(False)
                try:
                    while sock.recv(65_536):
                        pass
                    break
                except BlockingIOError:
                    pass
                sock.settimeout(0.5)
        except OSError:
            pass
    lived = time.monotonic() - start
    return sent / 1e6, (settled(pid) - before) / 1e9, lived


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    plain, strange = Origin(False), Origin(True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        route = {"authenticate": "none"}
        (Path(folder) / "gateway.json").write_text(json.dumps({
            "listeners": [{"address": f"127.0.0.1:{port}"}], "loops": 1, "access_log": "off",
            "upstreams": {
                "plain": {"servers": [f"http://127.0.0.1:{plain.port}"]},
                "strange": {"servers": [f"h2c://127.0.0.1:{strange.port}"]},
            },
            "routes": [
                {"name": "u", "match": {"path": "/u"}, "upstream": "strange"} | route,
                {"name": "r", "match": {"path": "/**"}, "upstream": "plain"} | route,
            ],
        }))
        process = subprocess.Popen([GATEWAY, "serve"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.02)
            report(process.pid, port, strange, count)
        finally:
            process.terminate()
            process.wait()


def report(pid: int, port: int, strange: Origin, count: int) -> None:
    print("| what is sent on a connection of its own | bytes | CPU, µs | × valid literals of that length |")
    print("|---|--:|--:|--:|")
    measure(pid, count, lambda: client(port, head_frame(1, GET)))
    bare = measure(pid, count, lambda: client(port, b""))
    print(f"| nothing but the preface and SETTINGS | 0 | {bare:.0f} | |")
    base: dict[bool, float] = {}
    for name, piece in requests().items():
        cost = measure(pid, count, lambda piece=piece: client(port, piece))
        is_long = len(piece) > 2 * BLOCK
        if name.startswith("valid literals of 1"):
            base[is_long] = max(base.get(is_long, 0), cost)
        ratio = f"{cost / base[is_long]:.1f}" if is_long in base else ""
        print(f"| {name} | {len(piece):,} | {cost:.0f} | {ratio} |", flush=True)
    asking = head_frame(1, wire.block(wire.request_lines(path=b"/u")))
    of_answers = 0.0
    for name, piece in answers().items():
        strange.answer = piece
        cost = measure(pid, count, lambda: client(port, asking))
        if name.endswith("12 KiB"):
            of_answers = cost
        ratio = f"{cost / of_answers:.1f}" if of_answers else ""
        print(f"| {name} | {len(piece):,} | {cost:.0f} | {ratio} |", flush=True)
    print("\n| one connection, as fast as it may | MB sent | CPU in all, ms | cut after, s |")
    print("|---|--:|--:|--:|")
    bomb = BOMBS["references to a field with an invalid name"]
    floods = {
        "heads refused, 60 references each": lambda stream: head_frame(stream, GET + bomb + b"\xbe" * 60),
        "trailers refused, 60 references each": lambda stream: head_frame(stream, HEAD, wire.END_HEADERS)
        + head_frame(stream, bomb + b"\xbe" * 60),
        "heads malformed and small": lambda stream: head_frame(stream, GET + wire.literal(b"a b", b"c")),
        "heads of 12 KiB with an upper-case name": lambda stream: head_frame(stream, GET + wire.literal(b"A", b"b") + LITERALS),
    }
    for name, piece in floods.items():
        sent, cpu, lived = sustained(pid, port, piece)
        print(f"| {name} | {sent:.2f} | {cpu * 1000:.0f} | {lived:.2f} |", flush=True)
    print("\n| one connection, just below what cuts it | blocks a second | percent of a core |")
    print("|---|--:|--:|")
    # 660 points a second are forgiven: a head of 60 references is 26 for what its bound covers and 10, and 100 above.
    for name, piece, rate in (
        ("heads refused, 60 references each", floods["heads refused, 60 references each"], 4.6),
        ("heads malformed and small", floods["heads malformed and small"], 65),
    ):
        percent = paced(pid, port, piece, rate)
        print(f"| {name} | {rate} | {percent:.2f} |", flush=True)


def paced(pid: int, port: int, piece: Callable[[int], bytes], rate: float, seconds: float = 8) -> float:
    """Percent of a core that one connection takes which sends `rate` blocks a second; it must live to the end."""
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(wire.PREFACE + wire.settings())
        before, start, stream = settled(pid), time.monotonic(), 1
        while (elapsed := time.monotonic() - start) < seconds:
            sock.sendall(piece(stream))
            stream += 2
            time.sleep(max(0, stream // 2 / rate - elapsed))
        used, elapsed = settled(pid) - before, time.monotonic() - start
        sock.sendall(wire.frame(wire.PING, 0, b"12345678"))
        sock.settimeout(2)
        received = b""
        while b"12345678" not in received:
            piece_read = sock.recv(65_536)
            if not piece_read:
                raise SystemExit("the connection was cut")
            received += piece_read
    return used / elapsed / 1e7


if __name__ == "__main__":
    main()
