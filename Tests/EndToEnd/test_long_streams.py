"""Answers that take long: silence one way, silence both ways, clients that leave without a word, and the time of a whole exchange."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures

import grpc
import pytest
from harness.client import RawClient, ask, call, reason, request
from harness.gateway import Gateway
from harness.policy import Json, open_route, policy
from harness.protocols import ALL, HTTP1_ONLY, UPSTREAMS, ClientProtocol
from harness.upstream import Connection, Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams(*UPSTREAMS, one=True)]

#: The clocks of content, short enough that a test outlasts them.
SHORT = {"body_timeout": "300ms"}
EVENT = b"9\r\ndata: 1\n\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + EVENT


def silent_stream(seconds: float) -> Callable[[Connection], None]:
    """An event, a pause, another event and the end."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(STREAM)
        if not connection.await_end(seconds):
            connection.send(EVENT + b"0\r\n\r\n")

    return script


def begun_stream(connection: Connection) -> None:
    connection.read_request()
    connection.send(STREAM)
    connection.await_end()


def test_a_silent_stream_outlasts_the_clocks_of_content(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream(silent_stream(1.5)).port, upstream=SHORT, bounds=SHORT))
    answer = ask(running.port)
    assert answer.complete and answer.body == b"data: 1\n\n" * 2


def test_the_server_alone_speaks_while_the_request_stays_open(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10):
            connection.send(b"2\r\nm\n\r\n")
            time.sleep(0.15)
        connection.send(b"0\r\n\r\n")

    running = gateway(policy(upstream(script).port, upstream=SHORT, bounds=SHORT))
    with call(running.port, "POST", ends=False) as asked:
        asked.send(b"go")
        answer = asked.response()
        assert answer.complete and answer.body == b"m\n" * 10


def test_the_client_alone_speaks_behind_a_begun_answer(gateway: Start, upstream: Origin) -> None:
    """What the client sends keeps the exchange: 1.5 s of content, with a bound of 0.7 s on silence."""

    def script(connection: Connection) -> None:
        message = connection.read_head()
        connection.send(STREAM)
        connection.read_body(message)
        connection.send(EVENT + b"0\r\n\r\n")

    origin = upstream(script)
    running = gateway(policy(origin.port, routes=[open_route(idle_timeout="700ms")], upstream=SHORT, bounds=SHORT))
    with call(running.port, "POST", ends=False) as asked:
        asked.send(b"go")
        asked.read_head()
        for _ in range(10):
            asked.send(b"x")
            time.sleep(0.15)
        asked.end()
        origin.wait_for(lambda: origin.requests and origin.requests[0].complete)
    assert running.access_records(1)[0]["bytes_in"] == 12


def test_silence_both_ways_ends_a_stream(gateway: Start, upstream: Origin) -> None:
    origin = upstream(begun_stream)
    running = gateway(policy(origin.port, routes=[open_route(idle_timeout="300ms")]))
    answer = ask(running.port)
    assert answer.status == 200 and answer.body == b"data: 1\n\n" and not answer.complete
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
    assert running.access_records(1)[0]["reason"] == "idle_timeout"


def test_a_default_ends_silent_streams_of_routes_that_say_nothing(gateway: Start, upstream: Origin) -> None:
    origin = upstream(begun_stream)
    config = policy(origin.port, defaults={"idle_timeout": "300ms"})
    assert not ask(gateway(config).port).complete


def test_off_keeps_a_silent_stream(gateway: Start, upstream: Origin) -> None:
    config = policy(
        upstream(silent_stream(1)).port, defaults={"idle_timeout": "300ms"}, routes=[
            open_route(idle_timeout="off"), open_route(name="other", match={"path": "/other"})])
    assert ask(gateway(config).port).complete


def test_a_whole_exchange_is_bounded_before_its_answer(gateway: Start, upstream: Origin) -> None:
    origin = upstream(lambda connection: connection.read_request() and connection.await_end())
    running = gateway(policy(origin.port, routes=[open_route(timeout="300ms")]))
    answer = ask(running.port)
    assert answer.status == 504 and reason(answer) == "route_timeout"
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
    assert running.access_records(1)[0]["reason"] == "route_timeout"


def test_a_whole_exchange_is_bounded_while_content_comes(gateway: Start, upstream: Origin) -> None:
    """A client that sends a byte now and then keeps every other clock from passing."""
    origin = upstream()
    running = gateway(policy(origin.port, routes=[open_route(timeout="600ms")]))
    with call(running.port, "POST", ends=False) as asked:
        for _ in range(8):
            asked.send(b"x")
            time.sleep(0.1)
        assert asked.response().status == 504


