"""Who is the client: the peer, a walk over trusted hops, a PROXY header; and who may come in."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.upstreams("https", "h2c", "h2", one=True)

SEEN = {"request_headers": {"set": {"X-Seen": "{client_ip}"}}}


def seen_policy(port: int, **members: object) -> Json:
    return policy(port, routes=[open_route(**SEEN)], **members)


WALKS = {
    "untrusted peers are believed nothing": ([], ["X-Forwarded-For: 9.9.9.9"], "127.0.0.1"),
    "one trusted hop": (["127.0.0.1"], ["X-Forwarded-For: 9.9.9.9"], "9.9.9.9"),
    "right to left": (["127.0.0.1"], ["X-Forwarded-For: 1.1.1.1, 9.9.9.9"], "9.9.9.9"),
    "over trusted hops": (
        ["127.0.0.0/8", "10.0.0.0/8"],
        ["X-Forwarded-For: 1.1.1.1, 9.9.9.9, 10.0.0.2, 10.0.0.1"],
        "9.9.9.9",
    ),
    "several lines in order": (
        ["127.0.0.0/8", "10.0.0.0/8"],
        ["X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 10.0.0.1"],
        "9.9.9.9",
    ),
    "all trusted: the left-most": (["127.0.0.0/8", "10.0.0.0/8"], ["X-Forwarded-For: 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    "garbage stops the walk": (
        ["127.0.0.0/8", "10.0.0.0/8"],
        ["X-Forwarded-For: 9.9.9.9, garbage, 10.0.0.1"],
        "10.0.0.1",
    ),
    "garbage at once": (["127.0.0.0/8"], ["X-Forwarded-For: 010.1.1.1"], "127.0.0.1"),
    "empty": (["127.0.0.0/8"], ["X-Forwarded-For: "], "127.0.0.1"),
    "absent": (["127.0.0.0/8"], [], "127.0.0.1"),
    "IPv6": (["127.0.0.0/8"], ["X-Forwarded-For: 2001:db8::1"], "2001:db8::1"),
    "IPv6 hop": (["127.0.0.0/8", "2001:db8::/32"], ["X-Forwarded-For: 9.9.9.9, 2001:DB8:0::1"], "9.9.9.9"),
    "mapped IPv4 is that IPv4": (["127.0.0.0/8"], ["X-Forwarded-For: ::ffff:9.9.9.9"], "9.9.9.9"),
    "the other family is not read": (["127.0.0.0/8"], ["Forwarded: for=9.9.9.9"], "127.0.0.1"),
}


@pytest.mark.clients("h1", "h2-tls")
@pytest.mark.parametrize(("trusted", "fields", "client"), WALKS.values(), ids=WALKS.keys())
def test_x_forwarded_for(gateway: Start, upstream: Origin, trusted: list[str], fields: list[str], client: str) -> None:
    origin = upstream()
    running = gateway(seen_policy(origin.port, trusted_proxies=trusted))
    assert ask(running.port, fields=fields).status == 200
    assert origin.requests[0].value("x-seen") == client
    assert running.access_records(1)[0]["client"] == client


FORWARDED = {
    "plain": ("for=9.9.9.9", "9.9.9.9"),
    "IPv6 in quotes with a port": ('for="[2001:db8::1]:4711"', "2001:db8::1"),
    "walk": ('for=1.1.1.1, For="9.9.9.9:80";proto=https, for=10.0.0.1', "9.9.9.9"),
    "unknown stops": ("for=9.9.9.9, for=unknown, for=10.0.0.1", "10.0.0.1"),
    "hidden stops": ("for=_secret", "127.0.0.1"),
    "a comma in quotes is no separator": ('for=9.9.9.9;by="a,for=6.6.6.6"', "9.9.9.9"),
}


@pytest.mark.clients("h1", "h2-tls")
@pytest.mark.parametrize(("value", "client"), FORWARDED.values(), ids=FORWARDED.keys())
def test_forwarded(gateway: Start, upstream: Origin, value: str, client: str) -> None:
    origin = upstream()
    config = seen_policy(origin.port, trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"], forwarded="forwarded")
    assert ask(gateway(config).port, fields=[f"Forwarded: {value}", "X-Forwarded-For: 6.6.6.6"]).status == 200
    assert origin.requests[0].value("x-seen") == client


@pytest.mark.clients(*ALL)
def test_what_a_stranger_says_of_itself_is_rewritten(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    ask(
        running.port,
        fields=[
            "X-Forwarded-For: 9.9.9.9",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: evil.test",
            "X-Forwarded-Port: 1",
            "X-Real-IP: 9.9.9.9",
            "Forwarded: for=9.9.9.9;host=evil.test",
            "x_forwarded_for: 9.9.9.9",
        ],
    )
    seen = origin.requests[0]
    assert seen.value("x-forwarded-for") == "127.0.0.1"
    assert seen.value("x-forwarded-proto") == ("https" if running.protocol.is_tls else "http")
    assert b"9.9.9.9" not in seen.head and b"evil.test" not in seen.head


@pytest.mark.clients(*ALL)
def test_what_a_trusted_peer_says_is_continued(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    ask(
        gateway(policy(origin.port, trusted_proxies=["127.0.0.1"])).port,
        fields=["X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https"],
    )
    seen = origin.requests[0]
    assert ", ".join(seen.values("x-forwarded-for")) == "9.9.9.9, 127.0.0.1"
    assert seen.value("x-forwarded-proto") == "https"


LISTS = {
    "allowed": ({"allow_ips": ["127.0.0.0/8"]}, 200),
    "not allowed": ({"allow_ips": ["10.0.0.0/8"]}, 403),
    "denied": ({"deny_ips": ["127.0.0.1/32"]}, 403),
    "denied wins": ({"allow_ips": ["127.0.0.0/8"], "deny_ips": ["127.0.0.1"]}, 403),
    "IPv6 only": ({"allow_ips": ["::/0"]}, 403),
}


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize(("authorize", "status"), LISTS.values(), ids=LISTS.keys())
def test_lists_of_a_route(gateway: Start, upstream: Origin, authorize: Json, status: int) -> None:
    origin = upstream()
    answer = ask(gateway(policy(origin.port, routes=[open_route(authorize=authorize)])).port)
    assert answer.status == status
    if status == 403:
        assert reason(answer) == "address_not_allowed"
        assert not origin.requests


@pytest.mark.clients(*ALL)
def test_a_keys_list_judges_the_walked_address(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key(allow_ips=["9.9.9.0/24", "2001:db8::/32"])
    running = gateway(keyed_policy(upstream().port, records=[record], trusted_proxies=["127.0.0.1"]))

    def status(address: str, source: str | None = None) -> int:
        return ask(running.port, fields=[f"X-API-Key: {secret}", f"X-Forwarded-For: {address}"], source=source).status

    assert status("9.9.9.9") == 200
    assert status("2001:db8::5") == 200
    assert status("9.9.8.9") == 403
    assert status("9.9.9.9", source="127.0.0.2") == 403, "a stranger named an allowed address"
    assert status("9.9.9.9, 8.8.8.8") == 403


def test_ipv6_listener(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    running = gateway(seen_policy(origin.port) | {"listeners": [{"address": "[::1]:0"}]})
    with socket.create_connection(("::1", running.port)) as client:
        client.sendall(request())
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
    assert origin.requests[0].value("x-seen") == "::1"


V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxy_v2(source: str, command: int = 1) -> bytes:
    block = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 4242, 80)
    return V2_SIGNATURE + bytes([0x20 | command, 0x11]) + struct.pack("!H", len(block)) + block


PROXIES = {
    "v1": (b"PROXY TCP4 9.9.9.9 127.0.0.1 4242 80\r\n", "9.9.9.9"),
    "v1 IPv6": (b"PROXY TCP6 2001:db8::1 ::1 4242 80\r\n", "2001:db8::1"),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v2": (proxy_v2("9.9.9.9"), "9.9.9.9"),
    "v2 local": (proxy_v2("9.9.9.9", command=0), "127.0.0.1"),
}


def proxied(port: int, required: bool = True, peers: list[str] | None = None, **members: object) -> Json:
    listener = {"address": "127.0.0.1:0", "proxy_protocol": {"from": peers or ["127.0.0.1"], "required": required}}
    return seen_policy(port, **members) | {"listeners": [listener]}


@pytest.mark.parametrize(("header", "client"), PROXIES.values(), ids=PROXIES.keys())
def test_proxy_protocol(gateway: Start, upstream: Origin, header: bytes, client: str) -> None:
    origin = upstream()
    with RawClient(gateway(proxied(origin.port)).port) as raw:
        assert raw.send(header + request()).response().status == 200
        assert raw.send(request()).response().status == 200
    assert [message.value("x-seen") for message in origin.requests] == [client, client]


def test_proxy_header_byte_by_byte(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    with RawClient(gateway(proxied(origin.port)).port) as raw:
        for byte in proxy_v2("9.9.9.9"):
            raw.send(bytes([byte]))
        assert raw.send(request()).response().status == 200
    assert origin.requests[0].value("x-seen") == "9.9.9.9"


MALFORMED = [
    b"PROXY TCP4 9.9.9.9\r\n",
    b"PROXY TCP4 999.9.9.9 127.0.0.1 1 2\r\n",
    b"PROXY " + b"x" * 200 + b"\r\n",
    V2_SIGNATURE + b"\x21\x11\xff\xff" + b"a" * 100,
    V2_SIGNATURE + b"\x31\x11\0\x0c" + b"a" * 12,
]


@pytest.mark.parametrize("header", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_proxy_header_closes(gateway: Start, upstream: Origin, header: bytes) -> None:
    origin = upstream()
    with RawClient(gateway(proxied(origin.port, bounds={"head_timeout": "500ms"})).port) as raw:
        raw.send(header + request())
        answer = raw.read_all()
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))
    assert not origin.requests


def test_a_required_proxy_header_that_is_missing(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    with RawClient(gateway(proxied(origin.port)).port) as raw:
        answer = raw.send(request()).read_all()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert not origin.requests


def test_an_optional_proxy_header_that_is_missing(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    assert ask(gateway(proxied(origin.port, required=False)).port).status == 200
    assert origin.requests[0].value("x-seen") == "127.0.0.1"


def test_a_proxy_header_from_a_stranger(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(proxied(origin.port, peers=["10.0.0.1"]))
    with RawClient(running.port) as raw:
        answer = raw.send(b"PROXY TCP4 9.9.9.9 127.0.0.1 4242 80\r\n" + request()).read_all()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert not origin.requests
    assert ask(running.port).status == 200
