"""The cases of h2spec (https://github.com/summerwind/h2spec, MIT), sent as its client sends them: RFC 9113 and RFC 7541, in
plaintext with prior knowledge and behind TLS. What is expected is stricter where h2spec is content with a closed connection."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from harness import frames as wire
from harness import vectors
from harness.frames import Frame, FrameClient
from harness.gateway import Gateway
from harness.messages import Message
from harness.policy import Json, policy
from harness.protocols import ClientProtocol
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

CASES: list[Json] = vectors.load("h2spec.json")["cases"]
GROUPS = ("generic", "http2", "hpack")

pytestmark = pytest.mark.clients("h2", "h2-tls")


def spelled(text: str) -> bytes:
    """Hexadecimal digits, in which `{78*100}` stands for a hundred times the same."""
    return bytes.fromhex(re.sub(r"\{(\w+)\*(\d+)\}", lambda run: run[1] * int(run[2]), text))


def is_ack(found: Frame) -> bool:
    return bool(found.flags & wire.ACK)


def wait(client: FrameClient, what: str) -> None:
    """Reads as far as h2spec does before it goes on."""
    while found := client.read():
        if what == "until stream 1 ends" and found.stream == 1:
            if found.kind == wire.RST_STREAM or found.kind in (wire.DATA, wire.HEADERS) and found.flags & wire.END_STREAM:
                return
        if what == "until data" and found.kind == wire.DATA:
            return
        if what == "until settings_ack" and found.kind == wire.SETTINGS and is_ack(found):
            return
    raise AssertionError(f"the connection ended: {what}")


def is_met(expected: list, found: Frame) -> bool:
    kind, *terms = expected
    match kind:
        case "connection_error":
            return found.kind == wire.GOAWAY and found.code in terms[0]
        case "stream_error":
            return found.kind in (wire.GOAWAY, wire.RST_STREAM) and found.code in terms[0]
        case "reset":
            return found.kind == wire.RST_STREAM and found.code in terms[0]
        case "headers":
            return found.kind == wire.HEADERS and found.stream == 1
        case "data":
            return found.kind == wire.DATA and (not terms or len(found.payload) == terms[0])
        case "ping_ack" | "ping_ack_or_close":
            return found.kind == wire.PING and is_ack(found)
        case "settings_ack":
            return found.kind == wire.SETTINGS and is_ack(found)
        case "settings":
            return found.kind == wire.SETTINGS and not is_ack(found)
        case "close":
            return False
    raise AssertionError(kind)


def fails(port: int, protocol: ClientProtocol, case: Json) -> str | None:
    """What came instead of what was expected."""
    start = spelled(case["start"]) if "start" in case else wire.PREFACE + wire.frame(wire.SETTINGS, 0, spelled(case["settings"]))
    seen: list[tuple[int, int, int | None]] = []
    with FrameClient(port, protocol, start) as client:
        try:
            if "settings" in case:
                wait(client, "until settings_ack")
                client.send(wire.frame(wire.SETTINGS, 0, b"", wire.ACK))
            for step in case.get("frames", []):
                if isinstance(step, str):
                    wait(client, step)
                else:
                    kind, flags, stream, payload = step
                    client.send(wire.frame(kind, stream, spelled(payload), flags))
            client.send(spelled(case.get("rest", "")))
            while found := client.read():
                if is_met(case["expect"], found):
                    return None
                seen.append((found.kind, found.stream, found.code if found.kind in (wire.RST_STREAM, wire.GOAWAY) else None))
        except TimeoutError:
            return f"{case['id']} {case['title']}: nothing more behind {seen}"
    return None if case["expect"][0] in ("close", "ping_ack_or_close") else f"{case['id']} {case['title']}: closed behind {seen}"


@pytest.mark.parametrize("group", GROUPS)
def test_every_case_of_h2spec_passes(gateway: Start, upstream: Origin, protocol: ClientProtocol, group: str) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, listeners=[{"address": "127.0.0.1:0", "protocols": ["h2"]}], loops=1))
    cases = [case for case in CASES if case["id"].startswith(f"{group}/")]
    assert len(cases) == {"generic": 44, "http2": 94, "hpack": 8}[group]
    failed = [failure for case in cases if (failure := fails(running.port, protocol, case))]
    assert not failed, "\n".join(failed)
    with FrameClient(running.port, protocol) as client:
        client.send(wire.headers(1, wire.request_lines()))
        assert client.status(1) == 200
