"""Answers before the end of an upload: clients that send everything first still see them."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import HTTP1Call, RawClient, call, request
from harness.gateway import Gateway
from harness.http2 import HTTP2Client
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import ALL, HTTP1_ONLY
from harness.upstream import Connection, Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients(*ALL)
PIECE = bytes(65_536)
LARGE = 120 * len(PIECE)


def keyed(port: int, **members: object) -> Json:
    return keyed_policy(port, records=[api_key()[1]], **members)


def upload(running: Gateway, target: str, fields: list[str], length: int | None) -> int:
    """Sends all of a large content before looking for the answer, as many clients do: any failure to send is one of the test."""
    with call(running.port, "POST", target, fields, length=length, ends=False) as asked:
        for _ in range(LARGE // len(PIECE)):
            if isinstance(asked, HTTP1Call):
                asked.client.send(PIECE if length else b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
            else:
                asked.send(PIECE)
                assert asked.reset_code is None
        return asked.response().status


@pytest.mark.parametrize("length", [LARGE, None], ids=["counted", "chunked"])
@pytest.mark.parametrize(
    ("target", "fields", "status"),
    [
        ("/keyed", [], 401),
        ("/keyed", ["Expect: 100-continue"], 401),
        ("/nowhere", [], 404),
        ("/small", [], 413),
        ("/limited", [], 429),
    ],
    ids=["no credential", "expects", "no route", "too large", "limited"],
)
def test_a_refused_upload_shows_its_refusal(
    gateway: Start, upstream: Origin, target: str, fields: list[str], status: int, length: int | None
) -> None:
    config = keyed(upstream().port, route={"match": {"path": "/keyed"}})
    config["routes"] += [open_route(name="small", match={"path": "/small"}, body_bytes="1KiB")]
    if target == "/limited":
        config["limits"] = {"few": {"requests": 1, "per": "1h", "by": "address"}}
        config["routes"] += [open_route(name="limited", match={"path": "/limited"}, limits=["few"])]
    running = gateway(config)
    if target == "/limited":
        with call(running.port, target=target) as first:
            assert first.response().status == 200
    assert upload(running, target, fields, length) == status


def test_an_upstream_that_answers_early_and_closes(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big")
        connection.close()

    running = gateway(policy(upstream(script).port))
    assert upload(running, "/", [], LARGE) == 413


@pytest.mark.clients("h2", "h2-tls")
def test_a_small_upload_is_not_reset(gateway: Start, upstream: Origin) -> None:
    """The content comes a moment behind the answer, and the stream ends as any other."""
    running = gateway(keyed(upstream().port))
    with HTTP2Client(running.port, running.protocol) as client:
        for _ in range(40):
            asked = client.open("POST", length=2, ends=False)
            assert asked.response().status == 401
            asked.end(b"{}")
        client.pump(lambda: client.ask().status == 401)
        assert all(asked.reset_code is None for asked in client.calls.values())


@pytest.mark.clients("h2", "h2-tls")
def test_an_upload_without_end_is_reset(gateway: Start, upstream: Origin) -> None:
    running = gateway(keyed(upstream().port))
    with HTTP2Client(running.port, running.protocol) as client:
        asked = client.open("POST", ends=False)
        assert asked.response().status == 401
        client.pump(lambda: asked.reset_code is not None)
        assert asked.reset_code == 0
        assert client.ask().status == 401


@pytest.mark.clients("h2", "h2-tls")
def test_many_uploads_without_end_do_not_wait_for_each_other(gateway: Start, upstream: Origin) -> None:
    running = gateway(keyed(upstream().port, bounds={"linger_timeout": "60s"}))
    with HTTP2Client(running.port, running.protocol) as client:
        client.pump(lambda: client.has_settings)
        asked = [client.open("POST", ends=False) for _ in range(100)]
        for one in asked:
            assert one.response().status == 401
        client.pump(lambda: sum(one.reset_code is not None for one in asked) >= 68)


@pytest.mark.clients(*HTTP1_ONLY)
def test_a_kept_connection_serves_what_is_behind_a_refused_upload(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(keyed_policy(upstream().port, records=[record]))
    with RawClient(running.port) as client:
        content = bytes(3_000_000)
        rest = request("GET", "/next", [f"X-API-Key: {secret}"])
        sender = threading.Thread(target=client.send, args=(request("POST", body=content) + rest,))
        sender.start()
        assert client.response("POST").status == 401
        assert client.response().status == 200
        sender.join(10)


@pytest.mark.clients(*HTTP1_ONLY)
def test_dropped_content_is_bounded_in_time(gateway: Start, upstream: Origin) -> None:
    running = gateway(keyed(upstream().port, bounds={"linger_timeout": "500ms"}))
    with RawClient(running.port) as client:
        client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert client.response("POST").status == 401

        def trickle() -> bool:
            try:
                client.send("1\r\nx\r\n")
            except OSError:
                return True
            return False

        until(trickle, what="the end of the connection")


@pytest.mark.clients(*ALL)
def test_a_drain_in_progress_does_not_delay_the_end(gateway: Start, upstream: Origin) -> None:
    running = gateway(keyed(upstream().port, bounds={"linger_timeout": "60s", "body_timeout": "60s", "drain_timeout": "60s"}))
    with call(running.port, "POST", ends=False) as asked:
        assert asked.response().status == 401
        stop = threading.Event()

        def trickle() -> None:
            while not stop.wait(0.05):
                asked.send(b"x")

        feeder = threading.Thread(target=trickle)
        feeder.start()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(8) == 0
        stop.set()
        feeder.join(10)


def test_clients_nobody_here_wrote_see_the_refusal(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    """curl 7.88 shows a reset that comes with the answer in its place."""
    running = gateway(keyed(upstream().port))
    large = tmp_path / "large"
    large.write_bytes(bytes(LARGE))
    version = "--http1.1" if not running.protocol.is_http2 else "--http2" if running.protocol.is_tls else "--http2-prior-knowledge"
    for content in ("{}", f"@{large}"):
        for _ in range(5):
            command = ["curl", "-skS", version, "-m", "15", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", content]
            done = subprocess.run([*command, running.url], capture_output=True, timeout=20, check=False)
            assert done.stdout == b"401" and done.returncode == 0, done.stderr
