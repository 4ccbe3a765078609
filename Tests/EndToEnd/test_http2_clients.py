"""HTTP/2 by programs that nobody here wrote, and what many streams on one connection may expect of each other."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable

import httpx
import pytest
from harness.certificates import shelf
from harness.client import ask
from harness.gateway import Gateway
from harness.http2 import HTTP2Client, StreamReset
from harness.origin import QuickOrigin
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.upstream import Connection, Upstream, answering, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients("h2", "h2-tls")

BLOCK = bytes(range(256)) * 256


def run(*arguments: str, given: bytes | None = None) -> bytes:
    done = subprocess.run(arguments, input=given, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def keyed(gateway: Start, upstream: Origin) -> tuple[Gateway, Upstream, str]:
    """A keyed gateway before an upstream that answers with what it was sent."""
    origin = upstream(answering(lambda message: ok(f"{message.method} {message.target} ".encode() + message.body)))
    secret, record = api_key()
    return gateway(keyed_policy(origin.port, records=[record])), origin, secret


def test_curl(keyed) -> None:
    running, _, secret = keyed
    how = ["--http2", "--cacert", str(shelf().authority.path)] if running.protocol.is_tls else ["--http2-prior-knowledge"]
    key = f"X-API-Key: {secret}"

    def curl(*arguments: str, given: bytes | None = None) -> bytes:
        return run("curl", "-sS", "--max-time", "20", *how, *arguments, given=given)

    assert curl("-o", "/dev/null", "-w", "%{http_code} %{http_version}", running.url) == b"401 2"
    assert curl("-H", key, running.url + "/a?b=c") == b"GET /a?b=c "
    big = b"x" * 3_000_000
    assert curl("-H", key, "--data-binary", "@-", running.url + "/big", given=big) == b"POST /big " + big
    assert curl("-H", key, "-T", "-", running.url + "/put", given=big) == b"PUT /put " + big
    assert curl("-H", key, "-I", running.url).startswith(b"HTTP/2 200")
    if not running.protocol.is_tls:
        return  # curl 7.88 cannot use such a connection again, whatever server it is
    many = curl("-H", key, *[f"{running.url}/{number}" for number in range(5)], "-w", "%{num_connects} ")
    assert many.count(b"0 ") >= 4, "the connection was not kept"


def test_nghttp(keyed) -> None:
    running, origin, secret = keyed
    urls = [f"{running.url}/{number}" for number in range(10)]
    text = run("nghttp", "-v", "-H", f"X-API-Key: {secret}", *urls).decode(errors="replace")
    assert len(re.findall(r":status: 200", text)) == 10
    assert {seen.target for seen in origin.requests} == {f"/{number}" for number in range(10)}
    posted = ["--no-content-length", "--trailer", "x-sum: 7", "-d", __file__]
    trailed = run("nghttp", "-v", *posted, "-H", f"X-API-Key: {secret}", running.url)
    assert b":status: 200" in trailed
    assert origin.requests[-1].trailers == [("x-sum", "7")]


def test_httpx(keyed) -> None:
    running, _, secret = keyed
    trust = ssl.create_default_context(cafile=str(shelf().authority.path))
    versions = {"http1": running.protocol.is_tls, "http2": True}
    with httpx.Client(base_url=running.url, headers={"X-API-Key": secret}, verify=trust, **versions) as client:
        assert client.get("/a").http_version == "HTTP/2"
        assert client.post("/x", content=b"y" * 100_000).text == "POST /x " + "y" * 100_000
        assert client.post("/s", content=iter([b"one", b"two"])).text == "POST /s onetwo"
        assert client.get("/", headers={"X-API-Key": "no"}).json()["status"] == 401


def succeeded(text: str) -> tuple[int, int]:
    """Requests done and requests answered 2xx, by h2load."""
    done = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed", text)
    good = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    assert done and good, text
    assert done[4] == "0" and good.groups()[1:] == ("0", "0", "0"), text
    return int(done[2]), int(good[1])


def marked(port: int, mark: str) -> Json:
    return policy(port, access_log="off", routes=[open_route(response_headers={"set": {"X-Mark": mark}})])


def test_edits_under_the_load_of_h2load_lose_no_request(gateway: Start, quick_origin: QuickOrigin) -> None:
    running = gateway(marked(quick_origin.port, "start"))
    process = subprocess.Popen(
        ["h2load", "-t1", "-c8", "-m16", "-n60000", running.url + "/x"], stdout=subprocess.PIPE, text=True
    )
    edits = 0
    while process.poll() is None and edits < 50:
        edits += 1
        running.replace(marked(quick_origin.port, f"policy-{edits}"))
        until(lambda: ask(running.port).value("x-mark") == f"policy-{edits}", 3, "the new policy")
    assert succeeded(process.communicate(timeout=60)[0]) == (60_000, 60_000)
    assert edits > 1


def test_a_stalled_upload_does_not_stall_its_neighbours(gateway: Start, upstream: Origin) -> None:
    may_read = threading.Event()

    def script(connection: Connection) -> None:
        while head := connection.read_head():
            if head.target == "/slow":
                may_read.wait(10)
            connection.read_body(head)
            connection.send(ok(str(len(head.body)).encode()))

    running = gateway(policy(upstream(script).port))
    with HTTP2Client(running.port, running.protocol) as client:
        slow = client.open("POST", "/slow", ends=False)
        # All that the stream's own window takes.
        slow.send(bytes(client.machine.local_flow_control_window(slow.number)))
        for number in range(20):
            assert client.ask(f"/{number}", method="POST", body=b"x" * 1000).body == b"1000"
        may_read.set()
        assert int(slow.end().response().body) >= 65_535


def test_an_answer_that_is_not_taken_does_not_stall_its_neighbours(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        while message := connection.read_request():
            connection.send(ok(BLOCK * 64 if message.target == "/large" else b"small"))

    running = gateway(policy(upstream(script).port))
    with HTTP2Client(running.port, running.protocol, window=65_535) as client:
        large = client.open(target="/large")
        large.takes = False
        assert large.read_head().status == 200
        for _ in range(20):
            assert client.ask("/small").body == b"small"
        client.machine.acknowledge_received_data(len(large.answer.body), large.number)
        large.takes = True
        client.flush()
        assert large.response().body == BLOCK * 64


def test_a_cancelled_stream_leaves_its_neighbours(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        while message := connection.read_request():
            if message.target == "/hang":
                connection.await_end()
                return
            connection.send(ok())

    origin = upstream(script)
    running = gateway(policy(origin.port))
    with HTTP2Client(running.port, running.protocol) as client:
        hanging = client.open(target="/hang")
        origin.wait_for(lambda: origin.requests)
        assert client.ask().status == 200
        hanging.leave()
        origin.wait_for(lambda: origin.connections[0].closed_by_peer.is_set())
        assert client.ask().status == 200


def test_a_drain_says_goodbye_and_finishes_every_stream(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()

    def hold(connection: Connection) -> None:
        connection.read_request()
        may_answer.wait(10)
        connection.send(ok(BLOCK))

    origin = upstream(hold)
    running = gateway(policy(origin.port))
    with HTTP2Client(running.port, running.protocol) as client:
        calls = [client.open(target=f"/{number}") for number in range(10)]
        origin.wait_for(lambda: len(origin.requests) == 10)
        running.signal(signal.SIGTERM)
        # First a warning that refuses nothing, then the last stream (RFC 9113 §6.8).
        client.pump(lambda: len(client.goodbyes) == 2)
        assert client.goodbyes == [(0, 2**31 - 1), (0, calls[-1].number)]
        may_answer.set()
        for call in calls:
            answer = call.response()
            assert answer.status == 200 and answer.body == BLOCK and answer.complete
        assert client.is_closed()
    assert running.process.wait(5) == 0


def test_a_drain_under_load_loses_no_request(gateway: Start, upstream: Origin) -> None:
    """Each client goes on until it is told of the end; what it had sent before was answered whole."""
    running = gateway(policy(upstream().port, access_log="off"))
    broken: list[str] = []
    answered = [0]

    def client() -> None:
        try:
            with HTTP2Client(running.port, running.protocol) as one:
                while not one.goodbyes:
                    for call in [one.open() for _ in range(4)]:
                        answer = call.response()
                        if answer.status != 200 or not answer.complete:
                            broken.append(answer.start)
                        answered[0] += 1
        except StreamReset as fault:
            # A stream opened behind the last one is ignored, and the client knows it may try again elsewhere.
            if not one.goodbyes or call.number <= one.goodbyes[-1][1]:
                broken.append(repr(fault))
        except (OSError, AssertionError) as fault:
            broken.append(repr(fault))

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: answered[0] >= 200, 10, "load")
    running.signal(signal.SIGTERM)
    for thread in threads:
        thread.join(10)
    assert running.process.wait(5) == 0
    assert not broken, broken[:5]


def test_a_client_that_sends_no_more_gets_what_it_asked_for_in_full(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()

    def hold(connection: Connection) -> None:
        head = connection.read_head()
        if head.target == "/unfinished":
            assert not connection.read_body(head) and not head.complete
            return
        may_answer.wait(10)
        connection.send(ok(BLOCK))

    origin = upstream(hold)
    running = gateway(policy(origin.port))
    with HTTP2Client(running.port, running.protocol, half_closes=True) as client:
        calls = [client.open(target=f"/{number}") for number in range(3)]
        client.open("POST", "/unfinished", ends=False)
        origin.wait_for(lambda: len(origin.requests) == 4)
        calls[0].half_close()
        assert running.access_records(1)[0]["reason"] == "client_left"
        may_answer.set()
        for call in calls:
            answer = call.response()
            assert answer.status == 200 and answer.body == BLOCK and answer.complete
        assert client.is_closed()


def test_an_answer_whose_window_nobody_can_open_is_cut(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()

    def hold(connection: Connection) -> None:
        connection.read_request()
        may_answer.wait(10)
        connection.send(ok(bytes(400_000)))

    origin = upstream(hold)
    running = gateway(policy(origin.port))
    with HTTP2Client(running.port, running.protocol, window=50_000, half_closes=True) as client:
        call = client.open()
        call.takes = False
        origin.wait_for(lambda: origin.requests)
        call.half_close()
        may_answer.set()
        answer = call.response()
        assert len(answer.body) == 50_000 and not answer.complete and call.reset_code == 8
        assert client.is_closed()
    assert running.access_records(1)[0]["reason"] == "client_left"


@pytest.mark.clients("h2")
def test_both_versions_on_one_port_in_clear(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    assert run("curl", "-sS", "--http1.1", running.url) == b"hello"
    assert run("curl", "-sS", "--http2-prior-knowledge", running.url) == b"hello"
    # `Upgrade: h2c` is not followed (RFC 9113 §3.1 took it back); the request is answered as it came.
    assert run("curl", "-sS", "--http2", "-w", " %{http_version}", running.url) == b"hello 1.1"
