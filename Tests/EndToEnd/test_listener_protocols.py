"""`protocols` of a listener: what it speaks is served, anything else is refused, and `explain` says the same."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import frames as wire
from harness.certificates import shelf
from harness.frames import FrameClient
from harness.gateway import Gateway, run_portcullis
from harness.messages import Message, Stream, read_head, response_body
from harness.policy import Json, policy
from harness.protocols import PROTOCOLS
from harness.server import free_ports
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


def listening(port: int, *protocols: str, secure: bool = False) -> Json:
    return {"address": f"127.0.0.1:{port}", "protocols": list(protocols)} | ({"tls": shelf().listener} if secure else {})


@pytest.fixture
def ports(gateway: Start, upstream: Origin) -> tuple[Gateway, dict[str, int]]:
    """Listeners by what they speak: `h2`, `h1` and `both`, in plaintext and behind TLS."""
    names = ["h2", "h1", "both", "h2-tls", "h1-tls", "both-tls"]
    numbers = dict(zip(names, free_ports(len(names)), strict=True))
    spoken = {"h2": ["h2"], "h1": ["http/1.1"], "both": ["h2", "http/1.1"]}
    listeners = [
        listening(number, *spoken[name.removesuffix("-tls")], secure=name.endswith("-tls")) for name, number in numbers.items()
    ]
    return gateway(policy(upstream().port, listeners=listeners)), numbers


def secure(port: int, alpn: list[str]) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(shelf().authority.path))
    if alpn:
        context.set_alpn_protocols(alpn)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")


def read_response(sock: socket.socket) -> Message:
    stream = Stream(sock)
    answer = read_head(stream)
    assert answer is not None
    for piece in response_body(stream, answer, "GET"):
        answer.body += piece
    return answer


def asked(sock: socket.socket) -> tuple[int, str | None]:
    """Status and reason of the answer to a request of HTTP/1.1."""
    with sock:
        sock.sendall(b"GET /x HTTP/1.1\r\nHost: gw.test\r\n\r\n")
        answer = read_response(sock)
        return answer.status, json.loads(answer.body)["reason"] if answer.status != 200 else None


def told(folder: Path, command: str) -> tuple[int | None, str | None]:
    done = run_portcullis("explain", "--json", "--curl", command, folder=folder)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    if found["outcome"] == "no_connection":
        return None, None
    return (200, None) if found["outcome"] == "forwarded" else (found["status"], found["reason"])


def test_http_1_in_plaintext(ports: tuple[Gateway, dict[str, int]]) -> None:
    running, numbers = ports
    for name, expected in (("h2", (505, "http2_required")), ("h1", (200, None)), ("both", (200, None))):
        port = numbers[name]
        assert asked(socket.create_connection(("127.0.0.1", port), 10)) == expected
        assert told(running.folder, f"curl http://127.0.0.1:{port}/x") == expected
        assert told(running.folder, f"curl --http1.1 http://127.0.0.1:{port}/x") == expected
    records = running.access_records(3)
    assert [entry["status"] for entry in records if entry["reason"] == "http2_required"] == [505]


def test_http_2_in_plaintext(ports: tuple[Gateway, dict[str, int]]) -> None:
    running, numbers = ports
    for name in ("h2", "both"):
        with FrameClient(numbers[name]) as client:
            client.send(wire.headers(1, wire.request_lines()))
            assert client.status(1) == 200
        assert told(running.folder, f"curl --http2-prior-knowledge http://127.0.0.1:{numbers[name]}/x") == (200, None)
    with socket.create_connection(("127.0.0.1", numbers["h1"]), 10) as sock:
        sock.sendall(wire.PREFACE + wire.settings())
        assert read_response(sock).status == 505
    explained = told(running.folder, f"curl --http2-prior-knowledge http://127.0.0.1:{numbers['h1']}/x")
    assert explained == (505, "version_not_supported")


def test_neither_on_a_listener_of_http_2_alone_is_a_broken_preface(ports: tuple[Gateway, dict[str, int]]) -> None:
    _, numbers = ports
    for start in (b"INVALID CONNECTION PREFACE\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n"):
        with FrameClient(numbers["h2"], start=start) as client:
            kinds = [(found.kind, found.code if found.kind == wire.GOAWAY else None) for found in client.rest()]
        assert kinds == [(wire.SETTINGS, None), (wire.GOAWAY, wire.PROTOCOL_ERROR)], start


def test_http_1_behind_tls(ports: tuple[Gateway, dict[str, int]]) -> None:
    running, numbers = ports
    # Without ALPN HTTP/1.1 is spoken (RFC 9113 §3.2 wants ALPN for HTTP/2).
    assert asked(secure(numbers["h2-tls"], [])) == (505, "http2_required")
    for name in ("h1-tls", "both-tls"):
        assert asked(secure(numbers[name], [])) == (200, None)
        assert asked(secure(numbers[name], ["http/1.1"])) == (200, None)
        assert told(running.folder, f"curl --http1.1 https://localhost:{numbers[name]}/x") == (200, None)
    with pytest.raises(ssl.SSLError):
        secure(numbers["h2-tls"], ["http/1.1"])
    assert told(running.folder, f"curl --http1.1 https://localhost:{numbers['h2-tls']}/x") == (None, None)
    with pytest.raises(ssl.SSLError):
        secure(numbers["h1-tls"], ["h2"])


def test_http_2_behind_tls(ports: tuple[Gateway, dict[str, int]]) -> None:
    running, numbers = ports
    for name in ("h2-tls", "both-tls"):
        with FrameClient(numbers[name], PROTOCOLS["h2-tls"]) as client:
            client.send(wire.headers(1, wire.request_lines(scheme=b"https")))
            assert client.status(1) == 200
        assert told(running.folder, f"curl --http2 https://localhost:{numbers[name]}/x") == (200, None)
    with secure(numbers["both-tls"], []) as sock:
        # HTTP/2 without ALPN is not spoken over TLS.
        sock.sendall(wire.PREFACE + wire.settings())
        assert read_response(sock).status == 505


def test_a_url_alone_is_remarked_where_http_2_is_required(ports: tuple[Gateway, dict[str, int]]) -> None:
    running, numbers = ports
    done = run_portcullis("explain", "--json", f"http://127.0.0.1:{numbers['h2']}/x", folder=running.folder)
    found = json.loads(done.stdout)
    assert found["outcome"] == "forwarded" and any("http2_required" in remark for remark in found["remarks"])
    done = run_portcullis("explain", "--json", "--curl", f"curl http://127.0.0.1:{numbers['h2']}/x", folder=running.folder)
    assert json.loads(done.stdout)["rule"]["path"] == "listeners[0].protocols"
