"""WebSockets that live as long as they may: the `websockets` library at both ends, and frames by hand (RFC 6455)."""

from __future__ import annotations

import copy
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from socket import create_connection

import pytest
from harness.certificates import Authority, Pair, shelf
from harness.client import RawClient, ask, request
from harness.gateway import Gateway, run_portcullis
from harness.issuer import KeySetServer, SigningKey, jwt_authenticator, key_set
from harness.messages import Stream, read_head
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import client_context
from harness.upstream import Connection, Upstream
from harness.waiting import stays_false, until
from harness.websocket import BINARY, CLOSE, PING, TEXT, EchoServer, close_of, frame, piping, read_frame, switch, upgrade
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]
KeySets = Callable[..., KeySetServer]

#: What "within a second" may take on a busy machine.
PROMPT_SECONDS = 1.0
MIB = 1 << 20
WEBSOCKET: Json = {"upgrade": ["websocket"]}


@pytest.fixture
def echo() -> Iterator[Callable[..., EchoServer]]:
    started: list[EchoServer] = []

    def start(*arguments: object) -> EchoServer:
        started.append(EchoServer(*arguments))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def dial(running: Gateway, path: str = "/ws", pair: Pair | None = None, **headers: str) -> ClientConnection:
    secure = client_context(None) if running.protocol.is_tls else None
    if secure:
        # The library reads and writes in two threads, and Python does not keep the one that reads a ticket of TLS 1.3 from
        # the one that writes.
        secure.maximum_version = ssl.TLSVersion.TLSv1_2
    if secure and pair:
        secure.load_cert_chain(pair.certificate, pair.key)
    return connect(
        f"{'wss' if secure else 'ws'}://127.0.0.1:{running.port}{path}", ssl=secure,
        additional_headers={k.replace("_", "-"): v for k, v in headers.items()}, proxy=None, close_timeout=5,
    )


def closing(socket: ClientConnection, timeout: float = 10) -> tuple[int, str]:
    """Code and reason the client is closed with."""
    try:
        while True:
            socket.recv(timeout)
    except ConnectionClosed:
        return socket.close_code, socket.close_reason


def alive(socket: ClientConnection, word: str = "still there") -> bool:
    socket.send(word)
    return socket.recv(5) == word


