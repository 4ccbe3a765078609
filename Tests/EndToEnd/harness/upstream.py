"""A scripted origin server that keeps every byte it was sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from .messages import Broken, Message, Stream, read_head, request_body
from .server import IO_SECONDS, Server, cut


class Connection:
    """One connection of the gateway to the upstream, in a thread of its own. All methods but `cut` are that thread's."""

    def __init__(self, upstream: Upstream, sock: socket.socket, number: int) -> None:
        self.upstream = upstream
        self.sock = sock
        self.number = number
        self.stream = Stream(sock)
        self.closed_by_peer = threading.Event()
        self.fault: Exception | None = None

    def secure(self, context: ssl.SSLContext) -> None:
        # The handshake comes after the assignment: `cut` has to reach a socket that waits in it.
        self.sock = self.stream.sock = context.wrap_socket(
            self.sock, server_side=True, suppress_ragged_eofs=False, do_handshake_on_connect=False
        )
        self.sock.do_handshake()

    def read_head(self) -> Message | None:
        message = read_head(self.stream)
        if message:
            message.connection = self.number
            self.upstream.note(message)
        return message

    def read_body(self, message: Message) -> bytes:
        for piece in request_body(self.stream, message):
            message.body += piece
        self.upstream.changed()
        return message.body

    def read_request(self) -> Message | None:
        message = self.read_head()
        if message:
            self.read_body(message)
        return message

    def send(self, piece: bytes) -> None:
        self.sock.sendall(piece)

    def await_end(self, seconds: float = IO_SECONDS) -> bool:
        """Whether the gateway closes (or resets) within the time; what it still sends is kept."""
        self.sock.settimeout(seconds)
        try:
            while self.stream.fill():
                pass
        except TimeoutError:
            return False
        self.closed_by_peer.set()
        self.upstream.changed()
        return True

    def end(self) -> None:
        """Closes; in TLS with a word that this is the end, so that what came before it is whole."""
        if isinstance(self.sock, ssl.SSLSocket) and not self.closed_by_peer.is_set():
            with contextlib.suppress(OSError, ValueError):
                self.sock.settimeout(0)
                self.sock.unwrap()
        self.close()

    def close(self) -> None:
        self.cut()
        self.sock.close()

    def cut(self) -> None:
        """Lets the script see the end of the connection. Any thread may call it."""
        self.stream.is_cut = True
        if isinstance(self.sock, socket.socket):
            cut(self.sock)
        else:
            self.sock.cut()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Connection], None]


def ok(body: bytes = b"hello", *lines: str) -> bytes:
    """A 200 with this body and these further field lines."""
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Content-Type: text/plain", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def answering(respond: Callable[[Message], bytes]) -> Script:
    """A script that answers each whole request on a kept connection."""

    def script(connection: Connection) -> None:
        while request := connection.read_request():
            answer = respond(request)
            if request.method == "HEAD":
                answer = answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            connection.send(answer)

    return script


class Upstream(Server):
    """A server of HTTP/1.1; with `tls` it speaks TLS."""

    connections: list[Connection]

    def __init__(self, script: Script | None = None, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        #: Handshakes that came to nothing.
        self.failed_handshakes: list[Exception] = []
        self.script = script or answering(lambda request: ok())
        super().__init__(port)

    @property
    def raw(self) -> bytes:
        """Everything that came, connection after connection."""
        return b"".join(bytes(connection.stream.raw) for connection in list(self.connections))

    def open(self, sock: socket.socket) -> Connection:
        connection = Connection(self, sock, len(self.connections))
        self.connections.append(connection)
        self.changed()
        return connection

    def serve(self, connection: Connection) -> None:
        if self.tls:
            try:
                connection.secure(self.tls)
            except OSError as fault:
                self.failed_handshakes.append(fault)
                connection.close()
                self.changed()
                return
        self.run(connection)

    def run(self, connection: Connection) -> None:
        """Carries out the script on a connection."""
        try:
            self.script(connection)
        except (OSError, ValueError) as fault:
            connection.fault = fault  # the gateway went away, or a script was cut off by the end of its test
        except (Broken, AssertionError) as fault:
            # What ended because the server stops says nothing about the gateway.
            if not (self.is_stopping and connection.stream.ended):
                self.faults.append(f"{type(fault).__name__}: {fault}")
        finally:
            if connection.stream.ended:
                connection.closed_by_peer.set()
            connection.end()
            self.changed()
