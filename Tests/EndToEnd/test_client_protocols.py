"""What holds whatever the client speaks: HTTP/1.1 or HTTP/2, in clear or over TLS."""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Callable

import pytest
from harness.client import ask, call, problem, reason
from harness.gateway import Gateway
from harness.http2 import HTTP2Call, StreamReset
from harness.messages import Message, request_body
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import ALL, HTTP1_ONLY, UpstreamProtocol
from harness.upstream import Connection, Upstream, answering, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", "h2")]

#: Every protocol of clients with every protocol of upstreams.
EACH_PAIR = pytest.mark.upstreams("https", "h2c", "h2", full=True)

MIB = 1 << 20
BLOCK = bytes(range(256)) * 256
SIZES = [0, 1, 65_536, 5 * MIB]
QUICK = {"head_timeout": "300ms", "idle_timeout": "300ms", "body_timeout": "300ms"}


def content(size: int) -> bytes:
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


def digesting(connection: Connection) -> None:
    """Answers the size and the digest of what it gets."""
    while head := connection.read_head():
        digest, count = hashlib.sha256(), 0
        for piece in request_body(connection.stream, head):
            digest.update(piece)
            count += len(piece)
        assert head.complete
        connection.send(ok(f"{count} {digest.hexdigest()}".encode()))


def waiting(connection: Connection) -> None:
    connection.read_request()
    connection.await_end()


@pytest.mark.parametrize("known", [True, False], ids=["length known", "length unknown"])
@pytest.mark.parametrize("size", SIZES)
def test_uploads_arrive_as_they_were_sent(gateway: Start, upstream: Origin, size: int, known: bool) -> None:
    origin = upstream(digesting)
    body = content(size)
    with call(gateway(policy(origin.port)).port, "POST", length=size if known else None, ends=False) as asked:
        answer = asked.end(body).response()
    assert answer.body.decode() == f"{size} {hashlib.sha256(body).hexdigest()}"
    assert answer.complete
    assert origin.requests[0].value("content-length") == (str(size) if known else None)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("size", SIZES)
def test_downloads_arrive_as_they_were_sent(gateway: Start, upstream: Origin, size: int, framing: str) -> None:
    body = content(size)

    def script(connection: Connection) -> None:
        connection.read_request()
        line = {"length": f"Content-Length: {size}\r\n", "chunked": "Transfer-Encoding: chunked\r\n"}.get(framing, "")
        connection.send(f"HTTP/1.1 200 OK\r\n{line}\r\n".encode())
        if framing == "chunked":
            connection.send((b"%x\r\n%s\r\n" % (size, body) if body else b"") + b"0\r\n\r\n")
        else:
            connection.send(body)

    answer = ask(gateway(policy(upstream(script).port)).port)
    assert answer.status == 200 and answer.body == body and answer.complete
    assert answer.value("content-length") == (str(size) if framing == "length" else None)


@EACH_PAIR
def test_an_echo_runs_both_ways_at_once(gateway: Start, upstream: Origin) -> None:
    def echo(connection: Connection) -> None:
        head = connection.read_head()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in request_body(connection.stream, head):
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")

    with call(gateway(policy(upstream(echo).port)).port, "POST", ends=False) as asked:
        assert asked.send(b"one").read_head().status == 200
        for _ in range(8):
            asked.send(BLOCK)
        asked.end(b"two")
        if isinstance(asked, HTTP2Call):
            assert asked.response().body == b"one" + BLOCK * 8 + b"two"


