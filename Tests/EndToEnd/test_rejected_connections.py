"""Connections that end before their first request: counted by listener and reason, told now and then, whoever tries."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest
from harness.certificates import shelf
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.policy import Json, policy
from harness.server import free_ports
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

METRIC = "portcullis_connections_rejected_total"
V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PROXIED: Json = {"address": "127.0.0.1:0", "proxy_protocol": {"from": ["127.0.0.1"], "required": True}}


def served(port: int, *listeners: Json, **members: object) -> Json:
    return policy(port, listeners=list(listeners), admin={"address": "127.0.0.1:0"}, **members)


def secure(port: int = 0, **members: object) -> Json:
    return {"address": f"127.0.0.1:{port}", "tls": shelf().listener | members}


def told(running: Gateway) -> list[str]:
    return [line for line in running.lines if "rejected" in line]


def send(port: int, data: bytes, resets: bool = False) -> bytes:
    """What comes back until the gateway closes; our side is shut after `data`, or reset."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(data)
        if resets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return b""
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := sock.recv(4096):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (request(), "proxy_header_missing"),
        (b"PROXY TCP4 999.9.9.9 127.0.0.1 1 2\r\n", "proxy_header_malformed"),
        (V2_SIGNATURE + b"\x31\x11\0\x0c" + b"a" * 12, "proxy_header_malformed"),
        (b"PROXY TCP4 9.9", "proxy_header_incomplete"),
        (V2_SIGNATURE + b"\x21\x11", "proxy_header_incomplete"),
        (b"\x16\x03\x01", "proxy_header_missing"),
    ],
    ids=["missing", "malformed v1", "malformed v2", "incomplete v1", "incomplete v2", "TLS"],
)
def test_a_bad_proxy_header_is_counted_and_told(gateway: Start, upstream: Origin, sent: bytes, reason: str) -> None:
    running = gateway(served(upstream().port, PROXIED))
    for _ in range(5):
        assert send(running.port, sent) == b""
    until(lambda: running.metric(METRIC, listener=f"127.0.0.1:{running.port}", reason=reason) == 5)
    line = running.wait_for_line(r"rejected")
    assert f"listener 127.0.0.1:{running.port}: connection from 127.0.0.1 rejected" in line and f"({reason})" in line
    assert len(told(running)) == 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [(b"\0\0\0\0\0\0\0\0", "tls_"), (b"\x16\x03\x01\0\x40", "tls_closed_in_handshake"), (request(), "tls_plaintext_http")],
    ids=["no TLS", "half a record", "plain HTTP"],
)
def test_a_bad_handshake_is_counted_and_told(gateway: Start, upstream: Origin, sent: bytes, reason: str) -> None:
    running = gateway(served(upstream().port, secure()))
    for _ in range(5):
        send(running.port, sent)
    until(lambda: running.metric(METRIC, listener=f"127.0.0.1:{running.port}") == 5)
    assert reason in running.wait_for_line(r"rejected")
    assert f'reason="{reason}' in running.admin("/metrics")
    assert len(told(running)) == 1


def test_a_flood_of_faults_is_one_line_for_each_listener(gateway: Start, upstream: Origin) -> None:
    running = gateway(served(upstream().port, PROXIED, secure(free_ports(1)[0]), bounds={"connections_per_address": 10_000}))
    for _ in range(300):
        send(running.ports[0], b"GET / HTTP/1.1\r\n\r\n")
        send(running.ports[1], b"\x16\x03\x01\0\x40", resets=True)
    until(lambda: running.metric(METRIC, reason="proxy_header_missing") == 300)
    until(lambda: running.metric(METRIC, listener=f"127.0.0.1:{running.ports[1]}") > 0)
    # Ten seconds may pass on a slow machine; a line a fault never.
    assert 2 <= len(told(running)) <= 20


