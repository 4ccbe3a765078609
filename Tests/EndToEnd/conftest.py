"""Fixtures: the gateway as a process, upstreams, key set servers; each test gets its own and leaves nothing running."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.certificates import Authority
from harness.embedding import App
from harness.gateway import Gateway
from harness.http2_upstream import HTTP2Upstream
from harness.issuer import KeySetServer
from harness.origin import QuickOrigin
from harness.protocols import HTTP1, PROTOCOLS, UPSTREAMS, ClientProtocol, UpstreamProtocol, offered
from harness.scripted_streams import StreamUpstream
from harness.upstream import Script, Upstream


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`@pytest.mark.clients(...)` runs a test once for each of these protocols with an upstream of HTTP/1.1 in clear;
    `@pytest.mark.upstreams(...)` once more for each of these protocols of upstreams with one of the clients in turn, with
    `full=True` for each of both, with `one=True` for one of both. The marks nearest to the test count."""
    clients = metafunc.definition.get_closest_marker("clients")
    upstreams = metafunc.definition.get_closest_marker("upstreams")
    if not clients and not upstreams:
        return
    of_clients = clients.args if clients else (HTTP1.name,)
    pairs = [(client, "http") for client in of_clients]
    if upstreams:
        turn = zlib.crc32(metafunc.definition.nodeid.encode())
        others = upstreams.args
        if upstreams.kwargs.get("one"):
            others = (others[turn // len(of_clients) % len(others)],)
        for place, name in enumerate(others):
            chosen = of_clients if upstreams.kwargs.get("full") else [of_clients[(turn + place) % len(of_clients)]]
            pairs += [(client, name) for client in chosen]
    names = [client if name == "http" else f"{client}-to-{name}" for client, name in pairs]
    metafunc.fixturenames += ["protocol", "upstream_protocol"]
    metafunc.parametrize(
        ("protocol", "upstream_protocol"),
        [(PROTOCOLS[client], UPSTREAMS[name]) for client, name in pairs],
        ids=names,
        indirect=True,
    )


@pytest.fixture
def protocol(request: pytest.FixtureRequest) -> ClientProtocol:
    """What clients speak with the gateways of the test."""
    return getattr(request, "param", HTTP1)


@pytest.fixture
def upstream_protocol(request: pytest.FixtureRequest) -> UpstreamProtocol:
    """What the gateways of the test speak with upstreams that `upstream` starts without further options."""
    return getattr(request, "param", UPSTREAMS["http"])


@pytest.fixture
def gateway(tmp_path: Path, protocol: ClientProtocol) -> Iterator[Callable[..., Gateway]]:
    """Starts `portcullis serve` on a policy; ports are free ones. A gateway that crashed fails its test."""
    started: list[Gateway] = []

    def start(config: dict | str, **options: object) -> Gateway:
        folder = tmp_path / f"gateway-{len(started)}"
        folder.mkdir(exist_ok=True)
        started.append(Gateway(config, folder, **{"protocol": protocol} | options))
        return started[-1]

    yield start
    crashed = []
    for one in started:
        one.forget_ports()
        if one.process.poll() is None:
            one.kill()
        elif one.process.returncode != 0 and not one.was_killed:
            crashed.append((one.process.returncode, one.lines[-15:]))
    assert not crashed, f"the gateway ended by itself: {crashed}"


@pytest.fixture
def upstream(upstream_protocol: UpstreamProtocol) -> Iterator[Callable[..., Upstream | StreamUpstream]]:
    """Starts a recording upstream; what it received must have been well-formed unless the test says otherwise."""
    started: list[Upstream | StreamUpstream] = []

    def start(script: Script | None = None, **options: object) -> Upstream | StreamUpstream:
        if upstream_protocol.is_http2 and not options:
            one = StreamUpstream(script, upstream_protocol.server_context())
        else:
            one = Upstream(script, **({"tls": upstream_protocol.server_context()} | options))
        if "tls" not in options:
            offered[one.port] = upstream_protocol
        started.append(one)
        return one

    yield start
    for one in started:
        offered.pop(one.port, None)
        one.stop()
    faults = [fault for one in started for fault in one.faults]
    assert not faults, f"the gateway sent what no server should get: {faults}"


@pytest.fixture
def http2_upstream() -> Iterator[Callable[..., HTTP2Upstream]]:
    """Starts a recording HTTP/2 upstream; what it received must have been well-formed."""
    started: list[HTTP2Upstream] = []

    def start(**options: object) -> HTTP2Upstream:
        started.append(HTTP2Upstream(**options))
        return started[-1]

    yield start
    for one in started:
        one.stop()
    faults = [fault for one in started for fault in one.faults]
    assert not faults, f"the gateway sent what no server should get: {faults}"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom tests believe in."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def app() -> Iterator[App]:
    """An app whose users are embedded elsewhere."""
    made = App()
    yield made
    made.stop()


@pytest.fixture
def quick_origin(tmp_path: Path) -> Iterator[QuickOrigin]:
    """An upstream for load tests."""
    origin = QuickOrigin(tmp_path / "origin")
    yield origin
    origin.stop()


@pytest.fixture
def key_set_server() -> Iterator[Callable[..., KeySetServer]]:
    started: list[KeySetServer] = []

    def start(document: str | bytes, **options: object) -> KeySetServer:
        started.append(KeySetServer(document, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()
