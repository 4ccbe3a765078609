"""gRPC end to end: a client and a server nobody here wrote, with the gateway between them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from concurrent import futures

import grpc
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ResponseReceived, StreamEnded
from harness.certificates import Authority, Pair
from harness.client import RawClient
from harness.gateway import Gateway
from harness.http2_upstream import HTTP2Upstream
from harness.policy import Json, api_key, keyed_policy

Start = Callable[..., Gateway]
SECONDS = 15


class Service(grpc.GenericRpcHandler):
    """Messages are bytes as they are."""

    def __init__(self) -> None:
        self.metadata: list[dict[str, str]] = []
        self.cancelled = threading.Event()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        self.metadata.append({key: str(value) for key, value in details.invocation_metadata})
        kind = details.method.rpartition("/")[2]
        if kind == "Echo":
            return grpc.unary_unary_rpc_method_handler(self.echo)
        if kind == "Count":
            return grpc.unary_stream_rpc_method_handler(self.count)
        if kind == "Sum":
            return grpc.stream_unary_rpc_method_handler(self.sum)
        if kind == "Chat":
            return grpc.stream_stream_rpc_method_handler(self.chat)
        if kind == "Fail":
            return grpc.unary_unary_rpc_method_handler(self.fail)
        if kind == "Wait":
            return grpc.unary_stream_rpc_method_handler(self.wait)
        return None

    def echo(self, message: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("x-served", "yes"), ("x-raw-bin", b"\0\xff")))
        return message

    def count(self, message: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for number in range(int(message)):
            yield str(number).encode()

    def sum(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return str(sum(len(one) for one in messages)).encode()

    def chat(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for one in messages:
            yield one.upper()

    def fail(self, message: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today: é")

    def wait(self, message: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(self.cancelled.set)
        yield b"begun"
        self.cancelled.wait(SECONDS)


class Served:
    def __init__(self, gateway: Start, pair: Pair | None, authority: Authority, loops: int = 1) -> None:
        self.service = Service()
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((self.service,))
        if pair:
            credentials = grpc.ssl_server_credentials([(pair.key.read_bytes(), pair.certificate.read_bytes())])
            port = self.server.add_secure_port("127.0.0.1:0", credentials)
        else:
            port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.secret, record = api_key()
        config = keyed_policy(records=[record]) | {"loops": loops}
        up = config["upstreams"]["up"]
        up["servers"] = [f"{'h2' if pair else 'h2c'}://127.0.0.1:{port}"]
        if pair:
            up["tls"] = {"ca": f"file:{authority.path}"}
        self.config = config
        self.gateway = gateway(config)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.gateway.port}")
        self.key = [("x-api-key", self.secret)]

    def stop(self) -> None:
        self.channel.close()
        self.server.stop(None)


@pytest.fixture(params=["h2c", "h2"])
def served(request: pytest.FixtureRequest, gateway: Start, authority: Authority) -> Iterator[Served]:
    one = Served(gateway, authority.issue("127.0.0.1") if request.param == "h2" else None, authority)
    yield one
    one.stop()


def test_unary_calls_and_their_trailers(served: Served) -> None:
    echo = served.channel.unary_unary("/test.Service/Echo")
    for message in (b"", b"hello", bytes(1_000_000)):
        answer, call = echo.with_call(message, metadata=served.key, timeout=SECONDS)
        assert answer == message
        trailers = dict(call.trailing_metadata())
        assert (trailers["x-served"], trailers["x-raw-bin"]) == ("yes", b"\0\xff")
        assert call.code() == grpc.StatusCode.OK
    seen = served.service.metadata[0]
    assert seen["x-auth-subject"] == "ci@acme"
    assert "x-api-key" not in seen


def test_streams_of_messages_both_ways(served: Served) -> None:
    counted = served.channel.unary_stream("/test.Service/Count")(b"1000", metadata=served.key, timeout=SECONDS)
    assert [int(one) for one in counted] == list(range(1000))
    pieces = [bytes(10_000)] * 200
    total = served.channel.stream_unary("/test.Service/Sum")(iter(pieces), metadata=served.key, timeout=SECONDS)
    assert total == b"2000000"
    # Each answer comes before the next question.
    heard = threading.Semaphore(1)

    def questions() -> Iterator[bytes]:
        for number in range(50):
            assert heard.acquire(timeout=SECONDS)
            yield f"q{number}".encode()

    chat = served.channel.stream_stream("/test.Service/Chat")(questions(), metadata=served.key, timeout=SECONDS)
    for number, answer in enumerate(chat):
        assert answer == f"Q{number}".encode()
        heard.release()


def test_statuses_arrive_also_without_content(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        served.channel.unary_unary("/test.Service/Fail")(b"x", metadata=served.key, timeout=SECONDS)
    assert (failed.value.code(), failed.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not today: é")
    with pytest.raises(grpc.RpcError) as unknown:
        served.channel.unary_unary("/test.Service/Unknown")(b"x", metadata=served.key, timeout=SECONDS)
    assert unknown.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_stranger_is_refused_in_the_words_of_grpc(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        served.channel.unary_unary("/test.Service/Echo")(b"x", timeout=SECONDS)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "credential_missing" in (refused.value.details() or "")
    assert served.service.metadata == []


@pytest.mark.parametrize(
    ("rules", "calls", "status", "why"),
    [
        ({"authorize": {"scopes": ["calls:make"]}}, 0, grpc.StatusCode.PERMISSION_DENIED, "scope_missing"),
        ({"limits": ["few"]}, 2, grpc.StatusCode.RESOURCE_EXHAUSTED, "rate_limited"),
    ],
)
def test_whoever_may_not_or_asks_too_often_is_refused_in_the_words_of_grpc(
    served: Served, rules: Json, calls: int, status: grpc.StatusCode, why: str
) -> None:
    config = copy.deepcopy(served.config) | {"limits": {"few": {"requests": 2, "per": "1h", "by": "identity"}}}
    config["routes"][0] |= rules
    served.gateway.replace(config)
    served.gateway.wait_for_line("reloaded")
    echo = served.channel.unary_unary("/test.Service/Echo")
    for _ in range(calls):
        assert echo(b"x", metadata=served.key, timeout=SECONDS) == b"x"
    with pytest.raises(grpc.RpcError) as refused:
        echo(b"x", metadata=served.key, timeout=SECONDS)
    assert refused.value.code() == status
    assert why in (refused.value.details() or "")
    assert len(served.service.metadata) == calls


def test_a_call_that_is_cancelled_is_cancelled_there(served: Served) -> None:
    call = served.channel.unary_stream("/test.Service/Wait")(b"", metadata=served.key, timeout=SECONDS)
    assert next(iter(call)) == b"begun"
    call.cancel()
    assert served.service.cancelled.wait(SECONDS)


def test_many_calls_at_once(served: Served) -> None:
    echo = served.channel.unary_unary("/test.Service/Echo")
    calls = [echo.future(str(number).encode(), metadata=served.key, timeout=SECONDS) for number in range(300)]
    assert [call.result() for call in calls] == [str(number).encode() for number in range(300)]
    assert served.gateway.metric("portcullis_upstream_connections_open") <= 3


def test_an_answer_of_trailers_only_stays_one(gateway: Start, http2_upstream: Callable[..., HTTP2Upstream]) -> None:
    def refuse(request: object) -> None:
        request.head(200, ("content-type", "application/grpc"), ("grpc-status", "5"), ends=True)

    origin = http2_upstream(on_request=refuse)
    secret, record = api_key()
    config = keyed_policy(records=[record])
    config["upstreams"]["up"]["servers"] = [f"h2c://127.0.0.1:{origin.port}"]
    running = gateway(config)
    client = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    client.initiate_connection()
    fields = [(":method", "POST"), (":scheme", "http"), (":authority", "gw.test"), (":path", "/s/m")]
    fields += [("content-type", "application/grpc"), ("te", "trailers"), ("x-api-key", secret)]
    client.send_headers(1, fields, end_stream=True)
    events: list[object] = []
    with RawClient(running.port) as raw:
        raw.send(client.data_to_send())
        while not any(isinstance(event, StreamEnded) for event in events):
            assert raw.stream.fill()
            taken, raw.stream.buffer = raw.stream.buffer, b""
            events += client.receive_data(taken)
    [head] = [event for event in events if isinstance(event, ResponseReceived)]
    assert dict(head.headers)["grpc-status"] == "5"
    assert head.stream_ended is not None
    assert origin.requests[0].value("te") == "trailers"
