"""WebSockets of HTTP/2 clients (RFC 8441): extended CONNECT in, an HTTP/1.1 handshake out."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterable

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from harness.client import RawClient
from harness.gateway import Gateway
from harness.issuer import KeySetServer, SigningKey, jwt_authenticator, key_set
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.upstream import Connection, Upstream, answering, ok
from harness.waiting import until
from harness.websocket import BINARY, CLOSE, EchoServer, close_of, frame, piping, read_frame, switch, switching

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

MIB = 1 << 20

# To the library GOAWAY is the end of everything; to RFC 9113 6.8 streams that are open go on.
States, Inputs = h2.connection.ConnectionState, h2.connection.ConnectionInputs
h2.connection.H2ConnectionStateMachine._transitions[States.CLIENT_OPEN, Inputs.RECV_GOAWAY] = (None, States.CLIENT_OPEN)


class Tunnel:
    """One stream of a client's connection: reads like a socket's stream."""

    def __init__(self, client: Client, number: int) -> None:
        self.client = client
        self.number = number
        self.buffer = b""
        self.fields: dict[str, str] = {}
        self.ended = False
        self.reset: int | None = None

    @property
    def status(self) -> int:
        self.client.until(lambda: self.fields or self.reset is not None)
        assert self.fields, f"reset with {self.reset}"
        return int(self.fields[":status"])

    def take(self, count: int) -> bytes:
        self.client.until(lambda: len(self.buffer) >= count or self.ended or self.reset is not None)
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def send(self, piece: bytes, ends: bool = False) -> None:
        """Within the windows, which it waits for."""
        h2 = self.client.h2
        while piece:
            self.client.until(lambda: h2.local_flow_control_window(self.number) > 0)
            size = min(len(piece), h2.local_flow_control_window(self.number), h2.max_outbound_frame_size)
            h2.send_data(self.number, piece[:size])
            self.client.flush()
            piece = piece[size:]
        if ends:
            h2.end_stream(self.number)
            self.client.flush()

    def await_end(self) -> None:
        self.client.until(lambda: self.ended or self.reset is not None)


class Client:
    """A client that knows beforehand that HTTP/2 is spoken."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.tunnels: dict[int, Tunnel] = {}
        self.acknowledges = True
        self.closed = False
        self.flush()
        self.until(lambda: self.h2.remote_settings.max_concurrent_streams < 1 << 31)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def flush(self) -> None:
        self.sock.sendall(self.h2.data_to_send())

    def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            piece = self.sock.recv(65_536)
            assert piece, "the gateway closed the connection"
            for event in self.h2.receive_data(piece):
                self.take(event)
            self.flush()

    def take(self, event: h2.events.Event) -> None:
        tunnel = self.tunnels.get(getattr(event, "stream_id", 0) or 0)
        if tunnel is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            tunnel.fields = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h2.events.DataReceived):
            tunnel.buffer += event.data
            if self.acknowledges:
                self.h2.acknowledge_received_data(event.flow_controlled_length, tunnel.number)
        elif isinstance(event, h2.events.StreamEnded):
            tunnel.ended = True
        elif isinstance(event, h2.events.StreamReset):
            tunnel.reset = event.error_code

    def connect(self, fields: Iterable[tuple[str, str]] = (), path: str = "/ws", protocol: str = "websocket") -> Tunnel:
        number = self.h2.get_next_available_stream_id()
        pseudo = [
            (":method", "CONNECT"), (":protocol", protocol), (":scheme", "http"), (":authority", "gw.test"),
            (":path", path),
        ]
        self.tunnels[number] = Tunnel(self, number)
        self.h2.send_headers(number, [*pseudo, ("sec-websocket-version", "13"), *fields])
        self.flush()
        return self.tunnels[number]


def websockets(port: int, **members: object) -> Json:
    return policy(port, routes=[open_route(upgrade=["websocket"], **members)], loops=1)


def allows_connect(client: Client) -> bool:
    code = h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL
    return client.h2.remote_settings.get(code, 0) == 1


def test_extended_connect_is_offered_where_a_route_takes_websockets(gateway: Start, upstream: Origin) -> None:
    port = upstream(piping).port
    with Client(gateway(websockets(port)).port) as client:
        assert allows_connect(client)
    with Client(gateway(policy(port)).port) as client:
        assert not allows_connect(client)


