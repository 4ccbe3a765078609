"""`Expect: 100-continue`: clients that send no content before they are asked for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.client import RawClient
from harness.gateway import Gateway
from harness.policy import policy
from harness.upstream import Connection, Upstream, ok

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

POST = b"POST / HTTP/1.1\r\nHost: gw.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"


def test_a_strict_client_is_asked_where_the_upstream_is_silent(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        while message := connection.read_request():
            # Too late: the client has been told.
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n" + ok(message.body))

    origin = upstream(script)
    with RawClient(gateway(policy(origin.port)).port) as client:
        for _ in range(2):
            head = client.send(POST).read_head()
            assert head.status == 100
            client.send(b"hi")
            answer = client.response("POST")
            assert (answer.status, answer.body, answer.informational) == (200, b"hi", [])
    assert [one.value("expect") for one in origin.requests] == ["100-continue"] * 2


def test_an_upstream_that_decides_for_itself_is_waited_for(gateway: Start, upstream: Origin) -> None:
    has_head = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_head()
        has_head.set()
        connection.send(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.await_end()

    with RawClient(gateway(policy(upstream(script).port)).port) as client:
        answer = client.send(POST).response("POST")
    assert has_head.is_set() and (answer.status, answer.informational) == (417, [])
