"""A client that sends the bytes it is told and reads answers strictly."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable

from .http2 import HTTP2Call, HTTP2Client
from .messages import Message, Stream, read_head, response_body
from .protocols import HTTP1, IO_SECONDS, dial, end_sending, operators, send_reset, spoken


class RawClient:
    """Speaks TLS where the port does."""

    def __init__(
        self, port: int, source: str | None = None, receive_buffer: int | None = None, half_closes: bool = True
    ) -> None:
        protocol = spoken.get(port, HTTP1)
        assert not protocol.is_http2, "a test of HTTP/1.1 bytes runs over HTTP/2"
        self.sock = dial(port, protocol, source, receive_buffer, half_closes)
        self.stream = Stream(self.sock)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, piece: bytes | str) -> RawClient:
        self.sock.sendall(piece.encode("latin-1") if isinstance(piece, str) else piece)
        return self

    def half_close(self) -> None:
        end_sending(self.sock)

    def reset(self) -> None:
        send_reset(self.sock)

    def read_head(self) -> Message | None:
        """The next head, 1xx ones included."""
        return read_head(self.stream)

    def response(self, method: str = "GET") -> Message:
        """The next final response with its body."""
        informational = []
        while (message := self.read_head()) is not None and 100 <= message.status < 200 and message.status != 101:
            informational.append(message)
        assert message is not None, "the connection closed before an answer"
        message.informational = informational
        for piece in response_body(self.stream, message, method):
            message.body += piece
        return message

    def is_closed(self, seconds: float = IO_SECONDS) -> bool:
        """Whether the gateway closes within the time without sending another byte."""
        self.sock.settimeout(seconds)
        try:
            return not self.stream.buffer and not self.stream.fill()
        except TimeoutError:
            return False
        finally:
            self.sock.settimeout(IO_SECONDS)

    def read_all(self) -> bytes:
        while self.stream.fill():
            pass
        return bytes(self.stream.raw)


def request(
    method: str = "GET", target: str = "/", fields: Iterable[str] = (), body: bytes = b"", host: str = "gw.test"
) -> bytes:
    """The bytes of a request; Content-Length is added where there is a body."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class HTTP1Call:
    """One request on a connection of its own and its answer: what `HTTP2Call` is in HTTP/2."""

    def __init__(self, client: RawClient, method: str, has_chunks: bool) -> None:
        self.client = client
        self.method = method
        self.has_chunks = has_chunks

    def __enter__(self) -> HTTP1Call:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.sock.close()

    def write(self, piece: bytes) -> None:
        try:
            self.client.send(piece)
        except OSError:
            pass  # why the gateway takes no more is what is read next

    def send(self, piece: bytes) -> HTTP1Call:
        """Content; what the gateway will not have is dropped."""
        if piece:
            self.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.has_chunks else piece)
        return self

    def end(self, piece: bytes = b"", trailers: Iterable[str] = ()) -> HTTP1Call:
        self.send(piece)
        if self.has_chunks:
            self.write(b"0\r\n" + b"".join(line.encode("latin-1") + b"\r\n" for line in trailers) + b"\r\n")
        return self

    def read_head(self) -> Message:
        """The next head that was not read yet, 1xx ones included."""
        head = self.client.read_head()
        assert head is not None, "the connection closed before an answer"
        return head

    def response(self) -> Message:
        return self.client.response(self.method)

    def half_close(self) -> None:
        self.client.half_close()

    def is_closed(self) -> bool:
        return self.client.is_closed()

    def leave(self) -> None:
        self.client.reset()

    crash = leave


Call = HTTP1Call | HTTP2Call


def call(
    port: int,
    method: str = "GET",
    target: str = "/",
    fields: Iterable[str] = (),
    length: int | None = None,
    ends: bool = True,
    source: str | None = None,
    host: str | None = None,
    receive_buffer: int | None = None,
    half_closes: bool = False,
) -> Call:
    """Sends the head of a request in whatever the port speaks, on a connection of its own. Where content follows it is of
    unknown length unless `length` says it."""
    protocol = spoken.get(port, HTTP1)
    host = host or ("127.0.0.1" if port in operators else "gw.test")
    if protocol.is_http2:
        window = receive_buffer or 1 << 20
        client = HTTP2Client(port, protocol, source, receive_buffer, window, half_closes)
        return client.open(method, target, fields, host, length, ends)
    lines = list(fields)
    if not ends:
        lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    raw = RawClient(port, source, receive_buffer, half_closes)
    raw.send(request(method, target, lines, host=host))
    return HTTP1Call(raw, method, has_chunks=not ends and length is None)


def ask(
    port: int,
    target: str = "/",
    fields: Iterable[str] = (),
    method: str = "GET",
    body: bytes = b"",
    source: str | None = None,
    host: str | None = None,
) -> Message:
    """One request on a connection of its own, in whatever the port speaks."""
    with call(port, method, target, fields, len(body) if body else None, not body, source, host) as asked:
        return (asked.end(body) if body else asked).response()


def problem(answer: Message) -> dict:
    """The problem document of a refusal, checked against its status."""
    assert answer.value("content-type") == "application/problem+json", answer.fields
    document = json.loads(answer.body)
    assert document["status"] == answer.status
    return document


def reason(answer: Message) -> str:
    return problem(answer)["reason"]
