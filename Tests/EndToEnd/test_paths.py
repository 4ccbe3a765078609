"""Paths that servers read in different ways: an API never sees one that would have selected another route."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", "h2", one=True)]


def guarded(port: int, **members: object) -> tuple[str, Json]:
    """Everything is open but /admin."""
    secret, record = api_key()
    routes = [
        open_route(name="admin", match={"path": "/admin/**"}, authenticate=["keys"]),
        open_route(name="open", match={"path": "/**"}),
    ]
    return secret, policy(port, routes=routes, authenticators={"keys": key_authenticator(record)}, **members)


@pytest.mark.parametrize(
    "target",
    [
        "//x/admin/secret", "///x/admin/secret", "//x:1/admin/secret?q", "//admin/secret", "/;//x/admin/secret", "/admin;x/secret",
        "/;x/admin/secret", "/admin%3bx/secret", "/ADMIN/secret", "/%EF%BD%81dmin/secret", "/%2561dmin/secret", "/admin./secret",
        "/admin%20/secret", "/x%252f..%252fadmin", "/ADMIN;x/secret", "/%2541dmin;x",
    ],
)  # fmt: skip
def test_a_path_that_is_another_route_s_to_some_server_is_refused(gateway: Start, upstream: Origin, target: str) -> None:
    origin = upstream()
    secret, config = guarded(origin.port)
    running = gateway(config)
    for fields in ([], [f"X-API-Key: {secret}"]):
        answer = ask(running.port, target, fields)
        assert (answer.status, json.loads(answer.body)["reason"]) == (400, "path_ambiguous")
        assert b"admin" not in answer.body.lower(), "which routes there are is not for clients"
    assert not origin.requests


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/a//b///c", "/a/b/c"), ("/x//admin/secret", "/x/admin/secret"), ("/files/100%25", "/files/100%25"), ("/AbC;v=1", "/AbC;v=1"),
        ("/a//b?x=//y", "/a/b?x=//y"), ("/caf%c3%a9/%7Ex", "/caf%c3%a9/%7Ex"), ("/x/J.R.", "/x/J.R."),
    ],
)  # fmt: skip
def test_what_every_server_reads_alike_passes(gateway: Start, upstream: Origin, target: str, sent: str) -> None:
    origin = upstream()
    assert ask(gateway(guarded(origin.port)[1]).port, target).status == 200
    assert origin.requests[0].target == sent


def test_readings_that_servers_are_known_not_to_make_are_left_out(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(guarded(origin.port, paths={"readings": ["parameters"]})[1])
    assert ask(running.port, "/ADMIN/secret").status == 200
    assert ask(running.port, "/admin;x/secret").status == 400
    open_gateway = gateway(guarded(origin.port, paths={"readings": []})[1])
    assert ask(open_gateway.port, "//x/admin/secret").status == 200
    assert origin.requests[-1].target == "/x/admin/secret", "merged all the same"


@pytest.mark.clients("h1")
def test_both_routes_are_named_to_the_operator(gateway: Start, upstream: Origin) -> None:
    running = gateway(guarded(upstream().port)[1])
    ask(running.port, "/ADMIN;x/secret")
    ask(running.port, "/x")
    records = {it["path"]: (it["route"], it["other_route"]) for it in running.access_records(2)}
    assert records == {"/ADMIN;x/secret": ("open", "admin"), "/x": ("open", None)}
    answer = ask(running.admin_port, "/explain", method="POST", body=b'{"method": "GET", "url": "http://gw.test/ADMIN;x/secret"}')
    told = json.loads(answer.body)
    assert (told["status"], told["reason"], told["route"]) == (400, "path_ambiguous", "open")
    expected = {"path": "/admin/secret", "other_route": "admin", "readings": ["parameters", "letter_case"]}
    assert told["ambiguity"] == expected
    step = next(it for it in told["steps"] if it["step"] == "path")
    assert step["verdict"] == "failed" and '"admin", not "open"' in step["checks"][-1]["text"]


@pytest.mark.clients("h1")
def test_tests_and_differences_name_both_routes(tmp_path: Path) -> None:
    test = {"name": "case", "request": "GET http://gw.test/ADMIN", "expect": {"route": "open", "allowed": True}}
    config = guarded(9, tests=[test])[1]
    (tmp_path / "new.json").write_text(json.dumps(config, indent=1))
    done = run_portcullis("test", "--config", "new.json", folder=tmp_path)
    assert done.returncode == 1 and 'it selects "admin", not "open"' in done.stdout + done.stderr
    config["paths"] = {"readings": []}
    (tmp_path / "old.json").write_text(json.dumps(config, indent=1))
    record = {
        "time": "2026-11-30T12:00:00.000Z", "request_id": "rq_1", "client": "192.0.2.1", "peer": "192.0.2.1", "method": "GET",
        "scheme": "http", "host": "gw.test", "path": "/ADMIN", "version": "1.1", "user_agent": None, "status": 200, "reason": None,
        "would_have": None, "route": "open", "other_route": None, "upstream": "up", "server": "127.0.0.1:9", "auth": "none",
        "source": None, "credential": None, "fingerprint": None, "subject": None, "bytes_in": 0, "bytes_out": 0, "duration_us": 1,
        "upstream_us": 1, "retries": 0,
    }  # fmt: skip
    (tmp_path / "access.jsonl").write_text(json.dumps(record) + "\n")
    done = run_portcullis("diff", "--against", "access.jsonl", "old.json", "new.json", folder=tmp_path)
    assert "refused 400 path_ambiguous (routes open and admin)" in done.stdout, done.stdout + done.stderr


RAW = "/files/a[1]|b^c{d}<e>\"f`?q=[x]|\"{y}"


def test_bytes_that_clients_send_unencoded_go_on_as_they_came(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(guarded(origin.port)[1])
    assert ask(running.port, RAW).status == 200
    assert origin.requests[-1].target == RAW
    assert ask(running.port, "/files/a\\b").status == 400


def test_a_route_takes_what_the_others_refuse(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, config = guarded(origin.port)
    config["routes"].append(
        open_route(name="projects", match={"path": "/projects/**"}, paths={"encoded_slash": "keep", "invalid_utf8": "keep"})
    )
    config["routes"].append(open_route(name="members", match={"path": "/projects/x/members"}, authenticate=["keys"]))
    running = gateway(config)
    for target in ("/projects/group%2Fname/issues", "/projects/caf%E9.pdf"):
        assert ask(running.port, target).status == 200
        assert origin.requests[-1].target == target
    count = len(origin.requests)
    for target, reason in (
        ("/x/group%2Fname", "path_encoded_slash"), ("/x/caf%E9", "path_encoding_invalid"), ("/projects/x%2Fmembers", "path_ambiguous"),
        ("/projects/x/%FFmembers", "path_ambiguous"), ("/projects/a%C0%AFb", "path_encoding_invalid"),
        ("/projects/a%2F..%2F..%2Fadmin", "path_ambiguous"),
    ):  # fmt: skip
        answer = ask(running.port, target, [f"X-API-Key: {secret}"])
        assert (answer.status, json.loads(answer.body)["reason"]) == (400, reason), target
    assert len(origin.requests) == count


@pytest.mark.clients("h1")
def test_explanations_name_the_rules_of_the_route(gateway: Start, upstream: Origin) -> None:
    config = guarded(upstream().port, paths={"encoded_slash": "keep", "readings": []})[1]
    config["routes"].append(open_route(name="strict", match={"path": "/strict/**"}, paths={"encoded_slash": "reject"}))
    running = gateway(config)
    for target, place in (("/strict/a%2Fb", "routes[2].paths"), ("/x/%E9", "paths")):
        url = json.dumps({"method": "GET", "url": f"http://gw.test{target}"}).encode()
        told = json.loads(ask(running.admin_port, "/explain", method="POST", body=url).body)
        step = next(it for it in told["steps"] if it["step"] == "path")
        assert told["status"] == 400 and step["verdict"] == "failed"
        assert step["checks"][-1]["rule"]["path"] == place
        assert ask(running.port, target).status == 400
