"""HPACK bombs of an upstream: its connection ends, the client is answered or cut, and another is served."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import frames as wire
from harness.client import RawClient, ask
from harness.gateway import Gateway
from harness.policy import open_route, policy
from harness.upstream import Connection, Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

#: Processor time of all of it, with room for a debug build; ten thousand references cost seconds.
CPU_SECONDS = 1.0
#: Fields of 4 KiB that enter the table, where the newest has index 62.
ENTRIES = {
    "valid": wire.literal(b"x", b"y" * 3900, kept=True),
    "invalid name": wire.literal(b"x" * 3900 + b" ", b"", kept=True),
    "invalid value": wire.literal(b"x", b"y" * 3900 + b"\0", kept=True),
}
STATUS, INTERIM = wire.literal(b":status", b"200"), wire.literal(b":status", b"103")
LAST = wire.END_HEADERS | wire.END_STREAM


def bomb(entry: str, start: bytes = b"") -> bytes:
    return start + ENTRIES[entry] + b"\xbe" * (16_384 - len(start) - len(ENTRIES[entry]))


ANSWERS: dict[str, Callable[[str], bytes]] = {
    "answer": lambda entry: wire.frame(wire.HEADERS, 1, bomb(entry, STATUS), LAST),
    "interim answer": lambda entry: wire.frame(wire.HEADERS, 1, bomb(entry, INTERIM), wire.END_HEADERS),
    "trailers": lambda entry: wire.frame(wire.HEADERS, 1, STATUS, wire.END_HEADERS)
    + wire.frame(wire.HEADERS, 1, bomb(entry), LAST),
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("place", ANSWERS)
def test_an_upstream_that_bombs_is_cut(gateway: Start, upstream: Origin, place: str, entry: str) -> None:
    def script(connection: Connection) -> None:
        connection.sock.recv(65_536)
        connection.send(wire.settings() + wire.frame(wire.SETTINGS, 0, b"", wire.ACK) + ANSWERS[place](entry))
        connection.await_end()

    bombing = upstream(script)
    config = policy(upstream().port, routes=[open_route(), open_route(name="h2", match={"path": "/h2"}, upstream="h2")])
    config["upstreams"]["h2"] = {"servers": [f"h2c://127.0.0.1:{bombing.port}"]}
    running = gateway(config)
    spent = running.cpu_seconds()
    with RawClient(running.port) as client:
        client.send("GET /h2 HTTP/1.1\r\nHost: gw.test\r\n\r\n")
        head = client.read_head()
        assert head and head.status == (200 if place == "trailers" else 502)
    bombing.wait_for(lambda: bombing.connections[0].closed_by_peer.is_set())
    assert ask(running.port).status == 200
    assert running.cpu_seconds() - spent < CPU_SECONDS
