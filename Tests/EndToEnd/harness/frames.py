"""HTTP/2 written by hand, for what no library would send (RFC 9113 §4, RFC 7541 §6)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import hpack

from .protocols import PROTOCOLS, ClientProtocol, dial

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
#: Codes of RFC 9113 §7.
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR = range(7)
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(7, 12)

Lines = Iterable[tuple[bytes, bytes]]


def frame(kind: int, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def number(value: int, bits: int, first: int = 0) -> bytes:
    """An integer of RFC 7541 §5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def literal(name: bytes, value: bytes, kept: bool = False) -> bytes:
    """A field spelled out; `kept` puts it into the peer's table."""
    return (b"\x40" if kept else b"\x00") + number(len(name), 7) + name + number(len(value), 7) + value


def block(lines: Lines) -> bytes:
    return b"".join(literal(name, value) for name, value in lines)


def request_lines(method: bytes = b"GET", path: bytes = b"/", *more: tuple[bytes, bytes], scheme: bytes = b"http") -> list:
    return [(b":method", method), (b":scheme", scheme), (b":path", path), (b":authority", b"gw.test"), *more]


def headers(stream: int, lines: Lines, flags: int = END_HEADERS | END_STREAM) -> bytes:
    return frame(HEADERS, stream, block(lines), flags)


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, stream, struct.pack(">I", code))


def window_update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, stream, struct.pack(">I", increment))


def settings(*entries: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, b"".join(struct.pack(">HI", name, value) for name, value in entries))


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of RST_STREAM and GOAWAY."""
        return struct.unpack(">I", self.payload[:4] if self.kind == RST_STREAM else self.payload[4:8])[0]


class FrameClient:
    """A connection on which anything may be sent. Frames are read only when asked for."""

    def __init__(self, port: int, protocol: ClientProtocol = PROTOCOLS["h2"], start: bytes = PREFACE + settings()) -> None:
        self.sock = dial(port, protocol)
        self.buffer = b""
        self.ended = False
        self.decoder = hpack.Decoder()
        self.send(start)

    def __enter__(self) -> FrameClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, *pieces: bytes) -> bool:
        """False when the gateway takes no more."""
        try:
            self.sock.sendall(b"".join(pieces))
        except OSError:
            return False
        return True

    def read(self) -> Frame | None:
        """The next frame; None at the end. A timeout passes."""
        while not self.ended:
            if len(self.buffer) >= 9:
                size = int.from_bytes(self.buffer[:3], "big")
                if len(self.buffer) >= 9 + size:
                    kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
                    payload, self.buffer = self.buffer[9 : 9 + size], self.buffer[9 + size :]
                    return Frame(kind, flags, stream, payload)
            try:
                piece = self.sock.recv(65536)
            except TimeoutError:
                raise
            except OSError:
                piece = b""
            self.ended = not piece
            self.buffer += piece
        return None

    def until(self, *kinds: int, stream: int | None = None) -> Frame | None:
        """The next frame of one of these kinds; None at the end."""
        while found := self.read():
            if found.kind in kinds and stream in (None, found.stream):
                return found
        return None

    def rest(self) -> list[Frame]:
        """All frames until the gateway closes."""
        return list(iter(self.read, None))

    def status(self, stream: int) -> int | None:
        """Of the answer on this stream; None when it is reset, or the connection ends, instead."""
        found = self.until(HEADERS, RST_STREAM, GOAWAY)
        while found and found.kind == HEADERS:
            lines = dict(self.decoder.decode(found.payload, raw=True))
            if found.stream == stream:
                return int(lines[b":status"])
            found = self.until(HEADERS, RST_STREAM, GOAWAY)
        return None