def test_a_websocket_passes(gateway: Start, upstream: Origin) -> None:
    origin = upstream(piping)
    running = gateway(websockets(origin.port))
    with Client(running.port) as client:
        tunnel = client.connect([("sec-websocket-protocol", "chat"), ("sec-websocket-key", "bm90IHRoZSBrZXkgdXNlZA==")])
        assert tunnel.status == 200
        assert not {"upgrade", "connection", "sec-websocket-accept", "content-length"} & set(tunnel.fields)
        assert tunnel.fields["x-request-id"]
        sent = frame(BINARY, bytes(range(256)) * 400, masked=True)
        tunnel.send(sent)
        assert tunnel.take(len(sent)) == sent
        tunnel.send(b"", ends=True)
        tunnel.await_end()
        assert tunnel.reset is None
    seen = origin.requests[0]
    assert seen.start == "GET /ws HTTP/1.1" and seen.value("host") == "gw.test"
    assert len(base64.b64decode(seen.value("sec-websocket-key"))) == 16
    assert seen.value("sec-websocket-key") != "bm90IHRoZSBrZXkgdXNlZA=="
    assert seen.value("sec-websocket-version") == "13" and seen.value("sec-websocket-protocol") == "chat"
    record = next(record for record in running.access_records() if record["path"] == "/ws")
    assert (record["status"], record["reason"], record["version"]) == (200, None, "2")
    assert record["bytes_in"] == record["bytes_out"] == len(sent)


def test_keys_of_our_own_differ(gateway: Start, upstream: Origin) -> None:
    origin = upstream(piping)
    with Client(gateway(websockets(origin.port)).port) as client:
        assert [client.connect().status for _ in range(5)] == [200] * 5
    assert len({message.value("sec-websocket-key") for message in origin.requests}) == 5


def test_bytes_sent_ahead_of_the_answer_wait(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()

    def script(connection: Connection) -> None:
        request = connection.read_head()
        assert may_answer.wait(10)
        connection.send(switching(request.value("sec-websocket-key")) + b"welcome")
        connection.send(connection.stream.take(6))
        connection.await_end()

    origin = upstream(script)
    with Client(gateway(websockets(origin.port)).port) as client:
        tunnel = client.connect()
        tunnel.send(b"early!", ends=True)
        origin.wait_for(lambda: origin.requests)
        assert origin.raw.endswith(b"\r\n\r\n"), "content of the tunnel went ahead of the answer"
        may_answer.set()
        assert tunnel.status == 200
        assert tunnel.take(13) == b"welcomeearly!"
    until(lambda: origin.connections[0].stream.ended)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (ok(b"page"), 502),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 502),
        (switching(), 502),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 302),
    ],
)
def test_what_does_not_agree_opens_no_tunnel(gateway: Start, upstream: Origin, answer: bytes, status: int) -> None:
    """A 2xx would be taken for the tunnel, and its content for frames."""
    running = gateway(websockets(upstream(answering(lambda _: answer)).port))
    with Client(running.port) as client:
        tunnel = client.connect()
        tunnel.send(b"frames that have nowhere to go")
        assert tunnel.status == status
        tunnel.await_end()
        # Nothing of the stream stays behind.
        assert client.connect(path="/again").status == status


