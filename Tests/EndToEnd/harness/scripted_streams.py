"""Scripts written for HTTP/1.1 as HTTP/2 servers: each stream is a connection of its own that carries one request."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections import deque

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from .http2_upstream import Connection as HTTP2Connection
from .http2_upstream import HTTP2Upstream, Request
from .messages import Message, parse_fields
from .server import IO_SECONDS, join
from .upstream import Connection, Script, Upstream, answering, ok

#: What is written of an answer and not yet let go by the gateway's windows, before a script has to wait.
QUEUE_BYTES = 65_536
CONNECTION_WINDOW = 1 << 24
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}


class AnswerWriter:
    """Takes the bytes of an HTTP/1.1 answer and sends it on a stream."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.buffer = bytearray()
        self.step = self.read_head
        self.remaining = 0
        self.is_done = False

    def feed(self, piece: bytes) -> None:
        self.buffer += piece
        while not self.is_done and self.step():
            pass

    def line(self) -> bytes | None:
        at = self.buffer.find(b"\r\n")
        if at < 0:
            return None
        line = bytes(self.buffer[:at])
        del self.buffer[: at + 2]
        return line

    def read_head(self) -> bool:
        at = self.buffer.find(b"\r\n\r\n")
        if at < 0:
            return False
        start, *lines = bytes(self.buffer[:at]).split(b"\r\n")
        del self.buffer[: at + 4]
        head = Message(start.decode("latin-1"), parse_fields(lines), b"")
        hops = HOP_BY_HOP | {name.strip().lower() for value in head.values("connection") for name in value.split(",")}
        fields = [(name.lower(), value) for name, value in head.fields if name.lower() not in hops]
        if head.status < 200:
            self.request.head(head.status, *fields)
            return True
        length = head.value("content-length")
        is_empty = self.request.value(":method") == "HEAD" or head.status in (204, 304) or length == "0"
        self.request.head(head.status, *fields, ends=is_empty)
        if is_empty:
            self.is_done = True
        elif head.value("transfer-encoding"):
            self.step = self.read_chunk_size
        elif length is not None:
            self.remaining, self.step = int(length), self.read_counted
        else:
            self.step = self.read_to_the_end
        return True

    def send(self, ends: bool = False) -> bool:
        """Sends what `remaining` allows of the buffer."""
        piece = bytes(self.buffer[: self.remaining])
        del self.buffer[: self.remaining]
        self.remaining -= len(piece)
        ends = ends and self.remaining == 0
        if piece or ends:
            self.request.send(piece, ends=ends)
            self.is_done = ends
        return bool(piece)

    def read_counted(self) -> bool:
        return self.send(ends=True)

    def read_to_the_end(self) -> bool:
        self.remaining = len(self.buffer)
        return self.send()

    def read_chunk_size(self) -> bool:
        line = self.line()
        if line is None:
            return False
        self.remaining = int(line.partition(b";")[0], 16)
        self.step = self.read_chunk if self.remaining else self.read_trailers
        return True

    def read_chunk(self) -> bool:
        if self.remaining:
            return self.send()
        if self.line() is None:
            return False
        self.step = self.read_chunk_size
        return True

    def read_trailers(self) -> bool:
        if self.buffer[:2] != b"\r\n" and b"\r\n\r\n" not in self.buffer:
            return False
        lines = bytes(self.buffer).split(b"\r\n\r\n")[0].split(b"\r\n")
        trailers = [(name.lower(), value) for name, value in parse_fields([line for line in lines if line])]
        self.request.send(b"", trailers, ends=True)
        self.is_done = True
        return True

    def finish(self) -> None:
        """The script sends no more."""
        if self.is_done or self.request.reset is not None:
            return
        self.is_done = True
        with contextlib.suppress(OSError, ProtocolError):
            if self.step == self.read_to_the_end:
                self.request.send(b"", ends=True)
            else:
                self.request.cancel(ErrorCodes.INTERNAL_ERROR)


