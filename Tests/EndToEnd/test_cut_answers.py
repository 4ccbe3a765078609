"""Answers that an upstream breaks off: the client gets all that came before, and can tell that it is not all."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, call, reason
from harness.gateway import Gateway
from harness.http2 import HTTP2Call
from harness.policy import policy
from harness.protocols import ALL, HTTP1_ONLY, UpstreamProtocol
from harness.upstream import Connection, Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", "h2", full=True)]

BLOCK = bytes(range(256)) * 200
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
KNOWN = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


#: What the upstream writes before it breaks off, and the content in it.
PIECES = {
    "head and five bytes": ([KNOWN + b"hello"], b"hello"),
    "head alone, then a last event": ([CHUNKED, chunk(b"event: error\n\n")], b"event: error\n\n"),
    "a burst": ([CHUNKED + chunk(BLOCK)], BLOCK),
    "a megabyte": ([KNOWN, *[BLOCK] * 20], BLOCK * 20),
}


def taken(port: int, receive_buffer: int | None = None, wait: threading.Event | None = None) -> tuple[bytes, bool]:
    """The content of an answer, and whether it looks whole."""
    with call(port, receive_buffer=receive_buffer) as asked:
        if wait is not None:
            assert wait.wait(20)
        answer = asked.response()
        if isinstance(asked, HTTP2Call):
            assert asked.reset_code == 2
        return answer.body, answer.complete


@pytest.mark.parametrize("resets", [False, True], ids=["closes", "resets"])
@pytest.mark.parametrize("pieces", PIECES)
def test_what_came_before_the_cut_reaches_the_client(
    gateway: Start, upstream: Origin, upstream_protocol: UpstreamProtocol, pieces: str, resets: bool
) -> None:
    written, content = PIECES[pieces]

    def script(connection: Connection) -> None:
        connection.read_request()
        for piece in written:
            connection.send(piece)
        if resets or upstream_protocol.is_http2:
            # What was sent has arrived when the reset comes; over HTTP/2 every end of the script is one.
            connection.await_end(0.3)
        if resets:
            connection.reset()

    running = gateway(policy(upstream(script).port))
    for _ in range(5):
        assert taken(running.port) == (content, False)
    records = running.access_records(5)
    assert {record["reason"] for record in records} == {"upstream_cut"}
    assert {record["bytes_out"] for record in records} == {len(content)}


def test_a_slow_client_gets_all_of_a_cut_answer(
    gateway: Start, upstream: Origin, upstream_protocol: UpstreamProtocol
) -> None:
    """More than the sockets' buffers hold is still on its way when the upstream is gone."""
    has_died = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(KNOWN)
        for _ in range(20):
            connection.send(BLOCK)
        if upstream_protocol.is_http2:
            connection.await_end(1)
        has_died.set()

    running = gateway(policy(upstream(script).port))
    content, is_complete = taken(running.port, receive_buffer=16_384)
    assert (content, is_complete) == (BLOCK * 20, False) and has_died.is_set()


MALFORMED = pytest.mark.parametrize("rest", [b"zz\r\nmore\r\n", b"5\r\nhelloXX"], ids=["size", "end"])


@pytest.mark.upstreams("http", "https")
@MALFORMED
def test_chunks_that_are_malformed_in_the_middle(gateway: Start, upstream: Origin, rest: bytes) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        # More than is read at a time: the head has gone on when the fault comes.
        connection.send(CHUNKED + chunk(BLOCK * 10) + rest)
        connection.await_end()

    running = gateway(policy(upstream(script).port))
    content, is_complete = taken(running.port)
    assert content in (BLOCK * 10, BLOCK * 10 + b"hello") and not is_complete
    assert running.access_records(1)[0]["reason"] == "upstream_cut"


@pytest.mark.upstreams("http", "https")
@MALFORMED
def test_chunks_that_are_malformed_behind_the_head_are_502(gateway: Start, upstream: Origin, rest: bytes) -> None:
    """The head has not gone on yet when the fault is there to be seen."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED + chunk(b"good") + rest)
        connection.await_end()

    answer = ask(gateway(policy(upstream(script).port)).port)
    assert (answer.status, reason(answer)) == (502, "upstream_invalid_response")


@pytest.mark.upstreams("http", "https")
def test_an_answer_before_the_end_of_an_upload_is_read_when_writing_fails(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_head()
        # The rest of the request is unread, so the end of the script is a reset.
        connection.send(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nmuch")

    running = gateway(policy(upstream(script).port))
    for _ in range(30):
        answer = ask(running.port, method="POST", body=bytes(300_000))
        assert (answer.status, answer.body) == (413, b"much")


@pytest.mark.upstreams("http", "https")
def test_nothing_sent_yet_is_502(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")

    answer = ask(gateway(policy(upstream(script).port)).port)
    assert (answer.status, reason(answer)) == (502, "upstream_closed")


@pytest.mark.clients(*HTTP1_ONLY)
@pytest.mark.upstreams("http", "https")
def test_an_answer_without_a_length_ends_with_a_reset(gateway: Start, upstream: Origin) -> None:
    """To an HTTP/1.0 client the end of the connection is the end of the content: an ordinary one would make it look whole."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(CHUNKED + chunk(BLOCK))

    running = gateway(policy(upstream(script).port))
    with RawClient(running.port) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: gw.test\r\n\r\n")
        received = b""
        with pytest.raises(ConnectionError):
            while piece := client.sock.recv(65536):
                received += piece
    assert received.endswith(b"\r\n\r\n" + BLOCK)
    assert running.access_records(1)[0]["reason"] == "upstream_cut"