def test_messages_of_every_size_come_back(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    origin = echo()
    running = gateway(policy(origin.port, routes=[open_route(**WEBSOCKET)]))
    with dial(running) as socket:
        for size in [0, 1, 125, 126, 65_535, 65_536, 900_000]:
            socket.send(b"x" * size)
            assert socket.recv(10) == b"x" * size
        assert socket.ping().wait(5)
    assert (socket.close_code, running.access_records()[0]["reason"]) == (1000, None)
    assert origin.closes == [(1000, "")]


def test_a_websocket_needs_its_credential(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    secret, record = api_key()
    running = gateway(keyed_policy(echo().port, records=[record], route=WEBSOCKET))
    with pytest.raises(InvalidStatus) as refused:
        dial(running)
    assert refused.value.response.status_code == 401
    with dial(running, X_API_Key=secret) as socket:
        assert alive(socket)


def test_tls_on_both_sides(gateway: Start, upstream: Origin, authority: Authority) -> None:
    origin = upstream(piping, tls=authority.issue("127.0.0.1").server_context())
    pair = authority.issue("127.0.0.1")
    config = policy(
        routes=[open_route(**WEBSOCKET)],
        upstream={"servers": [f"https://127.0.0.1:{origin.port}"], "protocols": ["http/1.1"],
                  "tls": {"ca": f"file:{authority.path}"}},
        listeners=[{
            "address": "127.0.0.1:0", "tls": {"certificate": f"file:{pair.certificate}", "key": f"file:{pair.key}"}
        }],
    )
    running = gateway(config)
    port = int(running.wait_for_line("listening on https").rpartition(":")[2])
    context = ssl.create_default_context(cafile=str(authority.path))
    with context.wrap_socket(create_connection(("127.0.0.1", port), 10), server_hostname="127.0.0.1") as secure:
        stream = Stream(secure)
        secure.sendall(upgrade() + frame(TEXT, b"early"))
        assert read_head(stream).status == 101
        assert read_frame(stream) == (TEXT, b"early")
        for size in [0, 125, 70_000, MIB]:
            secure.sendall(frame(BINARY, b"x" * size))
            assert read_frame(stream) == (BINARY, b"x" * size)
        running.replace(config | {"routes": [open_route()]})
        assert close_of(read_frame(stream)) == (1008, "route_not_found")
        assert not stream.fill()
    assert running.access_records()[0]["reason"] == "route_not_found"


# MARK: The credential's life


def tokens(port: int, key_sets: KeySetServer, **route: object) -> Json:
    return policy(
        port,
        key_sets={"issuer": {"url": key_sets.url, "refresh": "1h", "cooldown": "1s"}},
        authenticators={"tokens": jwt_authenticator("ES256", leeway="0s")},
        routes=[open_route(authenticate=["tokens"], **WEBSOCKET | route)],
    )


@pytest.mark.clients("h1", "h1-tls")
def test_a_websocket_closes_within_a_second_of_its_tokens_end(
    gateway: Start, echo: Callable[..., EchoServer], key_set_server: KeySets
) -> None:
    key, origin = SigningKey("ES256"), echo()
    running = gateway(tokens(origin.port, key_set_server(key_set(key))))
    end = int(time.time()) + 3
    with dial(running, Authorization=f"Bearer {key.token(exp=end)}") as socket:
        assert alive(socket)
        assert closing(socket) == (1008, "token_expired")
        assert 0 <= time.time() - end < PROMPT_SECONDS
    record = running.access_records()[0]
    assert (record["status"], record["reason"], record["auth"]) == (101, "token_expired", "jwt")
    assert record["bytes_in"] > 0 and record["duration_us"] > 1_000_000
    until(lambda: origin.closes == [(1008, "token_expired")], what="the close frame at the upstream")
    assert running.metric("portcullis_refusals_total", reason="token_expired") == 1


def test_a_websocket_of_a_route_in_shadow_mode_outlives_its_token(
    gateway: Start, echo: Callable[..., EchoServer], key_set_server: KeySets
) -> None:
    key, origin = SigningKey("ES256"), echo()
    running = gateway(tokens(origin.port, key_set_server(key_set(key)), mode="shadow"))
    with dial(running, Authorization=f"Bearer {key.token(exp=int(time.time()) + 1)}") as socket:
        assert alive(socket)
        time.sleep(2)
        assert alive(socket)


def test_a_websocket_whose_route_says_so_outlives_its_token(
    gateway: Start, echo: Callable[..., EchoServer], key_set_server: KeySets
) -> None:
    key = SigningKey("ES256")
    running = gateway(tokens(echo().port, key_set_server(key_set(key)), close_when_credential_ends=False))
    with dial(running, Authorization=f"Bearer {key.token(exp=int(time.time()) + 2)}") as socket:
        time.sleep(2.5)
        assert alive(socket)


def test_a_key_taken_from_the_set_closes_what_it_opened(
    gateway: Start, echo: Callable[..., EchoServer], key_set_server: KeySets
) -> None:
    old, new = SigningKey("ES256"), SigningKey("ES256")
    served = key_set_server(key_set(old, new))
    running = gateway(tokens(echo().port, served))
    with (
        dial(running, Authorization=f"Bearer {old.token()}") as leaving,
        dial(running, Authorization=f"Bearer {new.token()}") as staying,
    ):
        assert alive(leaving) and alive(staying)
        served.document = key_set(new).encode()
        # A key nobody knows has the set fetched.
        ask(running.port, fields=[f"Authorization: Bearer {SigningKey('ES256').token()}"])
        assert closing(leaving) == (1008, "token_key_unknown")
        assert alive(staying)


def test_a_key_removed_from_the_policy_closes_what_it_opened(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    (first, gone), (second, kept) = api_key("gone"), api_key("kept")
    port = echo().port
    running = gateway(keyed_policy(port, records=[gone, kept], route=WEBSOCKET))
    with dial(running, X_API_Key=first) as leaving, dial(running, X_API_Key=second) as staying:
        assert alive(leaving) and alive(staying)
        running.replace(keyed_policy(port, records=[kept], route=WEBSOCKET))
        running.wait_for_line("reloaded")
        begun = time.monotonic()
        assert closing(leaving) == (1008, "credential_unknown")
        assert time.monotonic() - begun < PROMPT_SECONDS
        assert alive(staying)
    reasons = {record["credential"]: record["reason"] for record in running.access_records(2)}
    assert reasons == {"gone": "credential_unknown", "kept": None}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"enabled": False}, "key_disabled"),
        ({"allow_ips": ["192.0.2.0/24"]}, "address_not_allowed"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "key_expired"),
    ],
)
def test_a_key_that_may_less_closes_what_it_opened(
    gateway: Start, echo: Callable[..., EchoServer], change: Json, why: str
) -> None:
    secret, record = api_key()
    port = echo().port
    running = gateway(keyed_policy(port, records=[record], route=WEBSOCKET))
    with dial(running, X_API_Key=secret) as socket:
        assert alive(socket)
        running.replace(keyed_policy(port, records=[record | change], route=WEBSOCKET))
        assert closing(socket) == (1008, why)


