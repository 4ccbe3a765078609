"""Ending: nothing that was begun is lost, nothing idle holds the process, and a deadline holds for the rest."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import load
from harness.client import RawClient, ask, request
from harness.gateway import Gateway, binary
from harness.http2 import HTTP2Client
from harness.policy import api_key, keyed_policy, open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*HTTP1_ONLY), pytest.mark.upstreams("https", "h2c", "h2", one=True)]


def held(upstream: Origin) -> tuple[Upstream, threading.Event]:
    """An upstream that answers when told."""
    may_answer = threading.Event()

    def script(connection: Connection) -> None:
        while connection.read_request():
            may_answer.wait(20)
            connection.send(ok())

    return upstream(script), may_answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_exchange_is_finished_and_idle_connections_close(gateway: Start, upstream: Origin, number: int) -> None:
    origin, may_answer = held(upstream)
    running = gateway(policy(origin.port))
    idle = RawClient(running.port)
    busy = RawClient(running.port).send(request())
    origin.wait_for(lambda: origin.requests)
    running.signal(number)
    assert idle.is_closed(5)
    running.wait_for_line("drain")
    assert running.is_alive()
    with pytest.raises(OSError):
        RawClient(running.port).send(request()).stream.sock.recv(1) or (_ for _ in ()).throw(OSError)
    may_answer.set()
    answer = busy.response()
    assert answer.body == b"hello" and answer.value("connection") == "close"
    assert busy.is_closed()
    assert running.process.wait(5) == 0


def test_no_traffic_no_delay(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 1


def test_a_second_signal_exits(gateway: Start, upstream: Origin) -> None:
    origin, _ = held(upstream)
    running = gateway(policy(origin.port))
    with RawClient(running.port) as client:
        client.send(request())
        origin.wait_for(lambda: origin.requests)
        running.signal(signal.SIGTERM)
        running.wait_for_line("drain")
        running.signal(signal.SIGTERM)
        began = time.monotonic()
        running.process.wait(5)
        assert time.monotonic() - began < 2
    running.process.returncode = 0  # ended because it was told to, whatever status it chose


def test_the_deadline_holds(gateway: Start, upstream: Origin) -> None:
    origin, _ = held(upstream)
    running = gateway(policy(origin.port, bounds={"drain_timeout": "500ms"}))
    client = RawClient(running.port).send(request())
    origin.wait_for(lambda: origin.requests)
    running.signal(signal.SIGTERM)
    began = time.monotonic()
    running.process.wait(5)
    assert 0.3 < time.monotonic() - began < 3
    client.sock.close()
    running.process.returncode = 0


@pytest.mark.parametrize("seconds", [2])
def test_a_drain_under_load_loses_no_request(gateway: Start, upstream: Origin, seconds: int) -> None:
    """Each client goes on until its connection ends; what it had sent before `Connection: close` was answered whole."""
    running = gateway(policy(upstream().port, access_log="off"))
    broken: list[str] = []
    answered = [0]

    def client() -> None:
        try:
            with RawClient(running.port) as raw:
                while True:
                    raw.send(request())
                    answer = raw.response()
                    if answer.status != 200 or not answer.complete:
                        broken.append(answer.start)
                    answered[0] += 1
                    if answer.value("connection") == "close":
                        return
        except (OSError, AssertionError) as fault:
            broken.append(repr(fault))

    threads = [threading.Thread(target=client) for _ in range(24)]
    for thread in threads:
        thread.start()
    while answered[0] < 500:
        time.sleep(0.01)
    running.signal(signal.SIGTERM)
    for thread in threads:
        thread.join(10)
    assert running.process.wait(5) == 0
    assert answered[0] >= 500
    assert not broken, broken[:5]


def test_a_restart_beside_the_old_process(gateway: Start, upstream: Origin) -> None:
    """SO_REUSEPORT: a new gateway may take the port while the old one drains."""
    origin = upstream()
    old = gateway(policy(origin.port))
    config = policy(origin.port)
    config["listeners"] = [{"address": f"127.0.0.1:{old.port}"}]
    new = gateway(config, arguments=("--takeover",))
    assert f"process {old.process.pid} listens there too" in "\n".join(new.lines)
    old.signal(signal.SIGTERM)
    assert old.process.wait(5) == 0
    seen = load.run(new.url + "/x", 1, 16)
    assert seen.errors == 0 and seen.refused == 0 and seen.requests > 10, seen.text


@pytest.mark.clients("h1")
@pytest.mark.upstreams()
def test_operators_are_answered_to_the_end(gateway: Start, upstream: Origin) -> None:
    origin, may_answer = held(upstream)
    probes = {"address": "127.0.0.1:0"}
    running = gateway(policy(origin.port, admin={"address": "127.0.0.1:0", "probes": probes}))
    probe_port = int(running.wait_for_line(r"probes on ").rsplit(":", 1)[1])
    with RawClient(running.admin_port) as kept:
        assert kept.send(request(target="/readyz")).response().status == 200
        busy = RawClient(running.port).send(request())
        origin.wait_for(lambda: origin.requests)
        running.signal(signal.SIGTERM)
        running.wait_for_line("drain")
        for port in (running.admin_port, probe_port):
            assert ask(port, "/readyz").status == 503
            assert ask(port, "/healthz").status == 200
        assert ask(running.admin_port, "/metrics").status == ask(running.admin_port, "/status").status == 200
        # A kept connection is kept: it is the operator's, and the process does not wait for it.
        answer = kept.send(request(target="/readyz")).response()
        assert answer.status == 503 and answer.value("connection") != "close"
        may_answer.set()
        assert busy.response().status == 200
        assert running.process.wait(5) == 0


@pytest.mark.clients("h1")
@pytest.mark.upstreams()
def test_listeners_stay_open_for_the_drain_delay_and_each_answer_tells_its_client_to_go(
    gateway: Start, upstream: Origin
) -> None:
    running = gateway(policy(upstream().port, bounds={"drain_delay": "3s"}))
    with RawClient(running.port) as kept, HTTP2Client(running.port) as streams:
        assert kept.send(request()).response().value("connection") != "close"
        assert streams.ask().status == 200 and not streams.goodbyes
        running.signal(signal.SIGTERM)
        running.wait_for_line("draining: the listeners stay open for 3000 ms")
        assert ask(running.admin_port, "/readyz").status == 503
        for client in (kept, RawClient(running.port)):
            answer = client.send(request()).response()
            assert (answer.status, answer.value("connection")) == (200, "close")
            assert client.is_closed()
        # A client that were told to go before its first answer would only come again.
        with HTTP2Client(running.port) as fresh:
            for client in (streams, fresh):
                assert client.ask().status == 200
                client.pump(lambda: client.goodbyes)
                assert client.goodbyes[0][0] == 0
                assert client.is_closed()
        assert not [line for line in running.lines if line.endswith("draining")]
    running.wait_for_line(r"info draining$")
    assert running.process.wait(5) == 0
    with pytest.raises(OSError):
        RawClient(running.port)


@pytest.mark.clients("h1")
@pytest.mark.upstreams()
def test_a_key_that_is_revoked_while_the_gateway_drains_is_refused(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key("gone")
    origin = upstream()
    bounds = {"drain_delay": "20s"}
    running = gateway(keyed_policy(origin.port, records=[record], bounds=bounds))
    running.signal(signal.SIGTERM)
    running.wait_for_line("drain")

    def status() -> int:
        return ask(running.port, fields=[f"X-API-Key: {secret}"]).status

    assert status() == 200
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mark = len(running.lines)
    listeners = [{"address": "127.0.0.1:0"}, {"address": f"127.0.0.1:{port}"}]
    running.replace(keyed_policy(origin.port, records=[], bounds=bounds, listeners=listeners))
    running.wait_for_line("reloaded", after=mark)
    assert status() == 401
    # What is about to close opens nothing.
    with pytest.raises(ConnectionRefusedError):
        RawClient(port)
    running.kill()


@pytest.mark.clients("h1")
@pytest.mark.upstreams()
@pytest.mark.parametrize("delay", ["0s", "20s"])
def test_a_second_signal_loses_no_record(gateway: Start, upstream: Origin, delay: str) -> None:
    origin, may_answer = held(upstream)
    may_answer.set()
    running = gateway(policy(origin.port, bounds={"drain_delay": delay}))
    with RawClient(running.port) as client, RawClient(running.port) as busy:
        for number in range(50):
            assert client.send(request(target=f"/answered/{number}")).response().status == 200
        may_answer.clear()
        busy.send(request(target="/cut"))
        origin.wait_for(lambda: len(origin.requests) == 51)
        running.signal(signal.SIGTERM)
        running.wait_for_line("drain")
        running.signal(signal.SIGTERM)
        assert running.process.wait(5) == 1
    running.process.returncode = 0
    records = {record["path"]: record for record in running.access_records(51)}
    assert [records[f"/answered/{number}"]["status"] for number in range(50)] == [200] * 50
    assert records["/cut"]["reason"] == "drain_timeout"


@pytest.mark.clients("h1")
@pytest.mark.upstreams()
def test_a_standard_error_that_is_not_read_stops_neither_reloads_nor_requests_nor_the_end(
    upstream: Origin, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = policy(upstream().port, listeners=[{"address": f"127.0.0.1:{port}"}], access_log="off")
    config["admin"] = {"address": "127.0.0.1:0"}
    path = tmp_path / "gateway.json"

    def replace(text: str) -> None:
        beside = tmp_path / "beside"
        beside.write_text(text)
        beside.rename(path)

    replace(json.dumps(config))
    unread, taken = os.pipe()
    fcntl.fcntl(taken, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen([str(binary()), "serve", "--config", str(path)], stdout=subprocess.DEVNULL, stderr=taken)
    try:

        def answers(mark: str | None) -> bool:
            try:
                return ask(port).value("x-policy") == mark
            except OSError:
                return False

        until(lambda: answers(None), 20, "the start")
        for number in range(4):
            # Each refusal names many mistakes.
            replace(json.dumps(config | {f"m{number}-{mistake}-{'x' * 60}": 1 for mistake in range(40)}))
            marked = config | {"routes": [open_route(response_headers={"set": {"X-Policy": str(number)}})]}
            time.sleep(0.3)
            replace(json.dumps(marked))
            until(lambda: answers(str(number)), 5, "the new policy")
        process.send_signal(signal.SIGTERM)
        assert process.wait(8) == 0
    finally:
        process.kill()
        process.wait()
        os.close(unread)
        os.close(taken)
