"""Tests a policy carries: what `portcullis test` prints, which loosened rules they find, and that they block a reload."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import load
from harness.certificates import Authority
from harness.client import ask
from harness.gateway import REPOSITORY, Gateway, binary, run_portcullis
from harness.loosening import loosened
from harness.origin import QuickOrigin
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.shipped import POLICIES, TESTS, read

Start = Callable[..., Gateway]


def unguarded(name: str, reason: str = "credential_missing") -> Json:
    return {"name": name, "request": "GET /x", "expect": {"reason": reason}}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    """A folder with all that the shipped policies name."""
    folder = tmp_path_factory.mktemp("shipped")
    for name in ("examples", "docker"):
        (folder / name).mkdir()
    subprocess.run([sys.executable, REPOSITORY / "scripts/demo-keys", str(binary()), str(folder / "var")], check=True)
    (folder / "certs").mkdir()
    pair = authority.issue("localhost")
    for name in ("server", "server-rsa"):
        pair.put(folder / "certs", name)
    (folder / "certs" / "ca.pem").write_bytes(Path(authority.path).read_bytes())
    return folder


MUTANTS = [(file, name) for file in POLICIES for name, _, _ in loosened(read(REPOSITORY / file))]


@pytest.mark.parametrize("file", POLICIES)
def test_a_shipped_policy_passes_its_tests(file: str, shipped: Path) -> None:
    target = shipped / file
    target.write_text((REPOSITORY / file).read_text())
    for tests in TESTS:
        (shipped / "examples" / tests.name).write_text(tests.read_text())
    done = run_portcullis("test", "--config", str(target), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["passed"] > 0


#: The one of docker/ names a server that exists in its network alone.
@pytest.mark.parametrize("file", [file for file in POLICIES if not file.startswith("docker/")])
def test_check_warns_of_nothing_in_a_shipped_policy(file: str, shipped: Path) -> None:
    target = shipped / file
    target.write_text((REPOSITORY / file).read_text())
    for tests in TESTS:
        (shipped / "examples" / tests.name).write_text(tests.read_text())
    done = run_portcullis("check", "--strict", "--json", "--config", str(target))
    assert [it for it in json.loads(done.stdout)["diagnostics"] if it["severity"] == "warning"] == []


@pytest.mark.parametrize(("file", "name"), MUTANTS)
def test_a_loosened_rule_fails_a_test(file: str, name: str, shipped: Path) -> None:
    config = read(REPOSITORY / file)
    place, mutant = next((place, mutant) for found, place, mutant in loosened(config) if found == name)
    target = (shipped / file).with_suffix(".loosened.json")
    target.write_text(json.dumps(mutant))
    done = run_portcullis("test", "--config", str(target), "--json")
    assert done.returncode == 1, f"{name}: {done.stdout}{done.stderr}"
    told = json.loads(done.stdout)
    if "failed" not in told:
        # No test is needed where such a policy is no policy.
        errors = [it for it in told["diagnostics"] if it["severity"] == "error"]
        assert errors and all(it["path"].startswith(place) for it in errors), errors


def test_results_are_told_by_name_with_a_difference(tmp_path: Path) -> None:
    secret, record = api_key()
    good = {"name": "the key", "request": "GET /", "key": "ci", "expect": {"upstream": "up"}}
    (tmp_path / "gateway.json").write_text(
        json.dumps(keyed_policy(9, records=[record], tests=[good, unguarded("no key", "scope_missing")]), indent=1)
    )
    done = run_portcullis("test", folder=tmp_path)
    assert done.returncode == 1
    assert "ok     the key (" in done.stdout and "FAILED no key (" in done.stdout
    assert '- "scope_missing"' in done.stdout and '+ "credential_missing"' in done.stdout
    assert "gateway.json: 1 passed, 1 failed" in done.stdout
    assert run_portcullis("test", "--filter", "the key", folder=tmp_path).returncode == 0
    told = json.loads(run_portcullis("test", "--json", folder=tmp_path).stdout)
    assert (told["passed"], told["failed"]) == (1, 1)
    assert told["tests"][1]["mismatches"][0]["member"] == "expect.reason"
    checked = run_portcullis("check", "--json", folder=tmp_path)
    assert checked.returncode == 1
    assert [it["code"] for it in json.loads(checked.stdout)["diagnostics"] if it["severity"] == "error"] == ["test_failed"]


def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    assert run_portcullis("test", "--config", str(tmp_path / "none.json")).returncode == 2
    (tmp_path / "gateway.json").write_text('{"tests":[{"nam":1}]}')
    done = run_portcullis("test", folder=tmp_path)
    assert done.returncode == 1 and 'did you mean "name"?' in done.stderr


def test_a_gateway_does_not_start_with_a_failing_test(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9, tests=[unguarded("closed")])))
    done = run_portcullis("serve", folder=tmp_path)
    assert done.returncode == 1 and 'the test "closed" failed' in done.stderr


def test_a_failing_test_blocks_a_reload_under_load(gateway: Start, quick_origin: QuickOrigin) -> None:
    secret, record = api_key()
    closed = {
        "authenticators": {"keys": {"type": "api_key", "from": ["header:X-API-Key"], "keys": [record]}},
        "tests": [{"name": "closed", "request": "GET /closed", "expect": {"reason": "credential_missing"}}],
    }
    guarded = {"name": "closed", "match": {"path": "/closed"}, "authenticate": ["keys"], "upstream": "up"}
    good = policy(quick_origin.port, routes=[open_route(), guarded], access_log="off", **closed)
    bad = policy(quick_origin.port, routes=[open_route(), guarded | {"authenticate": "none"}], access_log="off", **closed)
    running = gateway(good)
    assert ask(running.port, "/closed").status == 401
    running_load = load.start(f"{running.url}/", seconds=4, connections=16)
    for attempt in range(3):
        seen = len(running.lines)
        running.replace(bad | {"via": f"attempt-{attempt}"})
        running.wait_for_line(r'the test "closed" failed', after=seen)
        assert ask(running.port, "/closed").status == 401
    assert running.metric("portcullis_reloads_total", result="refused") == 3
    running.replace(good | {"via": "last"})
    running.wait_for_line(r"reloaded \(")
    done = load.finish(running_load)
    assert done.requests > 0 and done.refused == 0 and done.errors == 0, done.text
    assert ask(running.port, "/closed").status == 401
    assert ask(running.port, "/closed", [f"X-API-Key: {secret}"]).status == 200


def test_a_change_of_a_file_of_tests_is_a_reload_and_its_mistakes_are_shown_where_they_are(
    gateway: Start, quick_origin: QuickOrigin, tmp_path: Path
) -> None:
    tests = tmp_path / "api-tests.json"
    reached = {"name": "reached", "request": "GET /", "expect": {"upstream": "up"}}
    tests.write_text(json.dumps([reached]))
    running = gateway(policy(quick_origin.port, tests_file=str(tests)))
    assert ask(running.port, "/").status == 200
    tests.write_text(json.dumps({"$schema": "tests.schema.json", "tests": [reached, unguarded("closed")]}))
    running.wait_for_line(r'api-tests\.json:1:\d+: tests\[1\]: the test \\?"closed\\?" failed')
    tests.write_text(json.dumps([reached, {"name": 1}]))
    running.wait_for_line(r"api-tests\.json:1:\d+: \[1\]\.name: expected a string, found a number")
    assert ask(running.port, "/").status == 200 and running.metric("portcullis_reloads_total", result="refused") == 2
    mark = len(running.lines)
    tests.write_text(json.dumps([reached]))
    running.wait_for_line(r"reloaded", after=mark)


@pytest.mark.parametrize("command", [["check"], ["test"], ["diff", "gateway.json"], ["explain", "http://localhost/"], ["serve"]])
def test_every_command_reports_a_mistake_in_a_file_of_tests(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9, tests_file="api-tests.json")))
    arguments = [*command, "gateway.json"] if command[0] == "diff" else command
    done = run_portcullis(*arguments, folder=tmp_path)
    assert done.returncode != 0 and "tests_file: cannot read api-tests.json" in done.stdout + done.stderr
    (tmp_path / "api-tests.json").write_text('{\n  "tests": [{ "nam": "a" }]\n}')
    done = run_portcullis(*arguments, folder=tmp_path)
    assert done.returncode != 0
    assert 'api-tests.json:2:15: tests[0].nam: no member of this name is known here; did you mean "name"?' in done.stdout + done.stderr


def test_a_filter_that_finds_nothing_is_a_mistake(tmp_path: Path) -> None:
    config = policy(9, tests=[{"name": "open", "request": "GET /", "expect": {"allowed": True}}])
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    assert run_portcullis("test", "--filter", "ope", folder=tmp_path).returncode == 0
    done = run_portcullis("test", "--filter", "typo", folder=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and 'has "typo" in its name' in done.stderr
    config["tests"][0]["token"] = {"claims": {}}
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    done = run_portcullis("test", folder=tmp_path)
    assert done.returncode == 1 and "an authenticator of type jwt in the policy" in done.stdout and "  the" not in done.stdout