def test_the_client_that_a_balancer_names_is_told(gateway: Start, upstream: Origin) -> None:
    running = gateway(served(upstream().port, PROXIED | {"tls": shelf().listener}))
    for number in range(3):
        send(running.port, f"PROXY TCP4 9.9.9.{number} 127.0.0.1 4242 443\r\n".encode() + b"\0" * 16)
    for number in range(3):
        running.wait_for_line(rf"connection from 9\.9\.9\.{number} rejected")


def test_a_network_of_scanners_shares_lines(gateway: Start, upstream: Origin) -> None:
    running = gateway(served(upstream().port, PROXIED | {"tls": shelf().listener}))
    for number in range(200):
        send(running.port, f"PROXY TCP4 9.9.9.{number} 127.0.0.1 4242 443\r\n".encode() + b"\0" * 16)
    until(lambda: running.metric(METRIC) == 200)
    running.wait_for_line(r"from many peers")
    assert len(told(running)) < 200


def test_looking_whether_the_port_is_open_is_no_fault(gateway: Start, upstream: Origin) -> None:
    running = gateway(served(upstream().port, PROXIED, secure(free_ports(1)[0]), {"address": f"127.0.0.1:{free_ports(1)[0]}"}))
    for port in running.ports:
        for _ in range(3):
            assert send(port, b"") == b""
    assert ask(running.ports[2]).status == 200
    assert running.metric(METRIC) == 0
    assert not told(running)


def test_silence_is_counted_and_not_told(gateway: Start, upstream: Origin) -> None:
    listeners = [PROXIED, secure(free_ports(1)[0], handshake_timeout="300ms"), {"address": f"127.0.0.1:{free_ports(1)[0]}"}]
    running = gateway(served(upstream().port, *listeners, bounds={"head_timeout": "300ms"}))
    for port in running.ports:
        with RawClient(port) as raw:
            assert raw.read_all() == b""
    until(lambda: running.metric(METRIC, reason="silent") == 3)
    assert not told(running)


def test_slowness_before_a_request_is_told(gateway: Start, upstream: Origin) -> None:
    listeners = [PROXIED, secure(free_ports(1)[0], handshake_timeout="300ms")]
    running = gateway(served(upstream().port, *listeners, bounds={"head_timeout": "300ms"}))
    for port, begun, reason in [
        (running.ports[0], b"PROXY ", "proxy_header_timeout"),
        (running.ports[1], b"\x16\x03\x01\0\x40", "tls_timeout"),
    ]:
        with RawClient(port) as raw:
            assert raw.send(begun).read_all() == b""
        running.wait_for_line(reason)
        assert running.metric(METRIC, reason=reason) == 1


def test_a_bad_beginning_of_http2_is_told(gateway: Start, upstream: Origin) -> None:
    running = gateway(served(upstream().port, {"address": "127.0.0.1:0", "protocols": ["h2", "http/1.1"]}))
    send(running.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\x01\x00\0\0\0\0\0a")
    until(lambda: running.metric(METRIC) == 1)
    assert "http2_" in running.wait_for_line(r"rejected")


def test_a_bound_that_is_reached_is_told_once(gateway: Start, upstream: Origin) -> None:
    running = gateway(served(upstream().port, {"address": "127.0.0.1:0"}, bounds={"connections_per_address": 1}))
    with RawClient(running.port) as first:
        assert first.send(request()).response().status == 200
        for _ in range(5):
            assert send(running.port, b"") == b""
        until(lambda: running.metric(METRIC, reason="address_limit") == 5)
    assert running.metric("portcullis_connections_refused_total") == 5
    assert "bounds.connections_per_address" in running.wait_for_line(r"rejected")
    assert len(told(running)) == 1


def test_counts_end_with_their_listener(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(served(origin.port, PROXIED))
    send(running.port, request())
    until(lambda: running.metric(METRIC) == 1)
    running.replace(served(origin.port, {"address": "127.0.0.2:0"}))
    running.wait_for_line(r"reloaded")
    until(lambda: running.metric(METRIC) == 0)