class StreamSocket:
    """A stream as the socket of a server of HTTP/1.1 over which one request comes."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.connection = request.connection
        self.answer = AnswerWriter(request)
        self.timeout: float | None = IO_SECONDS
        self.condition = threading.Condition()
        self.pieces: deque[tuple[bytes, int]] = deque()
        self.is_whole = False
        self.is_over = False
        self.is_closed = False
        fields = [(name, value) for name, value in request.fields if not name.startswith(":")]
        lines = [f"{request.value(':method')} {request.path} HTTP/1.1"]
        if authority := request.value(":authority"):
            lines.append(f"host: {authority}")
        lines += [f"{name}: {value}" for name, value in fields]
        self.is_chunked = request.has_content and request.value("content-length") is None
        if self.is_chunked:
            lines.append("transfer-encoding: chunked")
        self.put("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    # What the stream says.

    def put(self, piece: bytes, window: int = 0) -> None:
        with self.condition:
            self.pieces.append((piece, window))
            self.condition.notify_all()

    def put_content(self, content: bytes) -> None:
        with self.condition:
            is_closed = self.is_closed
            if content and not is_closed:
                self.put(b"%x\r\n%s\r\n" % (len(content), content) if self.is_chunked else content, len(content))
        if is_closed:
            self.connection.acknowledge(self.request.stream, len(content))

    def put_end(self) -> None:
        if self.is_chunked:
            lines = [f"{name}: {value}\r\n" for name, value in self.request.trailers]
            self.put(b"0\r\n" + "".join(lines).encode("latin-1") + b"\r\n")
        self.is_whole = True
        self.settle()

    def put_over(self) -> None:
        """Nothing more comes."""
        with self.condition:
            self.is_over = True
            self.condition.notify_all()

    def settle(self) -> None:
        if self.is_whole and self.answer.is_done:
            self.put_over()

    # What a script does with its socket.

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = seconds

    def setsockopt(self, *option: int | bytes) -> None:
        """Whether the end is a reset makes no difference."""

    def recv(self, count: int) -> bytes:
        with self.condition:
            if not self.condition.wait_for(lambda: self.pieces or self.is_over, self.timeout):
                raise TimeoutError
            if not self.pieces:
                return b""
            piece, window = self.pieces.popleft()
            if len(piece) > count:
                self.pieces.appendleft((piece[count:], window))
                return piece[:count]
        if window:
            self.connection.acknowledge(self.request.stream, window)
        return piece

    def sendall(self, piece: bytes) -> None:
        try:
            with self.connection.room:
                self.answer.feed(piece)
                self.settle()
                if not self.connection.room.wait_for(self.has_room, IO_SECONDS):
                    raise TimeoutError
        except ProtocolError as fault:
            raise BrokenPipeError from fault
        if (self.request.reset is not None and not self.answer.is_done) or self.connection.ended:
            raise BrokenPipeError

    def has_room(self) -> bool:
        queued = self.connection.waiting.get(self.request.stream)
        return queued is None or len(queued[0]) < QUEUE_BYTES or self.connection.ended

    def shutdown(self, how: int) -> None:
        self.close()

    def cut(self) -> None:
        """The script sees the end of the request; that of the connection breaks what it writes."""
        self.put_over()

    def close(self) -> None:
        with self.connection.room:
            self.answer.finish()
        with self.condition:
            self.is_closed = True
            left = sum(window for _, window in self.pieces)
            self.pieces.clear()
        # What is not read any more must not keep the windows of others shut.
        if left:
            self.connection.acknowledge(self.request.stream, left)


class StreamUpstream(HTTP2Upstream):
    """What `Upstream` is, for HTTP/2 in clear or over TLS. `connections` has one for each request."""

    connections: list[Connection]
    requests: list[Message]
    raw = Upstream.raw
    run = Upstream.run

    def __init__(self, script: Script | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.script = script or answering(lambda request: ok())
        self.carriers: list[HTTP2Connection] = []
        self.sockets: dict[tuple[HTTP2Connection, int], StreamSocket] = {}
        self.scripts: list[threading.Thread] = []
        super().__init__(on_request=self.whole, on_head=self.begin, on_content=self.more, tls=tls)
        self.on_reset = lambda request: self.socket(request).put_over()

    def opened(self, connection: HTTP2Connection) -> None:
        connection.takes_content = False
        connection.window = CONNECTION_WINDOW
        self.carriers.append(connection)

    def note(self, request: Request | Message) -> None:
        """A request counts when the script reads its head."""
        if isinstance(request, Message):
            super().note(request)

    def socket(self, request: Request) -> StreamSocket:
        return self.sockets[request.connection, request.stream]

    def begin(self, request: Request) -> None:
        sock = StreamSocket(request)
        self.sockets[request.connection, request.stream] = sock
        connection = Connection(self, sock, len(self.connections))
        self.connections.append(connection)
        script = threading.Thread(target=self.run, args=(connection,), daemon=True)
        self.scripts.append(script)
        script.start()

    def more(self, request: Request, content: bytes) -> None:
        self.socket(request).put_content(content)

    def whole(self, request: Request) -> None:
        self.socket(request).put_end()

    def serve(self, connection: HTTP2Connection) -> None:
        super().serve(connection)
        for (carrier, _), sock in list(self.sockets.items()):
            if carrier is connection:
                sock.put_over()

    def stop(self) -> None:
        """Scripts see the end once the connections that carry their streams have ended."""
        super().stop()
        join(self.scripts)
