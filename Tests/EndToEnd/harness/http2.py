"""A client of HTTP/2 by hyper-h2: strict about what it gets, free in what it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from .messages import Message
from .protocols import IO_SECONDS, PROTOCOLS, ClientProtocol, dial, end_sending, send_reset

WINDOW = 1 << 20


class StreamReset(Exception):
    """The gateway reset the stream, or ended the connection, before a head of an answer."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"reset with {code}")
        self.code = code


def split_field(line: str) -> tuple[bytes, bytes]:
    name, _, value = line.partition(":")
    return name.strip().lower().encode("latin-1"), value.strip(" \t").encode("latin-1")


class HTTP2Client:
    """One connection. Everything happens within its calls: `pump` reads until something is so."""

    def __init__(
        self,
        port: int,
        protocol: ClientProtocol = PROTOCOLS["h2"],
        source: str | None = None,
        receive_buffer: int | None = None,
        window: int = WINDOW,
        half_closes: bool = False,
    ) -> None:
        self.protocol = protocol
        self.sock = dial(port, protocol, source, receive_buffer, half_closes)
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.machine = h2.connection.H2Connection(config)
        codes = h2.settings.SettingCodes
        terms = {codes.INITIAL_WINDOW_SIZE: window, codes.ENABLE_PUSH: 0}
        self.machine.local_settings = h2.settings.Settings(client=True, initial_values=terms)
        # The library takes GOAWAY for the end; RFC 9113 §6.8 lets open streams finish.
        states, inputs = h2.connection.ConnectionState, h2.connection.ConnectionInputs
        going_on = {(states.CLIENT_OPEN, inputs.RECV_GOAWAY): (None, states.CLIENT_OPEN)}
        self.machine.state_machine._transitions = self.machine.state_machine._transitions | going_on
        self.machine.initiate_connection()
        self.machine.increment_flow_control_window(16 * WINDOW)
        self.calls: dict[int, HTTP2Call] = {}
        self.has_settings = False
        self.acknowledged = 0
        self.pongs = 0
        #: The code and last stream of the GOAWAY frames that came.
        self.goodbyes: list[tuple[int, int]] = []
        self.ended = False
        self.flush()

    def __enter__(self) -> HTTP2Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def flush(self) -> None:
        """What cannot be sent any more is dropped: why not is what is read next."""
        if piece := self.machine.data_to_send():
            try:
                self.sock.sendall(piece)
            except OSError:
                pass

    def fill(self) -> bool:
        """Reads once and sorts what came; False at the end. A timeout passes."""
        if self.ended:
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
        for event in self.machine.receive_data(piece):
            self.take(event)
        self.flush()
        return True

    def take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RemoteSettingsChanged():
                self.has_settings = True
            case h2.events.SettingsAcknowledged():
                self.acknowledged += 1
            case h2.events.PingAckReceived():
                self.pongs += 1
            case h2.events.ConnectionTerminated():
                self.goodbyes.append((int(event.error_code), event.last_stream_id))
            case _:
                if call := self.calls.get(getattr(event, "stream_id", None) or 0):
                    call.take(event)

    def pump(self, true: Callable[[], object]) -> bool:
        """Reads until it is so, or the connection ends."""
        while not true():
            if not self.fill():
                return bool(true())
        return True

    def is_closed(self, seconds: float = IO_SECONDS) -> bool:
        """Whether the gateway closes within the time."""
        self.sock.settimeout(seconds)
        try:
            return not self.pump(lambda: False)
        except TimeoutError:
            return False
        finally:
            self.sock.settimeout(IO_SECONDS)

    def open(
        self,
        method: str = "GET",
        target: str = "/",
        fields: Iterable[str] = (),
        host: str | None = "gw.test",
        length: int | None = None,
        ends: bool = True,
    ) -> HTTP2Call:
        """Sends the head of a request; `ends` says that no content follows."""
        head = [(b":method", method.encode()), (b":scheme", b"https" if self.protocol.is_tls else b"http")]
        if host is not None:
            head.append((b":authority", host.encode("latin-1")))
        head.append((b":path", target.encode("latin-1")))
        head += [split_field(line) for line in fields]
        if length is not None:
            head.append((b"content-length", str(length).encode()))
        return self.open_with(head, ends)

    def open_with(self, head: list[tuple[bytes, bytes]], ends: bool = True) -> HTTP2Call:
        """Sends a header block of any kind."""
        self.pump(lambda: self.has_settings)
        number = self.machine.get_next_available_stream_id()
        call = HTTP2Call(self, number)
        self.calls[number] = call
        self.machine.send_headers(number, head, end_stream=ends)
        self.flush()
        return call

    def ask(self, target: str = "/", fields: Iterable[str] = (), method: str = "GET", body: bytes = b"") -> Message:
        call = self.open(method, target, fields, length=len(body) if body else None, ends=not body)
        return (call.end(body) if body else call).response()


