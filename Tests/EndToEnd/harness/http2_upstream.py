"""A scripted HTTP/2 server, in clear by prior knowledge or over TLS by ALPN. The protocol is hyper-h2's."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes

from .secure_socket import SecureSocket
from .server import Server, cut

Pairs = list[tuple[str, str]]


@dataclass
class Request:
    connection: Connection
    stream: int
    fields: Pairs
    body: bytearray = field(default_factory=bytearray)
    trailers: Pairs = field(default_factory=list)
    ended: bool = False
    reset: int | None = None
    has_content: bool = False

    def value(self, name: str) -> str | None:
        found = [value for other, value in self.fields if other == name]
        assert len(found) <= 1, f"{name} stands {len(found)} times"
        return found[0] if found else None

    @property
    def path(self) -> str:
        return self.value(":path") or ""

    def head(self, status: int = 200, *fields: tuple[str, str], ends: bool = False) -> None:
        self.connection.send_head(self.stream, [(":status", str(status)), *fields], ends)

    def send(self, content: bytes, trailers: Pairs | None = None, ends: bool = True) -> None:
        """Content as the gateway's windows let it go; then trailers, or the end."""
        self.connection.send_content(self.stream, content, trailers, ends)

    def answer(self, content: bytes = b"hello", status: int = 200, *fields: tuple[str, str]) -> None:
        self.head(status, *fields)
        self.send(content)

    def cancel(self, code: ErrorCodes = ErrorCodes.REFUSED_STREAM) -> None:
        self.connection.cancel(self.stream, code)


