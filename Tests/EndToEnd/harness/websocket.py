"""WebSocket by hand (RFC 6455): the handshake as text, frames as bytes, and an echo server of the `websockets` library."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from .messages import Stream
from .server import cut, join
from .upstream import Connection

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def accept_value(key: str) -> str:
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return base64.b64encode(digest).decode()


def upgrade(target: str = "/ws", fields: Iterable[str] = (), name: str = "websocket", host: str = "gw.test") -> bytes:
    """A request to change the protocol; a WebSocket's comes with its handshake."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", f"Upgrade: {name}", *fields]
    if name.lower() == "websocket":
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def switching(key: str | None = KEY, name: str = "websocket", fields: Iterable[str] = ()) -> bytes:
    """The answer that agrees."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {name}", *fields]
    if key is not None:
        lines.append(f"Sec-WebSocket-Accept: {accept_value(key)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def frame(opcode: int, payload: bytes = b"", masked: bool = False, fin: bool = True) -> bytes:
    mask = os.urandom(4) if masked else b""
    length, flag = len(payload), 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if length < 126:
        head += bytes([flag | length])
    elif length < 65_536:
        head += bytes([flag | 126]) + length.to_bytes(2)
    else:
        head += bytes([flag | 127]) + length.to_bytes(8)
    if masked:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return head + mask + payload


def read_frame(stream: Stream) -> tuple[int, bytes] | None:
    """The next frame, unmasked; None at the end of the stream. A frame that is cut fails."""
    head = stream.take(2)
    if not head:
        return None
    assert len(head) == 2, "the stream ended inside a frame"
    length = head[1] & 0x7F
    if length > 125:
        length = int.from_bytes(stream.take(2 if length == 126 else 8))
    mask = stream.take(4) if head[1] & 0x80 else b""
    payload = stream.take(length)
    assert len(payload) == length, "the stream ended inside a frame"
    if mask:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return head[0] & 0x0F, payload


def close_of(found: tuple[int, bytes] | None) -> tuple[int, str]:
    """Code and reason of a close frame."""
    assert found and found[0] == CLOSE, found
    return int.from_bytes(found[1][:2]), found[1][2:].decode()


def switch(connection: Connection, fields: Iterable[str] = (), behind: bytes = b"") -> bool:
    """Reads an upgrade request at a scripted upstream and agrees; `behind` goes in the same packet."""
    request = connection.read_head()
    if request is None:
        return False
    name = request.value("upgrade")
    assert name and request.value("connection") == "Upgrade", request.fields
    key = request.value("sec-websocket-key") if name.lower() == "websocket" else None
    connection.send(switching(key, name, fields) + behind)
    return True


def piping(connection: Connection) -> None:
    """A script that agrees to change the protocol and sends everything back, until the other side ends."""
    if not switch(connection):
        return
    connection.send(connection.stream.take(len(connection.stream.buffer)))
    while connection.stream.fill():
        connection.send(connection.stream.take(len(connection.stream.buffer)))


class EchoServer:
    """A WebSocket server of the `websockets` library that sends every message back."""

    def __init__(self, converse: Callable[[ServerConnection], None] | None = None) -> None:
        self.closes: list[tuple[int, str]] = []
        self.connections = 0
        #: The conversations that have not ended: their sockets and threads.
        self.open: dict[int, tuple[Any, threading.Thread]] = {}

        def echo(socket: ServerConnection) -> None:
            self.connections += 1
            self.open[id(socket)] = (socket.socket, threading.current_thread())
            try:
                if converse:
                    converse(socket)
                else:
                    for message in socket:
                        socket.send(message)
            except ConnectionClosed:
                pass
            finally:
                self.closes.append((socket.close_code, socket.close_reason))
                self.open.pop(id(socket), None)

        self.server: Server = serve(echo, "127.0.0.1", 0)
        self.port: int = self.server.socket.getsockname()[1]
        self.accepting = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.accepting.start()

    def stop(self) -> None:
        self.server.shutdown()
        join([self.accepting])
        for sock, _ in list(self.open.values()):
            cut(sock)
        join([thread for _, thread in list(self.open.values())])
