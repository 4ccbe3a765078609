"""Requests that two servers could read differently: every case of Tests/Vectors/smuggling.json."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from harness import vectors
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.messages import Message
from harness.policy import policy
from harness.upstream import Upstream

CASES = vectors.load("smuggling.json")["cases"]
#: Statuses that say "your request is bad", and no more.
REFUSALS = {400, 405, 408, 411, 413, 414, 417, 431, 501, 505}


def wire(case: dict) -> bytes:
    if "raw" in case:
        return case["raw"].encode("latin-1").decode("unicode_escape").encode("latin-1")
    assert case["id"] == "S61", "a case without bytes that this test does not know"
    return b"GET /s HTTP/1.1\r\nHost: gw.test\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"


def send_all(port: int, piece: bytes, verdict: str) -> bytes:
    """Sends, and returns all that comes back. A request that must be refused has to be answered and closed by the
    gateway's own decision; after the others the client closes its sending side."""
    with RawClient(port) as client:
        try:
            client.send(piece)
        except OSError:
            pass  # refused and closed before everything was sent
        if verdict != "reject":
            client.response()
            try:
                client.half_close()
            except OSError:
                pass
        return client.read_all()


def statuses(answer: bytes) -> list[int]:
    """Of all answers; content does not end with a line break, so a status line may stand right behind it."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['title']}")
def test_case(case: dict, gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> None:
    origin = upstream()
    # What is said of HTTP/1 is tried on a listener that speaks nothing else; the preface of HTTP/2 is no request there.
    listeners = [{"address": "127.0.0.1:0", "protocols": ["http/1.1"]}]
    running = gateway(policy(origin.port, listeners=listeners))
    answer = send_all(running.port, wire(case), case["verdict"])
    codes = statuses(answer)
    seen = list(origin.requests)
    if case["verdict"] == "reject":
        assert codes and codes[0] in REFUSALS, codes
        assert len(codes) == 1, f"the connection went on: {codes}"
        assert nothing_usable(seen), [message.head for message in seen]
    elif case["verdict"] == "accept":
        assert codes == [200]
        assert [message.target for message in seen] == ["/s"]
        assert seen[0].complete
        if case["id"] == "S49":
            assert seen[0].body == b"hello"
    else:
        NORMALISED[case["id"]](codes, seen)
    # The gateway lives, and the next client is served by itself.
    assert ask(running.port, "/after").status == 200
    assert origin.requests[-1].target == "/after"


def nothing_usable(seen: list[Message]) -> bool:
    """Nothing of a refused message may reach the upstream as a whole request. Where the fault stands in the body the
    head may have gone on; then the message stays unfinished and its connection is closed."""
    return all(not message.complete and message.target == "/s" for message in seen)


def refused_or(check: Callable[[list[int], list[Message]], None]) -> Callable[[list[int], list[Message]], None]:
    def judge(codes: list[int], seen: list[Message]) -> None:
        if len(codes) == 1 and codes[0] in REFUSALS:
            assert nothing_usable(seen), [message.head for message in seen]
        else:
            check(codes, seen)

    return judge


def one_whole(body: bytes) -> Callable[[list[int], list[Message]], None]:
    def check(codes: list[int], seen: list[Message]) -> None:
        assert codes == [200]
        assert [(message.target, message.body, message.complete) for message in seen] == [("/s", body, True)]

    return check


def underscore(codes: list[int], seen: list[Message]) -> None:
    one_whole(b"0\r\n\r\n")(codes, seen)
    assert not seen[0].values("transfer-encoding")


def host_of_target(codes: list[int], seen: list[Message]) -> None:
    assert codes == [200]
    assert seen[0].value("host") == "gw.test"
    assert b"evil" not in seen[0].head


def first_then_refusal(codes: list[int], seen: list[Message]) -> None:
    assert codes == [200, 400]
    assert [message.target for message in seen] == ["/one"]


def no_upgrade(codes: list[int], seen: list[Message]) -> None:
    assert codes == [200]
    assert not seen[0].values("upgrade") and not seen[0].values("http2-settings") and not seen[0].values("connection")


def trailer_only(codes: list[int], seen: list[Message]) -> None:
    one_whole(b"")(codes, seen)
    assert b"POST / HTTP/1.1" not in seen[0].head


def preface(codes: list[int], seen: list[Message]) -> None:
    raise AssertionError(f"an HTTP/2 preface was answered {codes}")


NORMALISED = {
    "S05": refused_or(one_whole(b"hello")),
    "S21": refused_or(one_whole(b"hello")),
    "S31": refused_or(underscore),
    "S47": refused_or(trailer_only),
    "S51": refused_or(one_whole(b"")),
    "S59": refused_or(one_whole(b"")),
    "S67": refused_or(host_of_target),
    "S83": first_then_refusal,
    "S85": refused_or(one_whole(b"GET /smuggled HTTP/1.1\r\nHost: gw.test\r\n\r\n"[:41])),
    "S87": refused_or(no_upgrade),
    "S89": refused_or(preface),
}


def test_a_request_behind_a_refused_one_is_not_served(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]
) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    refused = b"POST /s HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with RawClient(running.port) as client:
        client.send(refused + request(target="/behind"))
        assert client.response().status == 400
        assert client.is_closed()
    assert not origin.requests


def test_an_upstream_answer_with_both_framings_is_not_passed_on(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]
) -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    )

    def script(connection) -> None:
        connection.read_request()
        connection.send(answer)
        connection.await_end()

    origin = upstream(script)
    running = gateway(policy(origin.port))
    assert ask(running.port).status == 502
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
