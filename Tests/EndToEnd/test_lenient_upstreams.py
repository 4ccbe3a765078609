"""Old servers: what they write against the rules is taken where the policy says so, and clients get nothing of its form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.client import ask
from harness.gateway import Gateway
from harness.policy import policy
from harness.protocols import ALL
from harness.upstream import Connection, Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL)]

TAKEN = {
    "bare LF": (b"HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nok", 200, "b"),
    "folded field": (b"HTTP/1.1 200 OK\r\nX-A: a\r\n  b\r\nContent-Length: 2\r\n\r\nok", 200, "a b"),
    "equal lengths": (b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, "b"),
    "a list of equal lengths": (b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2, 2\r\n\r\nok", 200, "b"),
    "status 999": (b"HTTP/1.1 999 X\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok", 999, "b"),
    "blanks behind a size": (b"HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n2  \r\nok\r\n0\r\n\r\n", 200, "b"),
    "chunks of bare LF": (b"HTTP/1.1 200 OK\nX-A: b\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n", 200, "b"),
}

REFUSED = {
    "different lengths": b"HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 3\n\nok",
    "length and chunks": b"HTTP/1.1 200 OK\nContent-Length: 2\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n",
    "a folded length": b"HTTP/1.1 200 OK\nContent-Length:\n 2\n\nok",
    "a line of blanks": b"HTTP/1.1 200 OK\nX-A: a\n \nContent-Length: 2\n\nok",
    "a blank before a colon": b"HTTP/1.1 200 OK\nX-A : a\nContent-Length: 2\n\nok",
}


def replying(upstream: Origin, answer: bytes) -> Upstream:
    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(answer)

    return upstream(script)


@pytest.mark.parametrize(("answer", "status", "value"), TAKEN.values(), ids=TAKEN.keys())
def test_what_old_servers_write_is_made_anew(gateway: Start, upstream: Origin, answer: bytes, status: int, value: str) -> None:
    origin = replying(upstream, answer)
    running = gateway(policy(origin.port, upstream={"lenient": True}, loops=1))
    for _ in range(2):
        seen = ask(running.port)
        assert (seen.status, seen.values("x-a"), seen.body) == (status, [value], b"ok")
        assert seen.complete and len(seen.values("content-length")) <= 1
    assert len({it.connection for it in origin.requests}) == 1, "the connection is kept"


@pytest.mark.clients("h1")
@pytest.mark.parametrize("answer", [it[0] for it in TAKEN.values()], ids=TAKEN.keys())
def test_without_lenient_it_is_refused(gateway: Start, upstream: Origin, answer: bytes) -> None:
    seen = ask(gateway(policy(replying(upstream, answer).port)).port)
    assert seen.status == 502 or not seen.complete


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED.keys())
def test_what_leaves_doubt_is_refused_all_the_same(gateway: Start, upstream: Origin, answer: bytes) -> None:
    origin = replying(upstream, answer)
    assert ask(gateway(policy(origin.port, upstream={"lenient": True})).port).status == 502