class HTTP2Call:
    """One request and its answer."""

    def __init__(self, client: HTTP2Client, number: int) -> None:
        self.client = client
        self.number = number
        self.informational: list[Message] = []
        self.answer: Message | None = None
        self.reset_code: int | None = None
        #: False stops giving windows back, as a client that does not take the answer.
        self.takes = True

    def __enter__(self) -> HTTP2Call:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.sock.close()

    def take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.InformationalResponseReceived():
                self.informational.append(message_of(event.headers))
            case h2.events.ResponseReceived():
                self.answer = message_of(event.headers)
                self.answer.informational = self.informational
            case h2.events.DataReceived():
                assert self.answer
                self.answer.body += event.data
                if self.takes and event.flow_controlled_length:
                    self.client.machine.acknowledge_received_data(event.flow_controlled_length, self.number)
            case h2.events.TrailersReceived():
                assert self.answer
                self.answer.trailers = message_of(event.headers).fields
            case h2.events.StreamEnded():
                assert self.answer
                self.answer.complete = True
            case h2.events.StreamReset():
                self.reset_code = int(event.error_code)

    @property
    def is_over(self) -> bool:
        return self.reset_code is not None or self.answer is not None and self.answer.complete

    def send(self, piece: bytes) -> HTTP2Call:
        """Content, as the windows allow; what the gateway will not have is dropped."""
        machine = self.client.machine
        rest = memoryview(piece)
        while rest and self.reset_code is None:
            room = min(machine.local_flow_control_window(self.number), machine.max_outbound_frame_size, len(rest))
            if room <= 0:
                if not self.client.fill():
                    break
                continue
            machine.send_data(self.number, rest[:room])
            rest = rest[room:]
            self.client.flush()
        return self

    def end(self, piece: bytes = b"", trailers: Iterable[str] = ()) -> HTTP2Call:
        self.send(piece)
        if self.reset_code is None:
            try:
                if lines := [split_field(line) for line in trailers]:
                    self.client.machine.send_headers(self.number, lines, end_stream=True)
                else:
                    self.client.machine.end_stream(self.number)
            except h2.exceptions.StreamClosedError:
                pass
        self.client.flush()
        return self

    def read_head(self) -> Message:
        """The next head that was not read yet, 1xx ones included."""
        seen = getattr(self, "heads_read", 0)
        self.heads_read = seen + 1

        def heads() -> list[Message]:
            return self.informational + ([self.answer] if self.answer else [])

        self.client.pump(lambda: len(heads()) > seen or self.reset_code is not None)
        if len(heads()) <= seen:
            raise StreamReset(self.reset_code)
        return heads()[seen]

    def response(self) -> Message:
        """The final answer, as far as it came."""
        self.client.pump(lambda: self.is_over)
        if self.answer is None:
            raise StreamReset(self.reset_code)
        return self.answer

    def half_close(self) -> None:
        """Ends the sending side of the connection."""
        end_sending(self.client.sock)

    def is_closed(self) -> bool:
        return self.client.is_closed()

    def leave(self) -> None:
        """Cancels the request."""
        self.client.machine.reset_stream(self.number, h2.errors.ErrorCodes.CANCEL)
        self.client.flush()

    def crash(self) -> None:
        send_reset(self.client.sock)


def message_of(block: Iterable[tuple[bytes, bytes]]) -> Message:
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in block]
    status = next((value for name, value in fields if name == ":status"), "")
    return Message(f"HTTP/2 {status} ", [line for line in fields if line[0][0] != ":"], b"")
