"""`portcullis diff`: what changed between two policies, in words, and which logged requests it changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


def devices(port: int, *records: Json) -> Json:
    read = open_route(name="devices", authenticate=["keys"], authorize={"scopes": ["devices:read"]})
    health = open_route(name="health", match={"path": "/healthz"})
    return policy(port, routes=[read, health], authenticators={"keys": key_authenticator(*records)})


def tightened(config: Json) -> Json:
    other = copy.deepcopy(config)
    other["routes"][0]["authorize"]["scopes"].append("devices:write")
    other["authenticators"]["keys"]["keys"] = [it for it in config["authenticators"]["keys"]["keys"] if it["id"] != "gone"]
    return other


def write(folder: Path, name: str, config: Json) -> str:
    (folder / name).write_text(json.dumps(config, indent=1))
    return name


def test_changes_are_told_in_words_with_their_places(tmp_path: Path) -> None:
    config = devices(9, api_key("ci", scopes=["devices:read"])[1], api_key("gone")[1])
    old, new = write(tmp_path, "old.json", config), write(tmp_path, "new.json", tightened(config))
    done = run_portcullis("diff", old, new, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert 'route devices: now also asks for the scope "devices:write"  new.json:' in done.stdout
    assert "authenticator keys, key gone: is gone  old.json:" in done.stdout
    told = json.loads(run_portcullis("diff", "--json", old, new, folder=tmp_path).stdout)
    assert [it["kind"] for it in told["changes"]] == ["changed", "removed"] and told["requests"] is None
    same = run_portcullis("diff", old, old, folder=tmp_path)
    assert same.returncode == 0 and same.stdout == "nothing is different\n"


def test_logged_requests_that_would_be_answered_differently_are_grouped(gateway: Start, upstream: Origin) -> None:
    ci, record = api_key("ci", scopes=["devices:read"])
    gone, other = api_key("gone", scopes=["devices:read"])
    config = devices(upstream().port, record, other)
    running = gateway(config)
    for _ in range(3):
        assert ask(running.port, "/x?q=1", [f"X-API-Key: {ci}"]).status == 200
    assert ask(running.port, "/y", [f"X-API-Key: {gone}"]).status == 200
    assert ask(running.port, "/y").status == 401
    assert ask(running.port, "/y", ["X-API-Key: wrong"]).status == 401
    assert ask(running.port, "/healthz").status == 200
    assert running.stop() == 0
    log = str(running.access_path)
    write(running.folder, "new.json", tightened(config))
    done = run_portcullis("diff", "--against", log, "gateway.json", "new.json", folder=running.folder)
    assert done.returncode == 1, done.stderr
    assert (
        "route devices: 3 requests let through to up by the route devices, now refused 403 scope_missing" in done.stdout
    )
    assert (
        "route devices: 1 request let through to up by the route devices, now refused 401 credential_missing"
        in done.stdout
    )
    assert "7 requests in the log: 2 unchanged, 4 different, 1 left aside" in done.stdout
    told = json.loads(
        run_portcullis("diff", "--json", "--against", log, "gateway.json", "new.json", folder=running.folder).stdout
    )
    assert told["requests"]["read"] == 7 and [it["count"] for it in told["requests"]["different"]] == [3, 1]
    same = run_portcullis("diff", "--against", log, "gateway.json", "gateway.json", folder=running.folder)
    assert same.returncode == 0, same.stdout


def test_what_cannot_be_compared_is_one_clear_line(tmp_path: Path) -> None:
    old = write(tmp_path, "old.json", policy(9))
    assert run_portcullis("diff", old, "none.json", folder=tmp_path).returncode == 2
    (tmp_path / "broken.json").write_text("{")
    done = run_portcullis("diff", old, "broken.json", folder=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("broken.json:1:") and done.stderr.count("\n") == 1
    (tmp_path / "log").write_text('\n{"time":"2026-01-01T00:00:00Z"}\n')
    done = run_portcullis("diff", "--against", "log", old, old, folder=tmp_path)
    assert done.returncode == 2 and 'log:2: no access record of this version: its "request_id"' in done.stderr
    assert run_portcullis("diff", "--against", "nothing", old, old, folder=tmp_path).returncode == 2