class Connection:
    """One connection of the gateway. Its methods may be called from any thread."""

    def __init__(self, upstream: HTTP2Upstream, sock: socket.socket, number: int) -> None:
        self.upstream = upstream
        self.sock = sock
        self.number = number
        self.requests: dict[int, Request] = {}
        self.waiting: dict[int, tuple[bytearray, Pairs | None, bool]] = {}
        self.pings = 0
        self.ended = False
        self.is_cut = False
        #: False: content is read but its window not given back.
        self.takes_content = True
        #: What the connection's window has beyond the least.
        self.window = 0
        self.lock = threading.RLock()
        #: Told when content was written.
        self.room = threading.Condition(self.lock)
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        self.secured: SecureSocket | None = None

    def secure(self, context: ssl.SSLContext) -> None:
        self.secured = SecureSocket(self.sock, context)

    def begin(self) -> None:
        with self.lock:
            self.h2.local_settings = type(self.h2.local_settings)(
                client=False, initial_values=self.upstream.settings | {SettingCodes.ENABLE_PUSH: 0}
            )
            self.h2.initiate_connection()
            if self.window:
                self.h2.increment_flow_control_window(self.window)
            self.flush()

    def flush(self) -> None:
        if piece := self.h2.data_to_send():
            self.write(piece)

    def write(self, piece: bytes) -> None:
        (self.secured or self.sock).sendall(piece)

    @contextlib.contextmanager
    def leaving_allowed(self) -> Iterator[None]:
        """The gateway may have reset the stream or ended the connection in what was read together with the request."""
        try:
            yield
        except StreamClosedError:
            pass
        except ProtocolError:
            if self.h2.state_machine.state is not ConnectionState.CLOSED:
                raise

    def send_head(self, stream: int, fields: Pairs, ends: bool) -> None:
        with self.lock, self.leaving_allowed():
            self.h2.send_headers(stream, fields, end_stream=ends)
            self.flush()

    def send_content(self, stream: int, content: bytes, trailers: Pairs | None, ends: bool) -> None:
        with self.lock:
            queued, _, _ = self.waiting.get(stream, (bytearray(), None, False))
            queued += content
            self.waiting[stream] = (queued, trailers, ends)
            self.pump()

    def pump(self) -> None:
        """Writes what the windows allow."""
        for stream, (queued, trailers, ends) in list(self.waiting.items()):
            try:
                while queued and (room := min(self.h2.local_flow_control_window(stream), 16_384)) > 0:
                    self.h2.send_data(stream, bytes(queued[:room]))
                    del queued[:room]
                if not queued:
                    del self.waiting[stream]
                    if trailers:
                        self.h2.send_headers(stream, trailers, end_stream=True)
                    elif ends:
                        self.h2.end_stream(stream)
            except ProtocolError:
                self.waiting.pop(stream, None)
        self.flush()
        self.room.notify_all()

    def acknowledge(self, stream: int, count: int) -> None:
        """Gives back the window of content that was taken."""
        with self.lock, contextlib.suppress(StreamClosedError):
            self.h2.acknowledge_received_data(count, stream)
            self.flush()

    def cancel(self, stream: int, code: ErrorCodes) -> None:
        with self.lock, self.leaving_allowed():
            self.h2.reset_stream(stream, code)
            self.flush()

    def leave(self, last: int) -> None:
        """GOAWAY: streams above `last` were not looked at."""
        with self.lock:
            # hyper-h2 would take nothing more after a GOAWAY of its own.
            self.write(b"\0\0\x08\x07\0\0\0\0\0" + last.to_bytes(4, "big") + bytes(4))

    def cut(self) -> None:
        """Ends the connection below TLS; its own thread sees the end and closes it. Any thread may call it."""
        self.is_cut = True
        cut(self.sock)

    close = cut

    def run(self) -> None:
        self.begin()
        # It may have come together with the end of the handshake.
        piece = self.secured.take(b"") if self.secured else b""
        while True:
            with self.lock:
                for event in self.h2.receive_data(piece):
                    self.take(event)
                self.pump()
            piece = self.sock.recv(65_536)
            if not piece or self.is_cut:
                return
            if self.secured:
                # Written to by any thread meanwhile, which TLS bears only under the lock.
                with self.lock:
                    piece = self.secured.take(piece)

    def take(self, event: Event) -> None:
        request = self.requests.get(getattr(event, "stream_id", 0) or 0)
        if isinstance(event, RequestReceived):
            request = Request(self, event.stream_id, list(event.headers), has_content=event.stream_ended is None)
            self.requests[event.stream_id] = request
            self.upstream.note(request)
            self.upstream.on_head(request)
        elif isinstance(event, DataReceived) and request:
            request.body += event.data
            if self.takes_content:
                self.acknowledge(event.stream_id, event.flow_controlled_length)
            self.upstream.on_content(request, event.data)
        elif isinstance(event, TrailersReceived) and request:
            request.trailers = list(event.headers)
        elif isinstance(event, StreamEnded) and request:
            request.ended = True
            self.upstream.on_request(request)
        elif isinstance(event, StreamReset) and request:
            request.reset = int(event.error_code)
            self.waiting.pop(request.stream, None)
            self.room.notify_all()
            self.upstream.on_reset(request)
        elif isinstance(event, PingReceived):
            self.pings += 1
        elif not isinstance(event, (WindowUpdated, RemoteSettingsChanged)):
            return
        self.upstream.changed()


class HTTP2Upstream(Server):
    """Answers each whole request with 200 unless told otherwise."""

    connections: list[Connection]

    def __init__(
        self,
        on_request: Callable[[Request], object] = lambda request: request.answer(),
        on_head: Callable[[Request], object] = lambda request: None,
        on_content: Callable[[Request, bytes], object] = lambda request, content: None,
        tls: ssl.SSLContext | None = None,
        settings: dict[SettingCodes, int] | None = None,
    ) -> None:
        self.on_request = on_request
        self.on_head = on_head
        self.on_content = on_content
        self.on_reset: Callable[[Request], object] = lambda request: None
        self.tls = tls
        self.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 128} | (settings or {})
        super().__init__()

    def open(self, sock: socket.socket) -> Connection:
        connection = Connection(self, sock, len(self.connections))
        if not self.tls:
            self.opened(connection)
        return connection

    def opened(self, connection: Connection) -> None:
        self.connections.append(connection)

    def serve(self, connection: Connection) -> None:
        try:
            if self.tls:
                connection.secure(self.tls)
                self.opened(connection)
            connection.run()
        except OSError:
            pass  # the gateway went away
        except (ProtocolError, AssertionError) as fault:
            self.faults.append(f"{type(fault).__name__}: {fault}")
        finally:
            # Another thread that writes fails first, and then gives the lock back.
            connection.cut()
            with connection.room:
                connection.ended = True
                connection.room.notify_all()
                connection.sock.close()
            self.changed()
