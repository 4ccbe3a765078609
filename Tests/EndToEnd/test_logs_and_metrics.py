"""What operators see: one schema for every request, counters that add up, and never a secret."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.issuer import SigningKey, jwt_authenticator
from harness.policy import api_key, key_authenticator, keyed_policy, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.upstreams("https", "h2c", "h2", one=True)

MEMBERS = {
    "would_have",
    "time",
    "request_id",
    "client",
    "peer",
    "method",
    "scheme",
    "host",
    "path",
    "version",
    "status",
    "reason",
    "token_member",
    "route",
    "other_route",
    "upstream",
    "server",
    "auth",
    "source",
    "credential",
    "fingerprint",
    "subject",
    "bytes_in",
    "bytes_out",
    "duration_us",
    "upstream_us",
    "retries",
    "user_agent",
}


@pytest.mark.clients(*ALL)
def test_one_schema_for_every_outcome(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key("ci", scopes=["other"])
    config = keyed_policy(upstream().port, records=[record])
    config["routes"] += [
        open_route(name="scoped", match={"path": "/scoped"}, authenticate=["keys"], authorize={"scopes": ["none"]}),
        open_route(name="limited", match={"path": "/limited"}, limits=["one"]),
    ]
    config["limits"] = {"one": {"requests": 1, "per": "1h", "burst": 1, "by": "address"}}
    running = gateway(config)
    key = f"X-API-Key: {secret}"
    calls = [
        ("/", [key], 200),
        ("/", [], 401),
        ("/", ["X-API-Key: rbtk_bad"], 401),
        ("/scoped", [key], 403),
        ("/limited", [], 200),
        ("/limited", [], 429),
        ("/%00", [key], 400),
    ]
    ids = []
    for target, fields, status in calls:
        answer = ask(running.port, target, fields)
        assert answer.status == status
        ids.append(answer.value("x-request-id"))
    if not running.protocol.is_http2:
        with RawClient(running.port) as client:
            answer = client.send("NONSENSE\r\n\r\n").response()
            ids.append(answer.value("x-request-id"))
    records = running.access_records(len(ids))
    assert {tuple(sorted(entry)) for entry in records} == {tuple(sorted(MEMBERS))}
    by_id = {entry["request_id"]: entry for entry in records}
    assert set(ids) <= set(by_id)
    for (_, _, status), identifier in zip(calls, ids, strict=False):
        assert by_id[identifier]["status"] == status
        assert (by_id[identifier]["reason"] is None) == (status == 200)
    good = by_id[ids[0]]
    assert (good["route"], good["upstream"], good["auth"], good["credential"], good["subject"]) == (
        "keyed",
        "up",
        "api_key",
        "ci",
        "ci@acme",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", good["time"])
    assert re.fullmatch(r"[0-9a-f]{8}", good["fingerprint"]) and good["fingerprint"] == record["sha256"][:8]
    assert good["version"] == ("2" if running.protocol.is_http2 else "1.1")
    assert good["bytes_out"] == 5 and good["duration_us"] > 0 and good["upstream_us"] > 0
    assert by_id[ids[2]]["reason"] == "credential_unknown"
    assert by_id[ids[5]]["reason"] == "rate_limited"


def test_faults_of_the_upstream_are_recorded(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    origin.stop()
    assert ask(running.port).status == 502
    assert running.access_records(1)[0]["reason"] == "upstream_unreachable"


@pytest.mark.clients(*ALL)
def test_no_secret_anywhere(gateway: Start, upstream: Origin) -> None:
    """Keys and tokens, good and bad, in every place a client may put them, and then a look everywhere."""
    origin = upstream()
    secret, record = api_key()
    key = SigningKey("ES256")
    token = key.token()
    config = policy(
        origin.port,
        key_sets={"issuer": {"keys": [key.jwk()]}},
        authenticators={"keys": key_authenticator(record), "jwt": jwt_authenticator("ES256")},
        routes=[open_route(authenticate=["keys", "jwt"])],
    )
    running = gateway(config)
    wrong = "rbtk_wrongwrongwrongwrongwrong"
    bad = token[:-6] + "AAAAAA"
    for value in (secret, wrong):
        ask(running.port, fields=[f"X-API-Key: {value}"])
        ask(running.port, fields=[f"Authorization: Bearer {value}"])
        ask(running.port, f"/?api_key={value}&x=1")
        ask(running.port, fields=[f"Authorization: Basic {value}"])
        ask(running.port, fields=[f"Cookie: k={value}", f"Referer: http://x.test/?k={value}"])
    for value in (token, bad):
        ask(running.port, fields=[f"Authorization: Bearer {value}"])
        ask(running.port, f"/?access_token={value}")
    everything = running.admin("/metrics")
    running.access_records(14)
    running.stop()
    everything += running.access_text() + "\n".join(running.lines)
    for hidden in (secret, wrong, token.split(".")[2], bad.split(".")[2], record["sha256"]):
        assert hidden not in everything
    for message in origin.requests:
        assert secret not in message.head.decode("latin-1") or b"Cookie" in message.head or b"?api_key" in message.head


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("target", ['/a"b', "/a%22b", "/\xe9", "/a\\b", "/%0a"])
def test_log_lines_cannot_be_forged(gateway: Start, upstream: Origin, target: str) -> None:
    running = gateway(policy(upstream().port))
    ask(running.port, target, fields=['User-Agent: a"b\\c\td\xff'])
    assert len(running.access_records(1)) == 1


def test_a_log_file(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    running = gateway(policy(upstream().port, access_log=f"file:{path}"))
    ask(running.port)
    until(lambda: path.exists() and path.read_text().count("\n") == 1, what="the record")
    # As logrotate does.
    path.rename(tmp_path / "access.log.1")
    running.signal(1)
    until(path.exists, what="the new file")
    ask(running.port)
    until(lambda: path.read_text().count("\n") == 1, what="the record in the new file")


def test_log_off(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, access_log="off"))
    ask(running.port)
    assert running.stop() == 0
    assert running.access_text() == ""


def test_records_are_written_before_the_end(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    for _ in range(50):
        ask(running.port)
    assert running.stop() == 0
    assert len(running.access_text().splitlines()) == 50


@pytest.mark.clients(*ALL)
def test_metrics_add_up(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(keyed_policy(upstream().port, records=[record]))
    for _ in range(7):
        ask(running.port, fields=[f"X-API-Key: {secret}"])
    for _ in range(3):
        ask(running.port)

    def settled() -> bool:
        return (
            running.metric("portcullis_requests_total", route="keyed", status="2xx") == 7
            and running.metric("portcullis_refusals_total", reason="credential_missing") == 3
        )

    until(settled, what="the counters")
    assert running.metric("portcullis_request_duration_seconds_count", route="keyed", result="served") == 7
    assert running.metric("portcullis_request_duration_seconds_count", route="keyed", result="refused") == 3
    assert running.metric("portcullis_request_duration_seconds_sum", route="keyed", result="refused") > 0
    assert running.metric("portcullis_connections_open") == 0
    assert all(record["duration_us"] > 0 for record in running.access_records(10))


SAMPLE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*",?)*\})? [-+0-9.eEInfNa]+')


def test_metrics_are_prometheus_text(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    ask(running.port)
    for line in running.admin("/metrics").splitlines():
        assert line == "" or line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line), line


def test_labels_do_not_grow_with_what_clients_send(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))

    def series() -> int:
        return sum(not line.startswith("#") for line in running.admin("/metrics").splitlines())

    ask(running.port)
    ask(running.port, method="ODD")
    before = series()
    for number in range(30):
        ask(running.port, f"/{number}", method=f"M{number}", fields=[f"User-Agent: {number}"], host=f"h{number}.test")
    assert series() <= before + 2


def test_admin_listener(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    assert ask(running.admin_port, "/healthz").status == 200
    assert ask(running.admin_port, "/readyz").status == 200
    assert ask(running.admin_port, "/nothing").status == 404
    assert ask(running.port, "/metrics").body == b"hello", "the admin pages must not shadow a route"


def test_readiness_ends_with_the_drain(gateway: Start, upstream: Origin) -> None:
    def wait(connection) -> None:
        connection.read_request()
        connection.await_end()

    origin = upstream(wait)
    running = gateway(policy(origin.port))
    with RawClient(running.port) as client:
        client.send(request())
        origin.wait_for(lambda: origin.requests)
        running.signal(15)
        running.wait_for_line("drain")
        try:
            assert ask(running.admin_port, "/readyz").status == 503
        except (OSError, AssertionError) as fault:
            # Who stands in the backlog at the very moment the listener closes is reset, not refused.
            assert isinstance(fault, ConnectionError), fault


def own_address() -> str:
    """An address of this machine that is no loopback address; what is sent there does not leave it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return probe.getsockname()[0]