def soon() -> int:
    """A full second, two to three from now."""
    return int(time.time()) + 3


def closes_at(socket: ClientConnection, end: int, why: str) -> None:
    assert alive(socket)
    assert closing(socket) == (1008, why)
    assert 0 <= time.time() - end < PROMPT_SECONDS


@pytest.mark.clients("h1", "h1-tls")
def test_a_websocket_closes_within_a_second_of_its_keys_end(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    secret, record = api_key()
    end = soon()
    record["expires_at"] = datetime.fromtimestamp(end, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    running = gateway(keyed_policy(echo().port, records=[record], route=WEBSOCKET))
    with dial(running, X_API_Key=secret) as socket:
        closes_at(socket, end, "key_expired")


@pytest.mark.clients("h1-tls")
def test_a_websocket_closes_within_a_second_of_its_certificates_end(
    gateway: Start, echo: Callable[..., EchoServer], authority: Authority
) -> None:
    end = soon()
    # Certificates end in full seconds; what is beyond one is cut off.
    pair = authority.issue("robot.test", days=(end + 0.3 - time.time()) / 86_400)
    config = policy(
        echo().port,
        listeners=[{"address": "127.0.0.1:0", "tls": shelf().listener | {"client_ca": f"file:{authority.path}"}}],
        authenticators={"certs": {"type": "certificate", "certificates": [{"match": {"san_dns": "robot.test"}}]}},
        routes=[open_route(authenticate=["certs"], **WEBSOCKET)],
    )
    running = gateway(config)
    with dial(running, pair=pair) as socket:
        closes_at(socket, end, "certificate_expired")


def test_a_stored_key_that_is_revoked_closes_what_it_opened(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    config = policy(
        echo().port, store={"sqlite": "store.db"},
        authenticators={"keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True}},
        routes=[open_route(authenticate=["keys"], **WEBSOCKET)],
    )
    running = gateway(config)

    def command(*words: str) -> Json:
        options = ["--json", "--config", str(running.path)]
        return json.loads(run_portcullis("key", *words, *options).stdout)

    def is_known(key: str) -> bool:
        return ask(running.port, fields=[f"X-API-Key: {key}"]).status != 401

    leaving, staying = (command("create", "--name", name) for name in ("leaving", "staying"))
    until(lambda: all(is_known(one["key"]) for one in (leaving, staying)))
    with dial(running, X_API_Key=leaving["key"]) as gone, dial(running, X_API_Key=staying["key"]) as kept:
        assert alive(gone) and alive(kept)
        command("revoke", leaving["id"])
        begun = time.monotonic()
        assert closing(gone) == (1008, "credential_unknown")
        assert time.monotonic() - begun < PROMPT_SECONDS
        assert alive(kept)


def test_reloads_that_change_nothing_of_it_close_nothing(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    secret, record = api_key()
    config = keyed_policy(echo().port, records=[record], route=WEBSOCKET)
    running = gateway(config)
    with dial(running, X_API_Key=secret) as socket:
        for number in range(3):
            said = len(running.lines)
            changed = copy.deepcopy(config)
            changed["routes"].append(open_route(name=f"other-{number}", match={"path": f"/other-{number}"}))
            running.replace(changed)
            running.wait_for_line("reloaded", after=said)
            assert alive(socket)
    assert running.access_records()[0]["reason"] is None


def test_a_policy_without_the_route_closes_what_it_let_in(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    port = echo().port
    running = gateway(policy(port, routes=[open_route(**WEBSOCKET)]))
    with dial(running) as socket:
        assert alive(socket)
        running.replace(policy(port, routes=[open_route()]))
        assert closing(socket) == (1008, "route_not_found")


# MARK: Idleness and age


@pytest.mark.clients("h1", "h1-tls")
def test_an_idle_websocket_is_closed(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    origin = echo()
    running = gateway(policy(origin.port, routes=[open_route(upgrade_idle_timeout="500ms", **WEBSOCKET)]))
    with dial(running) as socket:
        # As long as bytes pass it is not idle.
        for _ in range(8):
            time.sleep(0.1)
            assert alive(socket)
        assert closing(socket) == (1001, "upgrade_idle_timeout")
    assert running.access_records()[0]["reason"] == "upgrade_idle_timeout"
    until(lambda: origin.closes == [(1001, "upgrade_idle_timeout")])


def test_after_a_quiet_clients_end_the_upstreams_last_word_arrives(gateway: Start, upstream: Origin) -> None:
    """What is left of the time without a byte is not all that the other side has for its goodbye."""

    def script(connection: Connection) -> None:
        assert switch(connection)
        assert connection.await_end(10)
        assert stays_false(may_end.is_set, 1.2)
        connection.send(frame(TEXT, b"last"))

    may_end = threading.Event()
    running = gateway(policy(upstream(script).port, routes=[open_route(upgrade_idle_timeout="2s", **WEBSOCKET)]))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        assert stays_false(lambda: running.metric("portcullis_tunnels_open") == 0, 1.2)
        client.half_close()
        assert read_frame(client.stream)[1] == b"last"
        may_end.set()


@pytest.mark.clients("h1", "h1-tls")
def test_an_old_websocket_is_closed_though_it_talks(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    running = gateway(policy(echo().port, routes=[open_route(upgrade_lifetime="1s", **WEBSOCKET)]))
    with dial(running) as socket:
        with pytest.raises(ConnectionClosed):
            while True:
                alive(socket)
        assert (socket.close_code, socket.close_reason) == (1001, "upgrade_lifetime")
    assert running.access_records()[0]["reason"] == "upgrade_lifetime"


def test_another_protocol_is_cut_when_idle(gateway: Start, upstream: Origin) -> None:
    running = gateway(
        policy(upstream(piping).port, routes=[open_route(upgrade=["other"], upgrade_idle_timeout="300ms")])
    )
    with RawClient(running.port) as client:
        assert client.send(upgrade(name="other")).read_head().status == 101
        assert client.is_closed(5)
    assert running.access_records()[0]["reason"] == "upgrade_idle_timeout"


# MARK: Frames are never cut in two


def test_the_close_frame_waits_for_the_end_of_a_frame(gateway: Start, upstream: Origin) -> None:
    whole = frame(BINARY, b"z" * 1000)
    may_finish = threading.Event()

    def script(connection: Connection) -> None:
        assert switch(connection)
        connection.send(whole[:600])
        assert may_finish.wait(10)
        connection.send(whole[600:] + frame(TEXT, b"too late"))
        connection.await_end()

    port = upstream(script).port
    running = gateway(policy(port, routes=[open_route(**WEBSOCKET)]))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        head = client.stream.take(600)
        running.replace(policy(port, routes=[open_route()]))
        running.wait_for_line("reloaded")
        assert stays_false(lambda: running.metric("portcullis_tunnels_open") == 0, 0.1)
        may_finish.set()
        assert head + client.stream.take(len(whole) - 600) == whole
        assert close_of(read_frame(client.stream)) == (1008, "route_not_found")
        assert client.is_closed()


def test_a_frame_that_does_not_end_is_cut_after_a_second(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        assert switch(connection)
        connection.send(frame(BINARY, b"z" * 1000)[:600])
        connection.await_end()

    port = upstream(script).port
    running = gateway(policy(port, routes=[open_route(**WEBSOCKET)]))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        client.stream.take(600)
        running.replace(policy(port, routes=[open_route()]))
        assert client.is_closed(5)
    assert running.access_records()[0]["reason"] == "route_not_found"


def test_the_upstream_gets_a_masked_close_frame_and_nothing_behind_it(gateway: Start, upstream: Origin) -> None:
    seen: list[tuple[int, bytes] | None] = []

    def script(connection: Connection) -> None:
        assert switch(connection)
        while found := read_frame(connection.stream):
            seen.append(found)
        seen.append(None)

    origin = upstream(script)
    running = gateway(policy(origin.port, routes=[open_route(**WEBSOCKET)]))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        ping = frame(PING, b"1", masked=True)
        client.send(ping)
        origin.wait_for(lambda: bytes(origin.connections[0].stream.raw).endswith(ping))
        running.replace(policy(origin.port, routes=[open_route()]))
        assert close_of(read_frame(client.stream)) == (1008, "route_not_found")
        client.send(frame(TEXT, b"too late", masked=True))
    until(lambda: seen and seen[-1] is None)
    assert seen[0] == (PING, b"1") and close_of(seen[1]) == (1008, "route_not_found") and len(seen) == 3
    raw = bytes(origin.connections[0].stream.raw)
    at = raw.index(ping) + len(ping)
    assert raw[at] == 0x80 | CLOSE and raw[at + 1] & 0x80, "frames to a server are masked"


# MARK: The end of the gateway


def test_a_drain_says_goodbye(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    origin = echo()
    running = gateway(policy(origin.port, routes=[open_route(**WEBSOCKET)]))
    with dial(running) as socket:
        assert alive(socket)
        running.signal(15)
        assert closing(socket) == (1001, "gateway_draining")
    assert running.process.wait(5) == 0
    assert running.access_records()[0]["reason"] == "gateway_draining"
    # The client's own close frame went to the upstream.
    assert origin.closes == [(1001, "gateway_draining")]


def test_an_upgrade_during_the_drain_delay_is_one_and_ends_with_it(gateway: Start, echo: Callable[..., EchoServer]) -> None:
    origin = echo()
    running = gateway(policy(origin.port, routes=[open_route(**WEBSOCKET)], bounds={"drain_delay": "1s"}))
    running.signal(15)
    running.wait_for_line("stay open")
    with dial(running) as socket:
        assert alive(socket)
        assert closing(socket) == (1001, "gateway_draining")
    assert running.process.wait(5) == 0
    assert origin.closes == [(1001, "gateway_draining")]


def test_what_the_client_had_to_say_still_arrives_while_draining(gateway: Start, upstream: Origin) -> None:
    seen: list[tuple[int, bytes]] = []

    def script(connection: Connection) -> None:
        assert switch(connection)
        while found := read_frame(connection.stream):
            seen.append(found)

    running = gateway(policy(upstream(script).port, routes=[open_route(**WEBSOCKET)]))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        running.signal(15)
        assert close_of(read_frame(client.stream)) == (1001, "gateway_draining")
        client.send(frame(TEXT, b"last words", masked=True) + frame(CLOSE, b"\x03\xe9", masked=True))
        assert client.is_closed()
    assert running.process.wait(5) == 0
    assert seen == [(TEXT, b"last words"), (CLOSE, b"\x03\xe9")]


def test_a_client_that_does_not_answer_holds_no_drain(gateway: Start, upstream: Origin) -> None:
    origin = upstream(piping)
    config = policy(origin.port, routes=[open_route(**WEBSOCKET)], bounds={"drain_timeout": "1s"})
    running = gateway(config)
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        running.signal(15)
        assert close_of(read_frame(client.stream)) == (1001, "gateway_draining")
        assert running.process.wait(5) == 0
    assert running.access_records()[0]["reason"] == "drain_timeout"


def test_plain_requests_are_served_beside_websockets(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream(piping).port, routes=[open_route(**WEBSOCKET)]))
    with RawClient(running.port) as client:
        assert client.send(upgrade()).read_head().status == 101
        until(lambda: running.metric("portcullis_requests_in_flight") == 1)
        assert json.loads(running.admin("/status"))
        with RawClient(running.port) as other:
            other.send(request(method="BAD METHOD"))
            assert other.response().status == 400
    until(lambda: running.metric("portcullis_requests_in_flight") == 0)
