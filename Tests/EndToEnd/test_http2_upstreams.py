"""HTTP/2 to upstreams: one connection for many, what ALPN chooses, and when a request may be sent again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from harness import load
from harness.certificates import Authority
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway
from harness.http2_upstream import HTTP2Upstream, Request
from harness.messages import Message
from harness.origin import QuickOrigin
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.upstream import Connection, Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]
HTTP2Origin = Callable[..., HTTP2Upstream]

MIB = 1 << 20
RESIDENT_GROWTH = 24 * MIB


def over(scheme: str, *upstreams: HTTP2Upstream | Upstream | QuickOrigin, **members: object) -> Json:
    """One loop, so that there is one pool."""
    servers = [f"{scheme}://127.0.0.1:{one.port}" for one in upstreams]
    return policy(upstream={"servers": servers} | members, loops=1)


def test_what_a_server_gets_is_what_the_client_sent(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = http2_upstream()
    secret, record = api_key()
    config = keyed_policy(records=[record]) | {"loops": 1}
    config["upstreams"]["up"]["servers"] = [f"h2c://127.0.0.1:{origin.port}"]
    running = gateway(config)
    fields = ["Connection: close, X-Hop", "X-Hop: 1", "TE: trailers", "Keep-Alive: 5", "Cookie: a=b", f"X-API-Key: {secret}"]
    answer = ask(running.port, "/a/b?c=d", fields, "POST", b"content")
    assert (answer.status, answer.body) == (200, b"hello")
    [seen] = origin.requests
    assert [seen.value(f":{name}") for name in ("method", "scheme", "authority", "path")] == [
        "POST", "http", "gw.test", "/a/b?c=d",
    ]
    assert (seen.body, seen.value("content-length"), seen.value("te")) == (b"content", "7", "trailers")
    assert (seen.value("x-auth-subject"), seen.value("cookie")) == ("ci@acme", "a=b")
    assert not {name for name, _ in seen.fields} & {"connection", "x-hop", "keep-alive", "host", "x-api-key", "transfer-encoding"}


def test_a_hundred_requests_share_one_connection(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    waiting: list[Request] = []

    def together(request: Request) -> None:
        waiting.append(request)
        if len(waiting) == 100:
            for one in waiting:
                one.answer(one.path.encode())

    origin = http2_upstream(on_request=together)
    running = gateway(over("h2c", origin))
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda number: ask(running.port, f"/{number}"), range(100)))
    assert [answer.body for answer in answers] == [f"/{number}".encode() for number in range(100)]
    assert len(origin.connections) == 1
    assert running.metric("portcullis_upstream_connections_open") == 1


def test_another_connection_is_made_only_above_the_stream_limit(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    may_answer = threading.Event()
    waiting: list[Request] = []
    origin = http2_upstream(on_request=waiting.append, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 2})
    running = gateway(over("h2c", origin, connections=2))
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(ask, running.port)
        until(lambda: len(waiting) == 1)
        # The limit is known now.
        rest = [pool.submit(ask, running.port) for _ in range(3)]
        until(lambda: len(waiting) == 4)
        assert len(origin.connections) == 2
        refused = ask(running.port)
        assert (refused.status, reason(refused)) == (503, "no_server_available")
        may_answer.set()
        for one in waiting:
            one.answer()
        assert [one.result().status for one in [first, *rest]] == [200] * 4


# MARK: ALPN


@pytest.mark.parametrize("scheme", ["https", "h2"])
def test_alpn_chooses_http2(gateway: Start, http2_upstream: HTTP2Origin, authority: Authority, scheme: str) -> None:
    origin = http2_upstream(tls=authority.issue("127.0.0.1").server_context(["h2", "http/1.1"]))
    running = gateway(over(scheme, origin, tls={"ca": f"file:{authority.path}"}))
    for number in range(3):
        assert ask(running.port, method="POST", body=b"x" * 100_000).body == b"hello"
    assert len(origin.connections) == 1
    assert origin.requests[0].value(":scheme") == "https"
    assert len(origin.requests[2].body) == 100_000


@pytest.mark.parametrize("protocols", [["http/1.1"], None])
def test_alpn_chooses_http1_and_nothing_is_lost(
    gateway: Start, upstream: Origin, authority: Authority, protocols: list[str] | None
) -> None:
    origin = upstream(tls=authority.issue("127.0.0.1").server_context(protocols))
    running = gateway(over("https", origin, tls={"ca": f"file:{authority.path}"}))
    content = b"y" * 300_000
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(running.port, method="POST", body=content), range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    assert [one.body == content for one in origin.requests] == [True] * 8
    before = len(origin.connections)
    assert ask(running.port, fields=["TE: trailers"]).status == 200
    assert len(origin.connections) == before
    assert running.metric("portcullis_upstream_retries_total") == 0
    assert {record.get("reason") for record in running.access_records(9)} == {None}


def test_a_server_of_http1_only_is_none_for_h2(gateway: Start, upstream: Origin, authority: Authority) -> None:
    origin = upstream(tls=authority.issue("127.0.0.1").server_context())
    running = gateway(over("h2", origin, tls={"ca": f"file:{authority.path}"}))
    assert reason(ask(running.port)) == "upstream_tls_failed"
    assert origin.requests == []


def test_a_server_that_cannot_prove_itself_gets_no_stream(
    gateway: Start, http2_upstream: HTTP2Origin, authority: Authority
) -> None:
    origin = http2_upstream(tls=authority.issue("elsewhere").server_context(["h2"]))
    running = gateway(over("https", origin, tls={"ca": f"file:{authority.path}"}))
    assert reason(ask(running.port)) == "upstream_tls_failed"
    assert origin.requests == []


def test_a_server_of_http1_in_clear_answers_nothing_valid(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        # Closing with the request unread would reset the connection, and the response could be lost.
        connection.await_end()

    # The response may be there before the request is written.
    running = gateway(over("h2c", upstream(script)))
    assert {reason(ask(running.port)) for _ in range(50)} == {"upstream_invalid_response"}


def test_a_server_of_http1_in_clear_may_close_at_once(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.stream.fill()
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    running = gateway(over("h2c", upstream(script)))
    assert {reason(ask(running.port)) for _ in range(50)} == {"upstream_invalid_response"}


# MARK: What may be sent again


@pytest.mark.parametrize("body", [b"", b"small"])
def test_a_refused_stream_is_sent_again_whatever_its_method(
    gateway: Start, http2_upstream: HTTP2Origin, body: bytes
) -> None:
    def refuse_first(request: Request) -> None:
        if len(origin.requests) == 1:
            request.cancel()
        else:
            request.answer()

    origin = http2_upstream(on_request=refuse_first)
    running = gateway(over("h2c", origin))
    assert ask(running.port, fields=["Cookie: a=1"], method="POST", body=body).status == 200
    assert len(origin.requests) == 2
    first, second = origin.requests
    assert (second.body, second.fields) == (body, first.fields)
    assert running.access_records()[0]["retries"] == 1


def test_a_cookie_that_is_a_credential_stays_away_from_the_second_try(
    gateway: Start, http2_upstream: HTTP2Origin
) -> None:
    def refuse_first(request: Request) -> None:
        request.cancel() if len(origin.requests) == 1 else request.answer()

    origin = http2_upstream(on_request=refuse_first)
    secret, record = api_key()
    config = keyed_policy(records=[record])
    config["authenticators"]["keys"]["from"] = ["cookie:session"]
    config["upstreams"]["up"]["servers"] = [f"h2c://127.0.0.1:{origin.port}"]
    running = gateway(config)
    assert ask(running.port, fields=[f"Cookie: a=1; session={secret}; b=2"]).status == 200
    assert [one.value("cookie") for one in origin.requests] == ["a=1; b=2"] * 2


def test_a_server_that_refuses_everything_is_not_asked_for_ever(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = http2_upstream(on_request=lambda request: request.cancel())
    running = gateway(over("h2c", origin))
    assert reason(ask(running.port)) == "upstream_closed"
    assert len(origin.requests) == 3


@pytest.mark.parametrize(("count", "members", "tries"), [
    (60_000, {}, 2), (70_000, {}, 1), (200_000, {"retry_buffer": "256KiB"}, 2), (1, {"retry_buffer": "0B"}, 1),
])
def test_a_goaway_that_names_a_post_as_not_looked_at_costs_nothing(
    gateway: Start, http2_upstream: HTTP2Origin, count: int, members: Json, tries: int
) -> None:
    def leave_first(request: Request) -> None:
        if request.path == "/" and request.connection.number == 0:
            request.connection.leave(request.stream - 2)
        else:
            request.answer(str(len(request.body)).encode())

    origin = http2_upstream(on_request=leave_first)
    running = gateway(over("h2c", origin, **members))
    assert ask(running.port, "/first").status == 200
    answer = ask(running.port, method="POST", body=b"z" * count)
    assert answer.body == str(count).encode() if tries == 2 else reason(answer) == "upstream_closed"
    assert len(origin.requests) == 1 + tries


def test_content_that_is_gone_is_not_sent_again(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = http2_upstream(on_request=lambda request: request.cancel())
    running = gateway(over("h2c", origin))
    assert reason(ask(running.port, method="PUT", body=b"z" * 100_000)) == "upstream_closed"
    assert len(origin.requests) == 1


@pytest.mark.parametrize("code", [ErrorCodes.INTERNAL_ERROR, ErrorCodes.CANCEL, ErrorCodes.NO_ERROR])
def test_a_stream_that_may_have_been_acted_on_is_not_sent_again(
    gateway: Start, http2_upstream: HTTP2Origin, code: ErrorCodes
) -> None:
    origin = http2_upstream(on_request=lambda request: request.cancel(code))
    running = gateway(over("h2c", origin))
    for method in ("POST", "GET"):
        answer = ask(running.port, method=method)
        assert (answer.status, reason(answer)) == (502, "upstream_closed")
    assert len(origin.requests) == 2


def test_malformed_answers_cost_no_other_stream_its_connection(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    held: list[Request] = []

    def answer(request: Request) -> None:
        if request.path == "/held":
            return held.append(request)
        # Less content than the head says.
        request.head(200, ("content-length", "10"))
        request.send(b"short")

    origin = http2_upstream(on_request=answer)
    running = gateway(over("h2c", origin))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, running.port, "/held")
        until(lambda: held)
        for _ in range(300):
            with RawClient(running.port) as client:
                client.send(request()).read_all()
        held[0].answer()
        assert first.result().status == 200
    assert len(origin.connections) == 1


def test_streams_above_the_last_of_a_goaway_go_elsewhere(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    held: list[Request] = []

    def leave(request: Request) -> None:
        if request.connection.number > 0:
            return request.answer(b"second")
        held.append(request)
        if len(held) == 3:
            request.connection.leave(held[0].stream)

    origin = http2_upstream(on_request=leave)
    running = gateway(over("h2c", origin))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask, running.port, "/first", method="POST")
        until(lambda: len(held) == 1)
        others = [pool.submit(ask, running.port, "/other", method="POST") for _ in range(2)]
        assert [one.result().body for one in others] == [b"second"] * 2
        # What the server did look at is finished where it began.
        held[0].answer(b"first")
        assert first.result().body == b"first"
    origin.wait_for(lambda: origin.connections[0].ended)
    assert len(origin.requests) == 5
    assert ask(running.port).body == b"second"
    assert len(origin.connections) == 2


def test_a_connection_that_dies_is_survived_by_idempotent_requests_only(
    gateway: Start, http2_upstream: HTTP2Origin
) -> None:
    def die(request: Request) -> None:
        if request.path == "/die" and request.connection.number < 2:
            return request.connection.close()
        request.answer(str(request.connection.number).encode())

    origin = http2_upstream(on_request=die)
    running = gateway(over("h2c", origin))
    assert ask(running.port).body == b"0"
    answer = ask(running.port, "/die", method="POST")
    assert (answer.status, reason(answer)) == (502, "upstream_closed")
    assert ask(running.port).body == b"1"
    assert ask(running.port, "/die").body == b"2"
    assert [one.value(":method") for one in origin.requests if one.path == "/die"] == ["POST", "GET", "GET"]


def test_an_answer_that_breaks_off_is_cut(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    began: list[Request] = []

    def half(request: Request) -> None:
        request.head()
        request.send(b"part", ends=False)
        began.append(request)

    origin = http2_upstream(on_request=half)
    running = gateway(over("h2c", origin))
    for breaks in (lambda one: one.connection.close(), lambda one: one.cancel(ErrorCodes.INTERNAL_ERROR)):
        began.clear()
        with RawClient(running.port) as client:
            head = client.send(request()).read_head()
            assert head.status == 200
            until(lambda: began)
            breaks(began[0])
            client.read_all()
            assert not client.stream.raw.endswith(b"0\r\n\r\n")
    assert [record["reason"] for record in running.access_records(2)] == ["upstream_cut"] * 2
    assert len(origin.requests) == 2


@pytest.mark.parametrize("protocol_name", ["h2", "http/1.1"])
def test_a_server_that_leaves_all_the_time_loses_nothing_under_load(
    gateway: Start, authority: Authority, tmp_path: Path, protocol_name: str
) -> None:
    origin = QuickOrigin(tmp_path / "origin", authority.issue("127.0.0.1"), requests=100)
    try:
        running = gateway(over("https", origin, protocols=[protocol_name], tls={"ca": f"file:{authority.path}"}))
        seen = load.run(running.url, 2)
        assert (seen.refused, seen.errors) == (0, 0), seen.text
        assert seen.requests > 500
        assert running.metric("portcullis_upstream_connections_opened_total") >= seen.requests / 200
    finally:
        origin.stop()


# MARK: Flow control and time


def test_a_slow_client_stalls_its_own_stream_only(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    size = 64 * MIB
    block = bytes(MIB)

    def answer(request: Request) -> None:
        if request.path == "/small":
            return request.answer()
        request.head(200, ("content-length", str(size)))
        for _ in range(size // MIB):
            request.send(block, ends=False)
        request.send(b"")

    origin = http2_upstream(on_request=answer)
    running = gateway(over("h2c", origin))
    assert ask(running.port, "/small").status == 200
    before = running.resident_bytes()
    clients = [RawClient(running.port, receive_buffer=4096) for _ in range(6)]
    for client in clients:
        client.send(request(target="/large"))
        assert client.read_head().status == 200
    for _ in range(20):
        assert ask(running.port, "/small").status == 200
    assert len(origin.connections) == 1
    assert running.resident_bytes() - before < RESIDENT_GROWTH
    with clients[0] as client:
        left = size
        while left > 0 and (piece := client.stream.take(min(left, MIB))):
            client.stream.raw.clear()
            left -= len(piece)
        assert left == 0
    assert running.resident_bytes() - before < RESIDENT_GROWTH
    for client in clients[1:]:
        client.reset()
    origin.wait_for(lambda: sum(one.reset is not None for one in origin.requests) == 5)
    assert ask(running.port, "/small").status == 200


def test_a_huge_upload_to_a_slow_server_holds_memory_flat(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    size = 64 * MIB
    counted = [0]

    def count(request: Request, content: bytes) -> None:
        counted[0] += len(content)
        request.body = b""

    origin = http2_upstream(on_content=count, on_request=lambda request: request.answer(str(counted[0]).encode()))
    running = gateway(over("h2c", origin))
    assert ask(running.port).status == 200
    before = running.resident_bytes()
    with RawClient(running.port) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: {size}\r\n\r\n")
        for _ in range(size // MIB):
            client.send(bytes(MIB))
        answer = client.response("POST")
    assert answer.body == str(size).encode()
    assert running.resident_bytes() - before < RESIDENT_GROWTH


def test_trailers_and_interim_answers_pass_both_ways(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    def answer(request: Request) -> None:
        request.head(103, ("link", "</style.css>"))
        request.head(200, ("trailer", "x-sum"))
        request.send(b"content", [("x-sum", "42")])

    origin = http2_upstream(on_request=answer)
    running = gateway(over("h2c", origin))
    with RawClient(running.port) as client:
        client.send(
            "POST / HTTP/1.1\r\nHost: gw.test\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n"
            "3\r\nabc\r\n0\r\nX-Up: 1\r\n\r\n"
        )
        answered = client.response("POST")
    assert [one.status for one in answered.informational] == [103]
    assert (answered.body, answered.trailers) == (b"content", [("x-sum", "42")])
    assert (origin.requests[0].body, origin.requests[0].trailers) == (b"abc", [("x-up", "1")])


def test_an_early_answer_ends_the_upload(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = http2_upstream(on_head=lambda request: request.answer(b"no", 413), on_request=lambda request: None)
    running = gateway(over("h2c", origin))
    with RawClient(running.port) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: {MIB}\r\n\r\n" + "x" * 1000)
        assert client.response("POST").status == 413
    origin.wait_for(lambda: origin.requests[0].reset is not None)
    assert ask(running.port).status == 413
    assert len(origin.connections) == 1


def test_a_client_that_leaves_resets_its_stream_only(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    def answer(request: Request) -> None:
        if request.path == "/quick":
            request.answer()

    origin = http2_upstream(on_request=answer)
    running = gateway(over("h2c", origin))
    with RawClient(running.port) as client:
        client.send(request(target="/never"))
        origin.wait_for(lambda: origin.requests and origin.requests[0].ended)
        client.reset()
    origin.wait_for(lambda: origin.requests[0].reset == ErrorCodes.CANCEL)
    assert ask(running.port, "/quick").status == 200
    assert len(origin.connections) == 1


def test_each_stream_has_its_own_time(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    def answer(request: Request) -> None:
        if request.path == "/quick":
            request.answer()

    origin = http2_upstream(on_request=answer)
    config = over("h2c", origin)
    config["routes"] = [
        open_route(),
        open_route(name="impatient", match={"path": "/impatient"}, response_timeout="300ms"),
    ]
    running = gateway(config)
    with RawClient(running.port) as patient:
        patient.send(request(target="/patient"))
        origin.wait_for(lambda: origin.requests)
        answer = ask(running.port, "/impatient")
        assert (answer.status, reason(answer)) == (504, "upstream_timeout")
        origin.wait_for(lambda: origin.requests[1].reset == ErrorCodes.CANCEL)
        assert ask(running.port, "/quick").status == 200
        assert origin.requests[0].reset is None


def test_a_server_that_answers_no_ping_is_given_up(gateway: Start, http2_upstream: HTTP2Origin, upstream: Origin) -> None:
    def silent(connection: object) -> None:
        connection.stream.sock.sendall(bytes.fromhex("000000040000000000"))
        connection.await_end()

    dead = upstream(silent)
    running = gateway(over("h2c", dead, keep_alive_ping="1s"))
    answer = ask(running.port, method="POST")
    assert (answer.status, reason(answer)) == (502, "upstream_closed")
    alive = http2_upstream()
    running = gateway(over("h2c", alive, keep_alive_ping="1s"))
    assert ask(running.port).status == 200
    alive.wait_for(lambda: alive.connections[0].pings >= 2)
    assert ask(running.port).status == 200
    assert len(alive.connections) == 1


def test_idle_connections_close(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    origin = http2_upstream()
    running = gateway(over("h2c", origin, idle_timeout="200ms"))
    assert ask(running.port).status == 200
    origin.wait_for(lambda: origin.connections[0].ended)
    until(lambda: running.metric("portcullis_upstream_connections_open") == 0)
    assert ask(running.port).status == 200
    assert len(origin.connections) == 2


def test_a_reload_that_leads_elsewhere_lets_streams_finish(gateway: Start, http2_upstream: HTTP2Origin) -> None:
    waiting: list[Request] = []
    old = http2_upstream(on_request=waiting.append)
    new = http2_upstream()
    running = gateway(over("h2c", old))
    with RawClient(running.port) as client:
        client.send(request())
        until(lambda: waiting)
        running.replace(over("h2c", new))
        running.wait_for_line("reloaded")
        assert ask(running.port).status == 200
        assert len(new.requests) == 1
        waiting[0].answer(b"old")
        answered: Message = client.response()
        assert answered.body == b"old"
    old.wait_for(lambda: old.connections[0].ended)
