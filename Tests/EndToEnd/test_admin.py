"""The admin listener and the one for probes: neither strangers nor pages in the operator's browser get in, or keep the operator out."""

from __future__ import annotations

import json
import re
import resource
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from harness.certificates import Authority, Pair, shelf
from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients("h1")

TOKEN = secrets.token_urlsafe(24)
ENVIRONMENT = {"ADMIN_TOKEN": TOKEN}
BEARER = f"Authorization: Bearer {TOKEN}"


def administered(port: int, admin: Json | None = None, **members: object) -> Json:
    own = {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"} | (admin or {})
    return policy(port, admin=own, store={"sqlite": "store.db"}, **members)


def probe_port(running: Gateway) -> int:
    [line] = [line for line in running.lines if "probes on http://" in line][-1:]
    return int(re.findall(r"probes on http://\S+:(\d+)", line)[0])


def status(port: int, head: str) -> int:
    """Of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode())
        return int(connection.makefile("rb").readline().split()[1])


@contextmanager
def silent(port: int, count: int) -> Iterator[None]:
    """So many connections on which nothing is sent."""
    with ExitStack() as held:
        for _ in range(count):
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        yield


# Names


@pytest.mark.parametrize("path", ["/", "/status", "/metrics", "/requests/x", "/v1/users", "/nothing"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:PORT", "127.0.0.1.evil.example", "localhost.evil.example:PORT", ""])
def test_a_name_that_was_made_to_lead_here_is_refused(gateway: Start, upstream: Origin, path: str, host: str) -> None:
    running = gateway(administered(upstream().port), environment=ENVIRONMENT)
    host = host.replace("PORT", str(running.admin_port))
    assert status(running.admin_port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{BEARER}\r\n\r\n") in ((421,) if host else (400, 421))
    for method in ("POST", "DELETE"):
        head = f"{method} {path} HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n\r\n"
        assert status(running.admin_port, head) == 421


def test_the_listener_has_its_address_localhost_and_listed_names(gateway: Start, upstream: Origin) -> None:
    running = gateway(administered(upstream().port, {"hosts": ["gateway.internal"]}), environment=ENVIRONMENT)
    port = running.admin_port
    for host in ("127.0.0.1", f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "gateway.internal", f"Gateway.Internal:{port}"):
        assert ask(port, "/status", host=host).status == 200, host
        assert ask(port, "/v1/users", [BEARER], host=host).status == 200, host
    answer = ask(port, "/status", host="other.internal")
    assert answer.status == 421 and b"admin.hosts" in answer.body and b"other.internal" in answer.body
    # Names that a target names count as Host does (RFC 9112 §3.2.2), and HTTP/1.0 without one has none.
    assert status(port, "GET http://evil.example/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") in (400, 421)
    assert status(port, "GET /status HTTP/1.0\r\n\r\n") == 421
    # X-Forwarded-Host has no say.
    assert ask(port, "/status", ["X-Forwarded-Host: 127.0.0.1"], host="evil.example").status == 421


def test_probes_ask_under_every_name(gateway: Start, upstream: Origin) -> None:
    running = gateway(administered(upstream().port), environment=ENVIRONMENT)
    for path in ("/healthz", "/readyz"):
        assert ask(running.admin_port, path, host="lb.internal").status == 200
        assert status(running.admin_port, f"GET {path} HTTP/1.0\r\n\r\n") == 200


@pytest.mark.parametrize("hosts", [["*.internal"], ["a", "A"], ["a:80"], [], "a"])
def test_names_that_are_none(tmp_path: Path, hosts: object) -> None:
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9, admin={"address": "127.0.0.1:0", "hosts": hosts})))
    done = run_portcullis("check", folder=tmp_path)
    assert done.returncode == 1 and "admin.hosts" in done.stdout + done.stderr


# Tokens


@pytest.mark.parametrize(("token", "status"), [("a", 1), ("x" * 15, 1), ("x" * 16, 0)])
def test_a_token_that_can_be_guessed_is_an_error(tmp_path: Path, token: str, status: int) -> None:
    for reference in ("env:ADMIN_TOKEN", "file:token.txt"):
        (tmp_path / "token.txt").write_text(token + "\n")
        (tmp_path / "token.txt").chmod(0o600)
        (tmp_path / "gateway.json").write_text(json.dumps(policy(9, admin={"address": "127.0.0.1:0", "token": reference})))
        done = run_portcullis("check", folder=tmp_path, environment={"ADMIN_TOKEN": token})
        assert done.returncode == status, done.stdout + done.stderr
        assert ("can be guessed" in done.stdout + done.stderr) == bool(status)


def test_guesses_at_the_token_are_bounded_whatever_the_failure_budget_says(gateway: Start, upstream: Origin) -> None:
    running = gateway(administered(upstream().port, failure_budget="off"), environment=ENVIRONMENT)
    found = [ask(running.admin_port, "/v1/users", [f"Authorization: Bearer wrong {number}"]).status for number in range(40)]
    assert found == [401] * 20 + [429] * 20
    # What this machine may see without a token stays open, and so does traffic.
    assert ask(running.admin_port, "/status").status == 200 and ask(running.port).status == 200


def test_an_old_token_that_is_repeated_locks_nobody_out(gateway: Start, upstream: Origin) -> None:
    running = gateway(administered(upstream().port), environment=ENVIRONMENT)
    for fields in (["Authorization: Bearer an old token"], [], ["Authorization: Basic eDp5"], [BEARER, BEARER]):
        assert [ask(running.admin_port, "/v1/users", fields).status for _ in range(30)] == [401] * 30, fields
    assert ask(running.admin_port, "/v1/users", [BEARER]).status == 200


def test_bad_keys_on_the_traffic_listener_do_not_lock_the_operator_out(gateway: Start, upstream: Origin) -> None:
    _, record = api_key()
    config = keyed_policy(upstream().port, records=[record], failure_budget={"failures": 5, "per": "1h"})
    own = {"admin": {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}, "store": {"sqlite": "store.db"}}
    running = gateway(config | own, environment=ENVIRONMENT)
    found = [ask(running.port, "/", [f"X-API-Key: wrong{number}"]).status for number in range(10)]
    assert found[-1] == 429
    assert ask(running.admin_port, "/v1/users", [BEARER]).status == 200


# Bounds


def test_a_full_gateway_still_answers_the_operator_and_probes(gateway: Start, upstream: Origin) -> None:
    bounds = {"connections": 20, "connections_per_address": 20}
    config = administered(upstream().port, {"probes": {"address": "127.0.0.1:0"}}, bounds=bounds, loops=1)
    running = gateway(config, environment=ENVIRONMENT)
    with silent(running.port, 40):
        until(lambda: running.metric("portcullis_connections_refused_total") >= 20)
        for port in (running.admin_port, probe_port(running)):
            assert ask(port, "/healthz").status == 200 and ask(port, "/readyz").status == 200
        assert ask(running.admin_port, "/v1/users", [BEARER]).status == 200


def test_clients_of_traffic_leave_descriptors_for_the_operator(gateway: Start, upstream: Origin) -> None:
    limit = 160
    running = gateway(
        administered(upstream().port, loops=1), environment=ENVIRONMENT, launcher=("prlimit", f"--nofile={limit}:{limit}"))
    assert resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE) == (limit, limit)
    with silent(running.port, limit + 40):
        until(lambda: running.metric("portcullis_connections_refused_total") >= 40)
        assert ask(running.admin_port, "/v1/users", [BEARER]).status == 200


def test_connections_to_the_listener_for_probes_do_not_keep_the_operator_out(gateway: Start, upstream: Origin) -> None:
    running = gateway(administered(upstream().port, {"probes": {"address": "127.0.0.1:0"}}), environment=ENVIRONMENT)
    with silent(probe_port(running), 100):
        assert ask(running.admin_port, "/status").status == 200


# Probes


@pytest.mark.parametrize("metrics", [False, True])
def test_the_listener_for_probes_tells_nothing_else(gateway: Start, upstream: Origin, metrics: bool) -> None:
    probes = {"address": "127.0.0.1:0", "metrics": metrics}
    running = gateway(administered(upstream().port, {"probes": probes}), environment=ENVIRONMENT)
    port = probe_port(running)
    for path in ("/healthz", "/readyz"):
        assert ask(port, path, host="10.0.0.1").status == 200 and ask(port, path, method="HEAD").status == 200
    assert ask(port, "/metrics").status == (200 if metrics else 404)
    for path in ("/", "/status", "/v1/users", "/requests/x", "/explain", "/healthz/", "/key_sets/x/refresh"):
        assert ask(port, path, [BEARER]).status == 404, path
    for path in ("/explain", "/v1/users", "/healthz"):
        refused = ask(port, path, [BEARER], method="POST", body=b"{}")
        assert (refused.status, refused.value("allow")) == (405, "GET, HEAD"), path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "/metrics", "GET, HEAD"), ("GET", "/explain", "POST"), ("GET", "/key_sets/idp/refresh", "POST")],
)
def test_a_refused_method_is_told_those_allowed(
    gateway: Start, upstream: Origin, method: str, path: str, allowed: str
) -> None:
    running = gateway(administered(upstream().port), environment=ENVIRONMENT)
    answer = ask(running.admin_port, path, [BEARER], method=method)
    assert (answer.status, answer.value("allow")) == (405, allowed)


def test_a_listener_for_probes_needs_no_warning_and_an_address_of_its_own(tmp_path: Path) -> None:
    def check(admin: Json, **members: object) -> tuple[int, str]:
        (tmp_path / "gateway.json").write_text(json.dumps(policy(9, admin=admin, **members)))
        done = run_portcullis("check", folder=tmp_path)
        return done.returncode, done.stdout + done.stderr

    returned, printed = check({"address": "127.0.0.1:9901", "probes": {"address": "0.0.0.0:9902", "metrics": True}})
    assert returned == 0 and "reached from other machines" not in printed
    returned, printed = check({"address": "127.0.0.1:9901", "probes": {"address": "127.0.0.1:9901"}})
    assert returned == 1 and "has the address" in printed
    listeners = [{"address": "127.0.0.1:9902"}]
    returned, printed = check({"address": "127.0.0.1:9901", "probes": {"address": "127.0.0.1:9902"}}, listeners=listeners)
    assert returned == 1 and "has the address" in printed
    returned, printed = check({"address": "127.0.0.1:9901", "probes": {"adress": "127.0.0.1:9902"}})
    assert returned == 1 and "address" in printed


def test_a_reload_opens_and_closes_the_listener_for_probes(gateway: Start, upstream: Origin) -> None:
    origin = upstream().port
    running = gateway(administered(origin), environment=ENVIRONMENT)
    listener = {"listeners": [{"address": f"127.0.0.1:{running.port}"}]}
    admin = {"address": f"127.0.0.1:{running.admin_port}"}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    def answers() -> bool:
        try:
            return ask(port, "/readyz").status == 200
        except OSError:
            return False

    running.write(administered(origin, admin | {"probes": {"address": f"127.0.0.1:{port}"}}, **listener))
    until(answers)
    assert ask(port, "/metrics").status == 404
    running.write(administered(origin, admin | {"probes": {"address": f"127.0.0.1:{port}", "metrics": True}}, **listener))
    until(lambda: ask(port, "/metrics").status == 200)
    running.write(administered(origin, admin, **listener))
    until(lambda: not answers())


# TLS


def secure(port: int, path: str, **arguments: object) -> requests.Response:
    url = f"https://localhost:{port}{path}"
    return requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10, **arguments)


def served(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock, context.wrap_socket(sock) as wrapped:
        return wrapped.getpeercert(binary_form=True)


def test_the_admin_listener_speaks_tls_and_follows_its_files(
    gateway: Start, upstream: Origin, tmp_path: Path, authority: Authority
) -> None:
    pairs = [authority.issue(title) for title in ("localhost", "localhost")]
    pairs[0].put(tmp_path, "admin")
    tls = {"certificate": f"file:{tmp_path}/admin.pem", "key": f"file:{tmp_path}/admin.key"}
    config = administered(upstream().port, {"tls": tls})
    running = gateway(config, environment=ENVIRONMENT)
    trusted = str(authority.path)
    assert secure(running.admin_port, "/v1/users", verify=trusted).status_code == 200
    assert secure(running.admin_port, "/healthz", verify=trusted).text == "ok\n"
    first = served(running.admin_port)
    assert first == ssl.PEM_cert_to_DER_cert(pairs[0].certificate.read_text())
    # Plaintext on it is answered as on other listeners, and the command line finds it.
    assert status(running.admin_port, "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n") == 400
    request_id = ask(running.port, "/x").value("X-Request-ID") or ""
    seen = config | {"admin": config["admin"] | {"address": f"127.0.0.1:{running.admin_port}"}}
    (tmp_path / "seen.json").write_text(json.dumps(seen))
    explained = run_portcullis("explain", "--config", "seen.json", "--request-id", request_id, folder=tmp_path, environment=ENVIRONMENT)
    assert request_id in explained.stdout, explained.stdout + explained.stderr
    pairs[1].put(tmp_path, "admin")
    until(lambda: served(running.admin_port) != first)
    assert secure(running.admin_port, "/v1/users", verify=trusted).status_code == 200


def test_a_token_behind_tls_is_no_warning(tmp_path: Path) -> None:
    pair: Pair = shelf().server
    tls = {"certificate": f"file:{pair.certificate}", "key": f"file:{pair.key}"}
    warned = {}
    for name, more in (("plain", {}), ("tls", {"tls": tls})):
        admin = {"address": "0.0.0.0:9901", "token": "env:ADMIN_TOKEN"} | more
        (tmp_path / "gateway.json").write_text(json.dumps(policy(9, admin=admin)))
        done = run_portcullis("check", folder=tmp_path, environment=ENVIRONMENT)
        assert done.returncode == 0, done.stdout + done.stderr
        warned[name] = "reached from other machines" in done.stdout + done.stderr
    assert warned == {"plain": True, "tls": False}
