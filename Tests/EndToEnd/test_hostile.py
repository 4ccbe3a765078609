"""Peers that want the gateway to fall: it stays up, stays small, and serves the others."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable

import pytest
from harness import load
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.policy import api_key, keyed_policy, open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients(*HTTP1_ONLY)

MIB = 1 << 20


def test_slow_heads_on_many_connections(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, bounds={"head_timeout": "2s"}))
    ask(running.port)
    before = running.resident_bytes()
    clients = [RawClient(running.port).send("GET / HTTP/1.1\r\nX-A: b") for _ in range(500)]
    began = time.monotonic()
    for _ in range(20):
        assert ask(running.port).status == 200
    assert time.monotonic() - began < 2
    assert running.resident_bytes() - before < 16 * MIB
    assert all(client.response().status == 408 for client in clients)


def test_idle_connections_cost_little(gateway: Start, upstream: Origin) -> None:
    """A kept connection without a request in flight: at most 1 KiB of the gateway's own memory, and 14 kB over TLS, of which
    OpenSSL has nearly all."""
    count = 1500
    running = gateway(policy(upstream().port, loops=1, access_log="off"))
    warm = [RawClient(running.port).send(request()) for _ in range(100)]
    for client in warm:
        client.response()
    before = running.resident_bytes()
    clients = []
    for _ in range(count):
        client = RawClient(running.port).send(request())
        assert client.response().status == 200
        clients.append(client)
    grown = running.resident_bytes() - before
    # With something for what the allocator keeps for itself.
    bound = 17_000 if running.protocol.is_tls else 1536
    assert grown < count * bound, f"{grown / count:.0f} bytes a connection"
    for client in clients + warm:
        client.sock.close()


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes(gateway: Start, upstream: Origin, seed: int) -> None:
    chance = random.Random(seed)
    origin = upstream()
    running = gateway(policy(origin.port))
    for _ in range(60):
        with RawClient(running.port) as client:
            try:
                client.send(chance.randbytes(chance.randrange(1, 3000)))
                client.half_close()
                client.read_all()
            except OSError:
                pass
    assert ask(running.port).status == 200
    assert len(origin.requests) == 1


@pytest.mark.parametrize("seed", range(4))
def test_mutated_requests(gateway: Start, upstream: Origin, seed: int) -> None:
    """A good request with a few bytes changed: whatever passes is well-formed for the upstream, a strict reader."""
    chance = random.Random(seed)
    secret, record = api_key()
    origin = upstream()
    running = gateway(keyed_policy(origin.port, records=[record], failure_budget="off"))
    good = (
        f"POST /a/b?c=d HTTP/1.1\r\nHost: gw.test\r\nX-API-Key: {secret}\r\nTransfer-Encoding: chunked\r\n"
        "Connection: keep-alive\r\n"
        "X-Forwarded-For: 1.2.3.4\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"
    ).encode()
    for _ in range(120):
        piece = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(piece))
            match chance.randrange(3):
                case 0:
                    piece[at] = chance.randrange(256)
                case 1:
                    piece[at:at] = chance.choice([b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b"0", b"\xff"])
                case _:
                    del piece[at]
        with RawClient(running.port) as client:
            try:
                client.send(bytes(piece))
                client.half_close()
                client.read_all()
            except OSError:
                pass
    assert running.is_alive()
    assert ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 200
    for message in origin.requests:
        assert len(message.values("x-auth-subject")) == 1


def test_a_killed_upstream_under_load(gateway: Start, upstream: Origin) -> None:
    """kill -9 of a server while wrk runs, and a new one on its port: the gateway's own 502, until it is back."""
    import subprocess
    import tempfile
    from pathlib import Path

    from test_clients import NGINX, NGINX_USER  # the same plain server

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "www").mkdir()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, user=NGINX_USER))

        def start() -> subprocess.Popen:
            (folder / "probe.sock").unlink(missing_ok=True)
            process = subprocess.Popen(
                ["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL, start_new_session=True
            )
            until((folder / "probe.sock").exists, what="nginx")
            return process

        server = start()
        running = gateway(policy(port, access_log="off"))
        try:
            assert ask(running.port, "/who").status == 200
            process = load.start(running.url + "/who", 3, 64)
            until(lambda: running.metric("portcullis_requests_total") > 200, what="some requests")
            os.killpg(server.pid, 9)
            server.wait()
            until(lambda: ask(running.port, "/who").status == 502, what="the fault to show")
            server = start()
            until(lambda: ask(running.port, "/who").status == 200, what="recovery")
            seen = load.finish(process)
            assert seen.errors == 0, seen.text
            assert seen.requests - seen.refused > 100
        finally:
            os.killpg(server.pid, 9)
            server.wait()


def test_a_full_disk_does_not_stop_requests(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, access_log="file:/dev/full"))
    for _ in range(200):
        assert ask(running.port).status == 200
    running.wait_for_line("access log cannot be written")
    assert running.stop() == 0