@EACH_PAIR
def test_trailers_of_a_request(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    spoofed = ["x-auth-subject: root", "x_auth_scopes: root", "authorization: Bearer x", "host: evil.test"]
    with call(gateway(policy(origin.port)).port, "POST", ends=False) as asked:
        assert asked.end(b"hello", trailers=["x-sum: 7", *spoofed]).response().status == 200
    seen = origin.requests[0]
    assert seen.body == b"hello" and seen.trailers == [("x-sum", "7")]


@EACH_PAIR
def test_trailers_of_an_answer(gateway: Start, upstream: Origin, upstream_protocol: UpstreamProtocol) -> None:
    # In HTTP/2 a length in the trailers that does not hold makes the answer malformed.
    forbidden = "Cache-Control: no-store" if upstream_protocol.is_http2 else "Content-Length: 9"

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
        connection.send(b"5\r\nhello\r\n0\r\nX-Sum: 7\r\n%s\r\n\r\n" % forbidden.encode())

    answer = ask(gateway(policy(upstream(script).port)).port, fields=["te: trailers"])
    assert answer.body == b"hello" and answer.complete
    assert [(name.lower(), value) for name, value in answer.trailers] == [("x-sum", "7")]


@EACH_PAIR
def test_head_has_no_content(gateway: Start, upstream: Origin) -> None:
    origin = upstream(answering(lambda message: ok(b"0123456789")))
    answer = ask(gateway(policy(origin.port)).port, method="HEAD")
    assert answer.status == 200 and answer.value("content-length") == "10" and answer.body == b""
    assert answer.complete and origin.requests[0].method == "HEAD"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_content(gateway: Start, upstream: Origin, status: int) -> None:
    origin = upstream(answering(lambda message: b'HTTP/1.1 %d X\r\nETag: "a"\r\n\r\n' % status))
    answer = ask(gateway(policy(origin.port)).port)
    assert answer.status == status and answer.body == b"" and answer.complete and answer.value("etag") == '"a"'


@EACH_PAIR
def test_interim_answers_are_relayed(gateway: Start, upstream: Origin) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    answer = ask(gateway(policy(upstream(answering(lambda message: hints + ok())).port)).port)
    assert answer.status == 200 and [hint.status for hint in answer.informational] == [103, 102]
    assert answer.informational[0].value("link") == "</a.css>; rel=preload"


def test_expect_is_relayed_and_content_waits(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        head = connection.read_head()
        assert head and head.value("expect") == "100-continue"
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.send(ok(connection.read_body(head)))

    port = gateway(policy(upstream(script).port)).port
    with call(port, "POST", fields=["expect: 100-continue"], length=5, ends=False) as asked:
        assert asked.read_head().status == 100
        assert asked.end(b"hello").response().body == b"hello"


def test_expect_is_refused_before_the_content(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    port = gateway(keyed_policy(origin.port, records=[api_key()[1]])).port
    with call(port, "POST", fields=["expect: 100-continue"], length=5, ends=False) as asked:
        answer = asked.response()
    assert answer.status == 401 and not answer.informational and not origin.connections


@EACH_PAIR
@pytest.mark.parametrize("known", [True, False], ids=["length known", "length unknown"])
def test_a_refused_upload_gets_its_answer(gateway: Start, upstream: Origin, known: bool) -> None:
    origin = upstream()
    port = gateway(keyed_policy(origin.port, records=[api_key()[1]])).port
    with call(port, "POST", length=700_000 if known else None, ends=False) as asked:
        answer = asked.end(content(700_000)).response()
    assert answer.status == 401 and reason(answer) == "credential_missing" and answer.complete
    assert answer.values("www-authenticate") and answer.value("x-request-id")
    assert not origin.connections


@EACH_PAIR
@pytest.mark.parametrize("known", [True, False], ids=["length known", "length unknown"])
def test_a_body_above_its_bound_is_413(gateway: Start, upstream: Origin, known: bool) -> None:
    port = gateway(policy(upstream().port, bounds={"body_bytes": "1KiB"})).port
    for size, status in ((1024, 200), (1025, 413), (200_000, 413)):
        with call(port, "POST", length=size if known else None, ends=False) as asked:
            assert asked.end(content(size)).response().status == status


def test_an_early_answer_to_an_unfinished_upload(gateway: Start, upstream: Origin) -> None:
    def hasty(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        connection.await_end()

    origin = upstream(hasty)
    with call(gateway(policy(origin.port)).port, "POST", length=50 * MIB, ends=False) as asked:
        answer = asked.send(BLOCK).response()
        assert answer.status == 403 and answer.body == b"big" and answer.complete
        if isinstance(asked, HTTP2Call):
            # RFC 9113 §8.1: the answer is whole, so the rest of the upload may stop without an error.
            asked.client.pump(lambda: asked.reset_code is not None)
            assert asked.reset_code == 0
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())


@pytest.mark.parametrize("way", ["leave", "crash"])
@pytest.mark.parametrize("moment", ["waiting", "uploading", "downloading"])
def test_a_client_that_leaves_aborts_the_exchange(gateway: Start, upstream: Origin, way: str, moment: str) -> None:
    def script(connection: Connection) -> None:
        if moment == "uploading":
            head = connection.read_head()
            for _ in request_body(connection.stream, head):
                pass
            assert not head.complete, "an unfinished body was ended for the client"
        else:
            connection.read_request()
        if moment == "downloading":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
            while True:
                connection.send(BLOCK)
        connection.await_end()

    origin = upstream(script)
    running = gateway(policy(origin.port))
    asked = call(running.port, "POST" if moment == "uploading" else "GET", ends=moment != "uploading")
    origin.wait_for(lambda: origin.requests)
    if moment == "uploading":
        asked.send(b"half")
        until(lambda: b"half" in origin.raw, what="the first half")
    if moment == "downloading":
        assert asked.read_head().status == 200
    getattr(asked, way)()
    connection = origin.connections[0]
    # The scripted server floods meanwhile, which takes a busy machine its time.
    until(lambda: connection.stream.ended or connection.fault is not None, 20, what="the abort at the upstream")
    assert running.access_records(1)[0]["reason"] == "client_left"


@pytest.mark.parametrize("size", [0, 40_000])
def test_a_client_that_sends_no_more_is_answered(gateway: Start, upstream: Origin, size: int) -> None:
    may_answer = threading.Event()

    def script(connection: Connection) -> None:
        request = connection.read_request()
        may_answer.wait(10)
        connection.send(ok(request.body + b"!"))

    origin = upstream(script)
    running = gateway(policy(origin.port))
    with call(running.port, "POST", length=size, ends=False, half_closes=True) as asked:
        asked.end(content(size))
        origin.wait_for(lambda: origin.requests and origin.requests[0].complete)
        asked.half_close()
        may_answer.set()
        answer = asked.response()
        assert answer.body == content(size) + b"!" and answer.complete
        assert asked.is_closed()


def test_a_client_that_sends_no_more_does_not_wait_for_ever(gateway: Start, upstream: Origin) -> None:
    origin = upstream(waiting)
    running = gateway(policy(origin.port, bounds={"half_close_timeout": "200ms"}))
    with call(running.port, half_closes=True) as asked:
        origin.wait_for(lambda: origin.requests)
        asked.half_close()
        assert asked.is_closed()
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
    assert running.access_records(1)[0]["reason"] == "client_timed_out"


def test_a_client_that_ends_within_its_content_has_left(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        head = connection.read_head()
        for _ in request_body(connection.stream, head):
            pass
        assert not head.complete, "an unfinished body was ended for the client"

    origin = upstream(script)
    running = gateway(policy(origin.port))
    with call(running.port, "POST", ends=False, half_closes=True) as asked:
        asked.send(b"half")
        until(lambda: b"half" in origin.raw, what="the first half")
        asked.half_close()
        assert asked.is_closed()
    assert running.access_records(1)[0]["reason"] == "client_left"


@EACH_PAIR
def test_a_cut_download_is_cut_for_the_client_too(gateway: Start, upstream: Origin) -> None:
    may_die = threading.Event()

    def die(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + BLOCK)
        may_die.wait(10)

    running = gateway(policy(upstream(die).port))
    with call(running.port) as asked:
        assert asked.read_head().status == 200
        may_die.set()
        if isinstance(asked, HTTP2Call):
            assert not asked.response().complete and asked.reset_code == 2
        else:
            while asked.client.stream.fill():
                pass
            assert len(asked.client.stream.raw) < 1_000_000
    assert running.access_records(1)[0]["reason"] == "upstream_cut"


def test_a_slow_client_stops_the_upstream(gateway: Start, upstream: Origin) -> None:
    sent = threading.Event()

    def flood(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (24 * MIB))
        for _ in range(24 * MIB // len(BLOCK)):
            connection.send(BLOCK)
        sent.set()

    running = gateway(policy(upstream(flood).port))
    with call(running.port, receive_buffer=65_536) as asked:
        if isinstance(asked, HTTP2Call):
            asked.takes = False
        assert asked.read_head().status == 200
        assert not sent.wait(0.3), "the gateway swallowed the body"


PATHS = [
    ("/a/%2e%2e/b", "path_dot_segment"),
    ("/a/../b", "path_dot_segment"),
    ("/a/./b", "path_dot_segment"),
    ("/a%2fb", "path_encoded_slash"),
    ("/a%5Cb", "path_encoded_slash"),
    ("/a%00b", "path_control_character"),
    ("/a%0d%0ab", "path_control_character"),
    ("/a%", "target_invalid"),
    ("/a%4", "target_invalid"),
    ("/a%ff", "path_encoding_invalid"),
    ("/a/..;x/b", "path_dot_segment"),
]
#: What no request line could hold.
HTTP2_PATHS = ["/a b", "/a\tb", "/a#b", "a/b", "", "*", "http://gw.test/a", "/a\x7f", "/a HTTP/1.1\r\nX: y", "\\a"]


def test_tricks_with_the_path(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    for target, why in PATHS:
        answer = ask(running.port, target)
        assert answer.status == 400 and reason(answer) == why, (target, answer.body)
    for target in HTTP2_PATHS if running.protocol.is_http2 else ():
        try:
            assert ask(running.port, target).status == 400, target
        except StreamReset as reset:
            assert reset.code == 1, target
    assert not origin.requests
    for target in ("/a%2Db?c=%7e&d=e%20f+g", "/a;b=c,d/e:@!$&'()*+=", "/?", "/%E2%82%AC", "/a?x=[1]&y={2}|\"'"):
        assert ask(running.port, target).status == 200
        assert origin.requests[-1].target == target


def routed(port: int) -> Json:
    routes = [
        open_route(name="one", match={"hosts": ["one.test"], "path": "/**"}),
        open_route(name="only", match={"path": "/only", "methods": ["GET", "PUT"]}),
    ]
    return policy(port, routes=routes)


def test_routes_by_host_and_method(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(routed(origin.port))
    for host in ("one.test", "ONE.TEST", "one.test:8443"):
        assert ask(running.port, "/x", host=host).status == 200
    assert reason(ask(running.port, "/x", host="two.test")) == "route_not_found"
    refused = ask(running.port, "/only", method="POST")
    assert refused.status == 405 and {"GET", "PUT"} <= set(refused.value("allow").split(", "))
    assert len(origin.requests) == 3
    assert [seen.value("x-forwarded-host").lower() for seen in origin.requests] == ["one.test"] * 2 + ["one.test:8443"]
    scheme = "https" if running.protocol.is_tls else "http"
    assert {seen.value("x-forwarded-proto") for seen in origin.requests} == {scheme}


@EACH_PAIR
def test_what_is_added_and_what_stays_behind(gateway: Start, upstream: Origin) -> None:
    origin = upstream(answering(lambda message: ok(b"hi", "Connection: x-hop", "X-Hop: 1", "Keep-Alive: timeout=5", "X-B: 2")))
    running = gateway(policy(origin.port) | {"via": "gate"})
    answer = ask(running.port, fields=["Proxy-Authorization: Basic eA==", "TE: trailers", "Via: 2 before", "X-A: 1", "x-a: 2"])
    seen = origin.requests[0]
    assert not {"proxy-authorization", "http2-settings"} & seen.names()
    assert ", ".join(seen.values("x-a")) == "1, 2"
    ours = seen.values("via")[-1].split(", ")[-1]
    assert ours.startswith("2.0 " if running.protocol.is_http2 else "1.1 "), ours
    assert not {"x-hop", "keep-alive"} & answer.names() and answer.value("x-b") == "2"
    assert "connection" not in answer.names() or not running.protocol.is_http2
    assert answer.value("date") and answer.value("x-request-id") == seen.value("x-request-id")


@pytest.mark.parametrize("kind", ["long", "many"])
def test_heads_too_large_are_431(gateway: Start, upstream: Origin, kind: str) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    fields = ["X-A: " + "a" * 40_000] if kind == "long" else [f"X-{number}: a" for number in range(150)]
    answer = ask(running.port, fields=fields)
    assert answer.status == 431 and problem(answer)["reason"] in ("head_too_large", "too_many_fields")
    assert ask(running.port, "/" + "a" * 20_000).status == 414
    assert not origin.requests


def test_https_only(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    running = gateway(keyed_policy(origin.port, records=[record], route={"https_only": True}))
    answer = ask(running.port, fields=[f"X-API-Key: {secret}"])
    assert answer.status == (200 if running.protocol.is_tls else 403)
    assert running.protocol.is_tls or reason(answer) == "https_required"
    wrong = ask(running.port, fields=["X-API-Key: rbtk_wrong"])
    assert wrong.status == (401 if running.protocol.is_tls else 403), "a credential sent in clear was looked at"


def test_a_stalled_upload_is_408(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, bounds=QUICK))
    with call(running.port, "POST", length=100, ends=False) as asked:
        assert asked.send(b"half").response().status == 408
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
    assert running.access_records(1)[0]["reason"] == "body_timeout"


def test_no_answer_in_time_is_504(gateway: Start, upstream: Origin) -> None:
    origin = upstream(waiting)
    answer = ask(gateway(policy(origin.port, upstream={"response_timeout": "200ms"})).port)
    assert answer.status == 504 and reason(answer) == "upstream_timeout"
    origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())


def test_nobody_behind_the_gateway_is_502(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    origin.stop()
    answer = ask(gateway(policy(origin.port)).port, method="POST", body=b"x" * 1000)
    assert answer.status == 502 and reason(answer) == "upstream_unreachable"


def test_a_drain_finishes_what_is_under_way(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()

    def hold(connection: Connection) -> None:
        connection.read_request()
        may_answer.wait(10)
        connection.send(ok(BLOCK))

    origin = upstream(hold)
    running = gateway(policy(origin.port))
    with call(running.port) as asked:
        origin.wait_for(lambda: origin.requests)
        running.signal(signal.SIGTERM)
        running.wait_for_line("drain")
        may_answer.set()
        answer = asked.response()
        assert answer.status == 200 and answer.body == BLOCK and answer.complete
        assert running.process.wait(5) == 0


def test_a_request_keeps_the_policy_it_began_with(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()

    def hold(connection: Connection) -> None:
        while connection.read_request():
            may_answer.wait(10)
            connection.send(ok())

    def marked(value: str) -> Json:
        return policy(origin.port, routes=[open_route(response_headers={"set": {"X-Mark": value}})])

    origin = upstream(hold)
    running = gateway(marked("old"))
    with call(running.port) as asked:
        origin.wait_for(lambda: origin.requests)
        running.replace(marked("new"))
        running.wait_for_line("reload|policy")
        may_answer.set()
        assert asked.response().value("x-mark") == "old"
    until(lambda: ask(running.port).value("x-mark") == "new", 2, "the new policy")


@pytest.mark.clients(*HTTP1_ONLY)
def test_kept_connections_are_used_again(gateway: Start, upstream: Origin) -> None:
    origin = upstream(answering(lambda message: ok(message.target.encode())))
    with call(gateway(policy(origin.port)).port, target="/0") as asked:
        seen: list[Message] = [asked.response()]
        for number in range(1, 10):
            asked.client.send(f"GET /{number} HTTP/1.1\r\nHost: gw.test\r\n\r\n")
            seen.append(asked.response())
    assert [answer.body for answer in seen] == [b"/%d" % number for number in range(10)]