def test_a_whole_exchange_is_bounded_while_its_answer_flows(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(STREAM)
        while not connection.await_end(0.05):
            connection.send(EVENT)

    running = gateway(policy(upstream(script).port, routes=[open_route(timeout="500ms")]))
    answer = ask(running.port)
    assert answer.status == 200 and answer.body and not answer.complete
    assert running.access_records(1)[0]["reason"] == "route_timeout_cut"


@pytest.mark.clients(*HTTP1_ONLY)
def test_an_exchange_in_time_is_not_touched_by_its_route_s_timeout(gateway: Start, upstream: Origin) -> None:
    with RawClient(gateway(policy(upstream().port, routes=[open_route(timeout="300ms")])).port) as client:
        for _ in range(3):
            assert client.send(request()).response().body == b"hello"
            time.sleep(0.2)


@pytest.mark.parametrize("how", ["close", "half-close"])
def test_a_client_that_leaves_a_silent_stream(
    gateway: Start, upstream: Origin, protocol: ClientProtocol, how: str
) -> None:
    """At once over TLS and HTTP/2; within half_close_timeout in plaintext, where the end may be a half-close."""
    origin = upstream(begun_stream)
    may_be_half = not protocol.is_tls and not protocol.is_http2
    running = gateway(policy(origin.port, bounds={"half_close_timeout": "400ms" if may_be_half else "60s"}))
    with call(running.port, half_closes=True) as asked:
        asked.read_head()
        if how == "close":
            asked.client.sock.close()
        else:
            with contextlib.suppress(OSError):  # the gateway may be gone before the socket itself is shut
                asked.half_close()
        origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set(), 5)
    assert running.access_records(1)[0]["reason"] in ("client_left", "client_timed_out")


@pytest.mark.clients("h1")
def test_a_half_closed_client_is_sent_an_answer_that_goes_on(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(0.2)
            connection.send(b"x")

    running = gateway(policy(upstream(script).port, bounds={"half_close_timeout": "1s"}))
    with RawClient(running.port) as client:
        client.send(request())
        client.read_head()
        client.half_close()
        assert client.stream.fill()
        until(lambda: not client.stream.fill(), what="the end")
        assert bytes(client.stream.raw).endswith(b"x" * 10)


class Calls(grpc.GenericRpcHandler):
    """One message, then silence, or one message every 100 ms."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        kind = details.method.rpartition("/")[2]
        return grpc.stream_stream_rpc_method_handler(self.talk if kind == "Talk" else self.fall_silent)

    def talk(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        next(messages)
        for number in range(10):
            yield str(number).encode()
            time.sleep(0.1)

    def fall_silent(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        next(messages)
        yield b"once"
        self.over.wait(10)


@pytest.fixture
def calls() -> Iterator[int]:
    handlers = Calls()
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[handlers])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    handlers.over.set()
    server.stop(None)


def messages_of(port: int, method: str) -> tuple[list[bytes], grpc.StatusCode]:
    """The messages of a call whose client sends one message and stays, and how it ended."""
    stays = threading.Event()

    def said() -> Iterator[bytes]:
        yield b"go"
        stays.wait(10)

    got: list[bytes] = []
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answers = channel.stream_stream(f"/test.Calls/{method}")(said(), timeout=15)
        try:
            got.extend(answers)
        except grpc.RpcError:
            pass
        stays.set()
        return got, answers.code()


def grpc_policy(port: int, **route: object) -> Json:
    config = policy(routes=[open_route(**route)], bounds=SHORT)
    config["upstreams"]["up"] = {"servers": [f"h2c://127.0.0.1:{port}"], **SHORT}
    return config


@pytest.mark.clients("h2")
def test_a_call_on_which_the_server_alone_speaks(gateway: Start, calls: int) -> None:
    got, code = messages_of(gateway(grpc_policy(calls)).port, "Talk")
    assert len(got) == 10 and code is grpc.StatusCode.OK


@pytest.mark.clients("h2")
@pytest.mark.parametrize(
    ("route", "code", "reason"),
    [
        ({"idle_timeout": "400ms"}, grpc.StatusCode.UNAVAILABLE, "idle_timeout"),
        ({"timeout": "600ms"}, grpc.StatusCode.DEADLINE_EXCEEDED, "route_timeout_cut"),
    ],
)
def test_a_call_that_takes_too_long_is_told_so(
    gateway: Start, calls: int, route: Json, code: grpc.StatusCode, reason: str
) -> None:
    running = gateway(grpc_policy(calls, **route))
    got, ended = messages_of(running.port, "Silence")
    assert got == [b"once"] and ended is code
    assert running.access_records(1)[0]["reason"] == reason
