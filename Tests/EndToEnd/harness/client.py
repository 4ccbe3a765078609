"""A client that sends the bytes it is told and reads answers strictly."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterable

from .messages import Message, Stream, read_head, response_body

IO_SECONDS = 10


class RawClient:
    def __init__(self, port: int, source: str | None = None, receive_buffer: int | None = None) -> None:
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.sock.bind((source, 0))
        self.sock.settimeout(IO_SECONDS)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = Stream(self.sock)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, piece: bytes | str) -> RawClient:
        self.sock.sendall(piece.encode("latin-1") if isinstance(piece, str) else piece)
        return self

    def half_close(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

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


def ask(
    port: int,
    target: str = "/",
    fields: Iterable[str] = (),
    method: str = "GET",
    body: bytes = b"",
    source: str | None = None,
    host: str = "gw.test",
) -> Message:
    """One request on a connection of its own."""
    with RawClient(port, source) as client:
        return client.send(request(method, target, fields, body, host)).response(method)


def problem(answer: Message) -> dict:
    """The problem document of a refusal, checked against its status."""
    assert answer.value("content-type") == "application/problem+json", answer.fields
    document = json.loads(answer.body)
    assert document["status"] == answer.status
    return document


def reason(answer: Message) -> str:
    return problem(answer)["reason"]
