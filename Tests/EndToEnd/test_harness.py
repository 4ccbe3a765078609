"""The servers that other tests blame the gateway with: that they end does not look like the gateway's fault."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from harness.issuer import KeySetServer
from harness.protocols import UPSTREAMS, client_context
from harness.scripted_streams import StreamUpstream
from harness.secure_socket import SecureSocket
from harness.server import cut, free_ports
from harness.upstream import Connection, Upstream, ok
from harness.waiting import until

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"


def reading(connection: Connection) -> None:
    connection.read_request()
    connection.send(ok())


@contextlib.contextmanager
def sending(port: int, secure: bool) -> Iterator[None]:
    """A client that sends chunks until the server takes no more."""
    plain = socket.create_connection(("127.0.0.1", port), 10)
    sock = client_context("http/1.1").wrap_socket(plain, server_hostname="localhost") if secure else plain

    def send() -> None:
        with contextlib.suppress(OSError):
            sock.sendall(HEAD)
            while True:
                sock.sendall(CHUNK)

    thread = threading.Thread(target=send)
    thread.start()
    yield
    cut(sock)
    thread.join(10)
    assert not thread.is_alive()
    sock.close()


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_a_server_that_stops_while_its_script_reads_blames_no_client(protocol: str) -> None:
    for _ in range(20):
        origin = Upstream(reading, tls=UPSTREAMS[protocol].server_context())
        with sending(origin.port, protocol == "https"):
            until(lambda: len(origin.raw) > 200_000)
            origin.stop()
        assert not origin.faults
        body = origin.raw[len(HEAD) :]
        assert body == (CHUNK * (len(body) // len(CHUNK) + 1))[: len(body)], "records of TLS were taken for what was sent"
        assert not any(thread.is_alive() for thread, _ in origin.served)


@pytest.mark.parametrize("protocol", ["http", "https", "h2c", "h2"])
def test_a_server_stops_while_a_client_waits(protocol: str) -> None:
    """Before the handshake, too."""
    context = UPSTREAMS[protocol].server_context()
    origin = StreamUpstream(tls=context) if UPSTREAMS[protocol].is_http2 else Upstream(tls=context)
    with socket.create_connection(("127.0.0.1", origin.port), 10):
        until(lambda: origin.served)
        origin.stop()
    assert not origin.faults and not any(thread.is_alive() for thread, _ in origin.served)


def test_what_a_client_broke_before_the_end_is_still_blamed() -> None:
    origin = Upstream(reading)
    with socket.create_connection(("127.0.0.1", origin.port), 10) as sock:
        sock.sendall(HEAD + b"3\r\nxxxx\r\n")
        origin.wait_for(lambda: origin.faults)
        origin.stop()
    assert origin.faults == ["Broken: chunk without its CRLF"]


def test_a_stopped_issuer_answers_no_kept_connection() -> None:
    issuer = KeySetServer("{}")
    with socket.create_connection(("127.0.0.1", int(issuer.base.rpartition(":")[2])), 10) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 200")
        issuer.stop()
        with contextlib.suppress(OSError):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            while piece := sock.recv(65_536):
                assert b"HTTP/1.1" not in piece
    assert issuer.fetches == 1


def test_one_thread_reads_tls_while_another_writes() -> None:
    def echo(connection: Connection) -> None:
        while connection.stream.fill():
            connection.send(connection.stream.take(len(connection.stream.buffer)))

    origin = Upstream(echo, tls=UPSTREAMS["https"].server_context())
    sent = bytes(range(256)) * 40_000
    client = SecureSocket(socket.create_connection(("127.0.0.1", origin.port), 10), client_context("http/1.1"), "localhost")
    writer = threading.Thread(target=client.sendall, args=(sent,))
    writer.start()
    received = bytearray()
    while len(received) < len(sent) and (piece := client.recv(65_536)):
        received += piece
    writer.join(10)
    assert received == sent
    client.close()
    origin.stop()
    assert not origin.faults


def test_free_ports_differ_and_are_outside_the_range_of_outgoing_connections() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20 and max(ports) < 32_768