def test_a_route_that_takes_no_websockets_refuses(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    config = websockets(origin.port, match={"path": "/ws"})
    config["routes"].append(open_route(name="plain", match={"path": "/plain"}))
    config["routes"].append(open_route(name="named", match={"path": "/named"}, upgrade=["other"]))
    with Client(gateway(config).port) as client:
        for path in ["/plain", "/named"]:
            tunnel = client.connect(path=path)
            assert tunnel.status == 501
        assert client.connect(path="/nowhere").status == 404
        assert client.connect(protocol="connect-udp").status == 501
    assert not origin.requests


def test_a_websocket_needs_its_credential(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(keyed_policy(upstream(piping).port, records=[record], route={"upgrade": ["websocket"]}))
    with Client(running.port) as client:
        assert client.connect().status == 401
        assert client.connect([("x-api-key", secret)]).status == 200


def test_the_policy_closes_one_stream_and_not_its_neighbour(gateway: Start) -> None:
    origin = EchoServer()
    (first, gone), (second, kept) = api_key("gone"), api_key("kept")
    route = {"upgrade": ["websocket"]}
    running = gateway(keyed_policy(origin.port, records=[gone, kept], route=route))
    with Client(running.port) as client:
        leaving, staying = client.connect([("x-api-key", first)]), client.connect([("x-api-key", second)])
        assert leaving.status == staying.status == 200
        running.replace(keyed_policy(origin.port, records=[kept], route=route))
        assert close_of(read_frame(leaving)) == (1008, "credential_unknown")
        leaving.await_end()
        staying.send(frame(BINARY, b"on", masked=True))
        assert read_frame(staying) == (BINARY, b"on")
    reasons = {record["credential"]: record["reason"] for record in running.access_records(2)}
    assert reasons == {"gone": "credential_unknown", "kept": "client_left"}
    origin.stop()


def test_a_stream_closes_within_a_second_of_its_tokens_end(gateway: Start, key_set_server: Callable[..., KeySetServer]) -> None:
    origin, key = EchoServer(), SigningKey("ES256")
    config = policy(
        origin.port, loops=1, key_sets={"issuer": {"url": key_set_server(key_set(key)).url}},
        authenticators={"tokens": jwt_authenticator("ES256", leeway="0s")},
        routes=[open_route(authenticate=["tokens"], upgrade=["websocket"])],
    )
    end = int(time.time()) + 3
    with Client(gateway(config).port) as client:
        tunnel = client.connect([("authorization", f"Bearer {key.token(exp=end)}")])
        assert tunnel.status == 200
        assert close_of(read_frame(tunnel)) == (1008, "token_expired")
        assert 0 <= time.time() - end < 1
        tunnel.await_end()
    origin.stop()


@pytest.mark.parametrize(
    ("limit", "why"),
    [({"upgrade_idle_timeout": "500ms"}, "upgrade_idle_timeout"), ({"upgrade_lifetime": "1s"}, "upgrade_lifetime")],
)
def test_a_quiet_or_old_stream_is_closed_and_not_the_connection(gateway: Start, limit: Json, why: str) -> None:
    origin = EchoServer()
    with Client(gateway(websockets(origin.port, **limit)).port) as client:
        tunnel = client.connect()
        assert tunnel.status == 200
        assert close_of(read_frame(tunnel)) == (1001, why)
        tunnel.await_end()
        assert client.connect().status == 200
    origin.stop()


def test_a_drain_says_goodbye_on_every_stream(gateway: Start) -> None:
    origin = EchoServer()
    running = gateway(websockets(origin.port))
    with Client(running.port) as client:
        tunnels = [client.connect() for _ in range(3)]
        assert [tunnel.status for tunnel in tunnels] == [200] * 3
        running.signal(15)
        for tunnel in tunnels:
            assert close_of(read_frame(tunnel)) == (1001, "gateway_draining")
            tunnel.send(frame(CLOSE, b"\x03\xe9", masked=True), ends=True)
        for tunnel in tunnels:
            tunnel.await_end()
    assert running.process.wait(5) == 0
    assert {record["reason"] for record in running.access_records(3)} == {"gateway_draining"}
    origin.stop()


def test_a_slow_reader_stalls_its_stream_alone_and_memory_is_flat(gateway: Start, upstream: Origin) -> None:
    size, block = 32 * MIB, b"x" * 65_536
    sent = threading.Event()

    def script(connection: Connection) -> None:
        if connection.number > 0:
            return piping(connection)
        assert switch(connection)
        for _ in range(size // len(block)):
            connection.send(block)
        sent.set()
        connection.await_end()

    running = gateway(websockets(upstream(script).port))
    before = running.resident_bytes()
    with Client(running.port) as client, Client(running.port) as other:
        client.acknowledges = False
        slow = client.connect()
        assert slow.status == 200
        quick = other.connect()
        quick.send(b"quick")
        assert quick.take(5) == b"quick"
        assert not sent.wait(0.3), "the gateway swallowed the stream"
        assert running.resident_bytes() - before < 24 * MIB
        got = 0
        client.acknowledges = True
        client.h2.acknowledge_received_data(len(slow.buffer), slow.number)
        client.flush()
        while got < size:
            got += len(slow.take(min(65_536, size - got)))
        assert running.resident_bytes() - before < 24 * MIB


def test_tunnels_are_not_timed_out_like_requests(gateway: Start, upstream: Origin) -> None:
    running = gateway(websockets(upstream(piping).port) | {"bounds": {"body_timeout": "1s", "idle_timeout": "1s"}})
    with Client(running.port) as client, RawClient(running.port) as plain:
        tunnel = client.connect()
        assert tunnel.status == 200
        time.sleep(2.5)
        tunnel.send(b"still there")
        assert tunnel.take(11) == b"still there"
        assert plain.is_closed()