@pytest.mark.clients("h1")
def test_who_asks_the_admin_listener_from_elsewhere_shows_the_token(gateway: Start, upstream: Origin) -> None:
    address = own_address()
    config = policy(upstream().port, admin={"address": "0.0.0.0:0", "token": "env:ADMIN_TOKEN"})
    running = gateway(config, environment={"ADMIN_TOKEN": "t" * 32})

    def statuses(*fields: str) -> list[int]:
        found = []
        for asked in ("GET /healthz", "GET /", "GET /status", "GET /metrics", "GET /requests/x", "POST /explain"):
            with socket.create_connection((address, running.admin_port), 5) as connection:
                head = [f"{asked} HTTP/1.1", "Host: a", "Connection: close", "Content-Length: 0", *fields, "", ""]
                connection.sendall("\r\n".join(head).encode())
                found.append(int(connection.makefile("rb").readline().split()[1]))
        return found

    assert statuses() == [200, 200, 401, 401, 401, 401]
    assert statuses("Authorization: Bearer wrong") == [200, 200, 401, 401, 401, 401]
    assert statuses("Authorization: Bearer " + "t" * 32) == [200, 200, 200, 200, 404, 400]
    assert ask(running.admin_port, "/status").status == 200, "somebody on this machine is asked for nothing"


@pytest.mark.clients("h1")
def test_an_admin_listener_without_a_token_answers_this_machine_only(gateway: Start, upstream: Origin) -> None:
    address = own_address()
    running = gateway(policy(upstream().port, admin={"address": "0.0.0.0:0"}))
    with socket.create_connection((address, running.admin_port), 5) as connection:
        connection.sendall(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 403 " in connection.makefile("rb").readline()
    assert ask(running.admin_port, "/status").status == 200
