"""WebSockets to servers that speak HTTP/2 alone: extended CONNECT onwards (RFC 8441), whatever the client speaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from h2.settings import SettingCodes
from harness.client import RawClient, reason
from harness.gateway import Gateway
from harness.http2_upstream import HTTP2Upstream, Request
from harness.policy import Json, open_route, policy
from harness.waiting import until
from harness.websocket import BINARY, CLOSE, KEY, accept_value, close_of, frame, read_frame, upgrade
from test_websockets_http2 import Client

Start = Callable[..., Gateway]
HTTP2Origin = Callable[..., HTTP2Upstream]

MIB = 1 << 20
TAKES = {SettingCodes.ENABLE_CONNECT_PROTOCOL: 1}


def over_http2(origin: HTTP2Upstream, *names: str) -> Json:
    routes = [open_route(upgrade=list(names or ["websocket"]))]
    return policy(routes=routes, upstream={"servers": [f"h2c://127.0.0.1:{origin.port}"]}, loops=1)


def echoing(http2_upstream: HTTP2Origin) -> HTTP2Upstream:
    """Agrees to every WebSocket and sends its bytes back; ends when the client does."""

    def agree(request: Request) -> None:
        request.head(200, ("sec-websocket-protocol", "chat"))

    return http2_upstream(
        on_head=agree, on_content=lambda request, content: request.send(content, ends=False),
        on_request=lambda request: request.send(b""), settings=TAKES,
    )


def test_a_client_of_http1(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = echoing(http2_upstream)
    running = gateway(over_http2(origin))
    for _ in range(2):
        with RawClient(running.port) as client:
            client.send(upgrade("/ws?x=1", fields=["Sec-WebSocket-Protocol: chat"]) + b"early")
            head = client.read_head()
            assert head.status == 101
            assert head.value("upgrade") == "websocket" and head.value("connection") == "Upgrade"
            assert head.value("sec-websocket-accept") == accept_value(KEY)
            assert head.value("sec-websocket-protocol") == "chat"
            assert client.stream.take(5) == b"early"
            sent = frame(BINARY, b"x" * MIB, masked=True)
            client.send(sent)
            assert client.stream.take(len(sent)) == sent
            client.half_close()
            assert client.is_closed()
    seen = origin.requests[0]
    names = ("method", "protocol", "scheme", "authority", "path")
    assert [seen.value(f":{name}") for name in names] == ["CONNECT", "websocket", "http", "gw.test", "/ws?x=1"]
    assert seen.value("sec-websocket-version") == "13" and seen.value("sec-websocket-key") is None
    assert len(origin.connections) == 1
    records = running.access_records(2)
    assert [(record["status"], record["reason"]) for record in records] == [(101, None)] * 2


def test_a_client_of_http2(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    with Client(gateway(over_http2(echoing(http2_upstream))).port) as client:
        first, second = client.connect(), client.connect()
        assert first.status == second.status == 200
        for tunnel in (first, second):
            tunnel.send(b"word")
            assert tunnel.take(4) == b"word"
        first.send(b"last", ends=True)
        assert first.take(8) == b"last"
        first.await_end()
        second.send(b"on")
        assert second.take(2) == b"on"


def test_the_policy_closes_it(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = echoing(http2_upstream)
    running = gateway(over_http2(origin))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        config = over_http2(origin)
        del config["routes"][0]["upgrade"]
        running.replace(config)
        assert close_of(read_frame(client.stream)) == (1008, "route_not_found")
        assert client.is_closed()
    until(lambda: origin.requests[0].ended or origin.requests[0].reset is not None)
    assert origin.requests[0].body[0] == 0x80 | CLOSE and origin.requests[0].body[1] & 0x80


@pytest.mark.parametrize("names", [["websocket"], ["other"]])
def test_a_server_that_takes_none_is_not_asked(gateway: Start, http2_upstream: HTTP2Origin, names: list[str]) -> None:
    origin = http2_upstream(settings=None if names == ["websocket"] else TAKES)
    with RawClient(gateway(over_http2(origin, *names)).port) as client:
        assert reason(client.send(upgrade(name=names[0])).response()) == "no_server_available"
    assert not origin.requests


def test_an_ordinary_answer_is_one(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = http2_upstream(on_head=lambda request: request.answer(b"no", 403), settings=TAKES)
    with RawClient(gateway(over_http2(origin)).port) as client:
        answer = client.send(upgrade()).response()
        assert (answer.status, answer.body) == (403, b"no")
    until(lambda: origin.requests[0].reset is not None or origin.requests[0].ended)


def test_a_reset_is_a_cut(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    def agree(request: Request) -> None:
        request.head(200)

    origin = http2_upstream(on_head=agree, on_content=lambda request, content: request.cancel(), settings=TAKES)
    running = gateway(over_http2(origin))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        client.send(b"x")
        assert client.is_closed()
    assert running.access_records()[0]["reason"] == "upstream_cut"
