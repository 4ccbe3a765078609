"""Ending: nothing that was begun is lost, nothing idle holds the process, and a deadline holds for the rest."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest
from harness import load
from harness.client import RawClient, request
from harness.gateway import Gateway
from harness.policy import policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, ok

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
    new = gateway(config)
    old.signal(signal.SIGTERM)
    assert old.process.wait(5) == 0
    seen = load.run(new.url + "/x", 1, 16)
    assert seen.errors == 0 and seen.refused == 0 and seen.requests > 10, seen.text
