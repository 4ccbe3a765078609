"""Reading HTTP/1.1 off a socket, strictly and with the bytes kept: for scripted upstream and raw client alike."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

Fields = list[tuple[str, str]]


class Broken(Exception):
    """The peer sent something that is no HTTP/1.1, or ended where it may not."""


class Stream:
    """A socket with what was read and not yet used. `raw` keeps everything that ever came."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""
        self.raw = bytearray()
        self.ended = False
        #: Set by another thread: the next read finds the end. A peer that goes on sending would keep the script from it.
        self.is_cut = False

    def fill(self) -> bool:
        """Reads once; False at the end. A reset counts as an end, `socket.timeout` passes."""
        if self.ended or self.is_cut:
            self.ended = True
            return False
        try:
            piece = self.sock.recv(65536)
        except TimeoutError:
            raise
        except OSError:
            piece = b""
        if not piece:
            self.ended = True
            return False
        self.buffer += piece
        self.raw += piece
        return True

    def take(self, count: int) -> bytes:
        """Up to `count` bytes; fewer only at the end."""
        while len(self.buffer) < count and self.fill():
            pass
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def take_until(self, mark: bytes) -> bytes | None:
        """Bytes up to and with `mark`, None when the end comes first."""
        searched = 0
        while (at := self.buffer.find(mark, searched)) < 0:
            searched = max(0, len(self.buffer) - len(mark) + 1)
            if not self.fill():
                return None
        piece, self.buffer = self.buffer[: at + len(mark)], self.buffer[at + len(mark) :]
        return piece


@dataclass
class Message:
    """A request or a response as it stood on the wire."""

    start: str
    fields: Fields
    head: bytes
    body: bytes = b""
    trailers: Fields = field(default_factory=list)
    #: Whether the body ended as its framing says.
    complete: bool = False
    #: Requests: number of the connection it came on. Responses: 0.
    connection: int = 0
    #: Responses: the 1xx heads before it.
    informational: list[Message] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        return [value for other, value in self.fields if other.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        found = self.values(name)
        assert len(found) <= 1, f"{name} stands {len(found)} times"
        return found[0] if found else None

    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.fields}

    @property
    def method(self) -> str:
        return self.start.split(" ")[0]

    @property
    def target(self) -> str:
        return self.start.split(" ")[1]

    @property
    def version(self) -> str:
        return self.start.split(" ")[2]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])


def parse_fields(lines: list[bytes]) -> Fields:
    fields: Fields = []
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            raise Broken(f"obs-fold: {line!r}")
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip() or b"\r" in line or b"\0" in line:
            raise Broken(f"not a field line: {line!r}")
        fields.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return fields


def read_head(stream: Stream) -> Message | None:
    """The next head; None when the connection ended cleanly before its first byte."""
    head = stream.take_until(b"\r\n\r\n")
    if head is None:
        if stream.buffer:
            raise Broken(f"ended inside a head: {stream.buffer[:200]!r}")
        return None
    start, *lines = head[:-4].split(b"\r\n")
    if b"\n" in head.replace(b"\r\n", b""):
        raise Broken(f"bare LF: {head[:200]!r}")
    return Message(start.decode("latin-1"), parse_fields(lines), head)


def read_chunks(stream: Stream, message: Message) -> Iterator[bytes]:
    """Pieces of a chunked body; sets trailers and `complete` at its end."""
    while (line := stream.take_until(b"\r\n")) is not None:
        size = int(line[:-2].split(b";")[0], 16)
        if size == 0:
            lines = []
            while (line := stream.take_until(b"\r\n")) not in (None, b"\r\n"):
                lines.append(line[:-2])
            message.trailers = parse_fields(lines)
            message.complete = line is not None
            return
        piece = stream.take(size)
        yield piece
        if len(piece) < size:
            return
        if stream.take(2) != b"\r\n":
            if stream.ended:
                return
            raise Broken("chunk without its CRLF")


def read_counted(stream: Stream, message: Message, length: int) -> Iterator[bytes]:
    while length > 0:
        piece = stream.take(min(length, 65536))
        if not piece:
            return
        length -= len(piece)
        yield piece
    message.complete = True


def framing(message: Message) -> str | int:
    """ "chunked", a length, or "none"; refuses what must never leave a gateway."""
    codings = message.values("transfer-encoding")
    lengths = message.values("content-length")
    if codings and lengths:
        raise Broken("both Transfer-Encoding and Content-Length")
    if len(codings) > 1 or len(lengths) > 1:
        raise Broken("framing field doubled")
    if codings:
        if codings[0].lower() != "chunked":
            raise Broken(f"coding {codings[0]}")
        return "chunked"
    if lengths:
        if not lengths[0].isdigit():
            raise Broken(f"length {lengths[0]}")
        return int(lengths[0])
    return "none"


def request_body(stream: Stream, message: Message) -> Iterator[bytes]:
    kind = framing(message)
    if kind == "chunked":
        yield from read_chunks(stream, message)
    elif isinstance(kind, int):
        yield from read_counted(stream, message, kind)
    else:
        message.complete = True


def response_body(stream: Stream, message: Message, request_method: str) -> Iterator[bytes]:
    if request_method == "HEAD" or message.status in (204, 304) or message.status < 200:
        message.complete = True
        return
    kind = framing(message)
    if kind == "chunked":
        yield from read_chunks(stream, message)
    elif isinstance(kind, int):
        yield from read_counted(stream, message, kind)
    else:
        while stream.buffer or stream.fill():
            piece, stream.buffer = stream.buffer, b""
            yield piece
        message.complete = True