def test_a_closed_standard_output_does_not_stop_requests(upstream: Origin, tmp_path) -> None:
    running = Gateway(policy(upstream().port), tmp_path, access_log="/dev/full")
    try:
        for _ in range(100):
            assert ask(running.port).status == 200
        assert running.stop() == 0
    finally:
        running.kill()


def test_many_connections_that_come_and_go(gateway: Start, upstream: Origin) -> None:
    """Descriptors are given back."""
    running = gateway(policy(upstream().port))

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{running.process.pid}/fd"))

    ask(running.port)
    before = descriptors()
    for number in range(600):
        client = RawClient(running.port)
        match number % 4:
            case 0:
                client.reset()
            case 1:
                client.send(request(target="/x")[: number % 30])
                client.sock.close()
            case 2:
                client.send(request())
                client.reset()
            case _:
                client.send(request()).response()
                client.sock.close()
    until(lambda: descriptors() <= before + 30, 10, "the descriptors")
    assert ask(running.port).status == 200


def test_more_connections_than_descriptors(gateway: Start, upstream: Origin) -> None:
    """At the limit of descriptors nothing spins and nothing dies; when clients leave, others are served."""
    import resource

    running = gateway(policy(upstream().port, loops=1))
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (80, 80))
    clients = [RawClient(running.port) for _ in range(120)]
    time.sleep(0.3)
    assert running.is_alive()
    cpu = running.cpu_seconds()
    time.sleep(1)
    assert running.cpu_seconds() - cpu < 0.5, "the gateway spins"
    for client in clients:
        client.sock.close()

    def served() -> bool:
        try:
            return ask(running.port).status == 200
        except (OSError, AssertionError):
            return False

    until(served, 10, "service")


def test_an_idle_gateway_sleeps(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    ask(running.port)
    time.sleep(0.2)
    before = running.cpu_seconds()
    time.sleep(2)
    assert running.cpu_seconds() - before <= 0.05


def test_pipelining_without_reading_is_bounded(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream(flood_answers).port, access_log="off"))
    before = running.resident_bytes()
    with RawClient(running.port, receive_buffer=4096) as client:
        client.sock.settimeout(0.5)
        try:
            for _ in range(20_000):
                client.send(request() * 50)
        except TimeoutError:
            pass
        else:
            raise AssertionError("a million requests were read while no answer was")
        assert running.resident_bytes() - before < 24 * MIB
    assert ask(running.port).status == 200


def flood_answers(connection: Connection) -> None:
    while connection.read_request():
        connection.send(ok(b"x" * 10_000))
        connection.stream.raw.clear()


def test_an_endless_upstream_head(gateway: Start, upstream: Origin) -> None:
    def endless(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.send(b"X-A: " + b"a" * 1000 + b"\r\n")

    running = gateway(policy(upstream(endless).port))
    before = running.resident_bytes()
    assert ask(running.port).status == 502
    assert running.resident_bytes() - before < 8 * MIB


def test_endless_informational_heads(gateway: Start, upstream: Origin) -> None:
    def endless(connection: Connection) -> None:
        connection.read_request()
        while True:
            connection.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)

    origin = upstream(endless)
    running = gateway(policy(origin.port, upstream={"response_timeout": "1s"}))
    with RawClient(running.port) as client:
        client.send(request())
        ended = threading.Timer(8, client.reset)
        ended.start()
        began = time.monotonic()
        try:
            while (head := client.read_head()) is not None and head.status < 200:
                client.stream.raw.clear()
            assert head is None or head.status in (502, 504)
        except OSError as fault:
            raise AssertionError("the answer never ended") from fault
        finally:
            ended.cancel()
        assert time.monotonic() - began < 7


@pytest.mark.clients("h1")
def test_a_bomb_of_routes_is_no_stall(gateway: Start, upstream: Origin) -> None:
    """Ten thousand routes: start, answer, reload."""
    origin = upstream()
    routes = [open_route(name=f"r{number}", match={"path": f"/r/{number}/{{id}}"}) for number in range(10_000)]
    running = gateway(policy(origin.port, routes=routes))
    assert ask(running.port, "/r/9999/x").status == 200
    assert ask(running.port, "/r/10000/x").status == 404
    running.replace(policy(origin.port, routes=routes + [open_route(match={"path": "/new"})]))
    worst = 0.0
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        began = time.monotonic()
        status = ask(running.port, "/new").status
        worst = max(worst, time.monotonic() - began)
        if status == 200:
            break
    else:
        raise AssertionError("the new policy did not come")
    assert worst < 0.5
