"""What routes inherit: a policy means the same with and without `defaults`, and every command points at the place that counts."""

from __future__ import annotations

import collections
import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask
from harness.gateway import REPOSITORY, Gateway, run_portcullis
from harness.loosening import written_out
from harness.origin import QuickOrigin
from harness.policy import Json, api_key, keyed_policy
from harness.shipped import POLICIES, read

Start = Callable[..., Gateway]

SCHEMA = json.loads((REPOSITORY / "docs" / "gateway.schema.json").read_text())
#: Members that may be inherited.
MEMBERS = list(SCHEMA["$defs"]["defaults"]["properties"])


def hoisted(config: Json) -> Json:
    """A policy that means the same, with the most frequent value of each member under `defaults`."""
    config = written_out(config)
    routes = [route for route in config["routes"] if "not_found" not in route.get("action", {})]
    defaults = {}
    for member in MEMBERS:
        values = collections.Counter(json.dumps(route[member]) for route in routes if member in route)
        # Without a cors of its own a route has that of the top.
        if member == "cors" and "cors" in config:
            continue
        closed = [text for text, _ in values.most_common() if text not in ('"none"', "null") and not text.startswith('{"optional"')]
        if not closed:
            continue
        defaults[member] = json.loads(closed[0])
        for route in routes:
            if route.get(member) == defaults[member]:
                del route[member]
            elif member not in route and member != "upstream":
                route[member] = None
    return {"defaults": defaults} | config


@pytest.mark.parametrize("file", POLICIES)
def test_a_policy_means_the_same_with_its_members_under_defaults(file: str, tmp_path: Path) -> None:
    config = read(REPOSITORY / file)
    other = hoisted(config)
    assert other["defaults"] and written_out(other)["routes"] == written_out(config)["routes"]
    missing: set[str] = set()
    for name, policy in [("old", config), ("new", other)]:
        (tmp_path / f"{name}.json").write_text(json.dumps(policy, indent=1))
        checked = json.loads(run_portcullis("check", "--json", "--config", f"{name}.json", folder=tmp_path).stdout)
        found = {(it["code"], it["severity"]) for it in checked["diagnostics"]}
        missing ^= found
    # The same is said of both: secrets are missing here, and nothing else.
    assert not missing, missing


def kept(tmp_path: Path, **members: object) -> Json:
    _, record = api_key()
    config = keyed_policy(9, records=[record], **members)
    config["routes"] = [
        {"name": "a", "match": {"path": "/a"}},
        {"name": "b", "match": {"path": "/b"}, "accept": None},
        {"name": "none", "match": {"path": "/none"}, "action": {"not_found": True}},
    ]
    config["limits"] = {"few": {"requests": 1, "per": "1h", "by": "address"}}
    config["defaults"] = {"authenticate": ["keys"], "upstream": "up", "limits": ["few"], "accept": ["application/json"]}
    (tmp_path / "gateway.json").write_text(json.dumps(config, indent=1))
    return config


def test_explain_points_at_the_default(tmp_path: Path) -> None:
    kept(tmp_path)
    lines = (tmp_path / "gateway.json").read_text().splitlines()
    told = json.loads(run_portcullis("explain", "--json", "http://localhost/a", folder=tmp_path).stdout)
    rules = [check["rule"] for step in told["steps"] for check in step["checks"] if check.get("rule")]
    [rule] = {json.dumps(rule) for rule in rules if rule["path"].startswith("defaults")}
    assert json.loads(rule)["path"] == "defaults.authenticate"
    assert lines[json.loads(rule)["line"] - 1].strip().startswith('"authenticate"')


def test_moving_a_member_is_no_difference_and_a_default_changes_every_route_that_inherits_it(tmp_path: Path) -> None:
    config = kept(tmp_path)
    (tmp_path / "out.json").write_text(json.dumps(written_out(config), indent=1))
    done = run_portcullis("diff", "gateway.json", "out.json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "nothing is different\n"), done.stdout + done.stderr
    changed = copy.deepcopy(config)
    changed["defaults"]["accept"] = ["text/csv"]
    changed["defaults"]["limits"] = []
    (tmp_path / "new.json").write_text(json.dumps(changed, indent=1))
    done = run_portcullis("diff", "--json", "gateway.json", "new.json", folder=tmp_path)
    assert done.returncode == 1
    changes = [(it["subject"], it["path"], it["text"]) for it in json.loads(done.stdout)["changes"]]
    limited = ("defaults.limits", 'is no longer limited by "few"')
    assert sorted(changes) == sorted([
        ("route a", *limited), ("route b", *limited),
        ("route a", "defaults.accept", 'accept now also has "text/csv"'),
        ("route a", "defaults.accept", 'accept no longer has "application/json"'),
    ])


def test_a_gateway_decides_by_what_is_inherited_and_follows_its_change(gateway: Start, quick_origin: QuickOrigin) -> None:
    secret, record = api_key()
    config = keyed_policy(quick_origin.port, records=[record])
    config["routes"] = [
        {"name": "a", "match": {"path": "/a"}, "limits": None}, {"name": "b", "match": {"path": "/b"}},
        {"name": "open", "match": {"path": "/open"}, "authenticate": "none", "limits": None},
        {"name": "none", "match": {"path": "/none"}, "action": {"not_found": True}},
    ]
    config["limits"] = {"few": {"requests": 1, "per": "1h", "by": "address"}}
    config["defaults"] = {"authenticate": ["keys"], "upstream": "up", "limits": ["few"], "response_headers": {"set": {"X-Of": "all"}}}
    running = gateway(config)
    key = [f"X-API-Key: {secret}"]
    assert ask(running.port, "/a").status == 401 and ask(running.port, "/open").status == 200
    assert ask(running.port, "/none", key).status == 404
    assert [ask(running.port, "/a", key).status for _ in range(3)] == [200, 200, 200]
    assert [ask(running.port, "/b", key).status for _ in range(2)] == [200, 429]
    assert ask(running.port, "/a", key).value("x-of") == "all"
    mark = len(running.lines)
    running.replace(config | {"defaults": config["defaults"] | {"authenticate": "none"}})
    running.wait_for_line(r"defaults\.authenticate: a default asks for a credential", after=mark)
    assert ask(running.port, "/a").status == 401
