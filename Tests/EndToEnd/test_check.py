"""`portcullis check` and the other commands: exit codes, places, advice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from harness.certificates import shelf
from harness.gateway import REPOSITORY, run_portcullis
from harness.policy import Json, api_key, keyed_policy, open_route, policy


def check(folder: Path, config: Json | str, *options: str, **rest: object):
    (folder / "gateway.json").write_text(config if isinstance(config, str) else json.dumps(config, indent=2))
    return run_portcullis("check", "--config", "gateway.json", *options, folder=folder, **rest)


def test_a_good_file(tmp_path: Path) -> None:
    done = check(tmp_path, policy(9000))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_bad_file_names_every_place(tmp_path: Path) -> None:
    config = policy(
        9000,
        routes=[open_route(upstream="upp", limits=["gld"])],
        limits={"gold": {"requests": 1, "per": "1s", "burst": 1}},
        lopps=3,
    )
    done = check(tmp_path, config)
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert re.search(
        r'gateway\.json:\d+:\d+: routes\[0\]\.limits\[0\]: no limit named "gld"; did you mean "gold"\?', text
    )
    assert re.search(r"gateway\.json:\d+:\d+: routes\[0\]\.upstream: .*\"upp\".*\"up\"", text)
    assert re.search(r"gateway\.json:\d+:\d+: .*lopps.*loops", text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = run_portcullis("check", "--config", "none.json", folder=tmp_path)
    assert done.returncode == 2 and "none.json" in done.stderr + done.stdout


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["serve"], ["check", "--nonsense"], ["key"], ["serve", "--config"]]
)
def test_usage(arguments: list[str], tmp_path: Path) -> None:
    done = run_portcullis(*arguments, folder=tmp_path)
    if arguments != ["key"]:  # prints its help
        assert done.returncode not in (0, 1) or "serve" in arguments
        assert done.returncode != 0


def test_json_output(tmp_path: Path) -> None:
    done = check(tmp_path, policy(9000, lopps=3), "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    found = document["diagnostics"] if isinstance(document, dict) else document
    error = next(entry for entry in found if entry["severity"] == "error")
    assert error["line"] > 1 and error["column"] > 1 and error["code"] and "lopps" in error["message"] + error["path"]


WARNINGS = {
    "key without expiry": (lambda record, config: record.pop("expires_at"), r"expir"),
    "allow-list that covers the world": (
        lambda record, config: config["routes"][0].update(authorize={"allow_ips": ["0.0.0.0/0", "10.0.0.0/8"]}),
        r"0\.0\.0\.0/0|every",
    ),
    "limit never used": (
        lambda record, config: config.update(limits={"idle": {"requests": 1, "per": "1s", "burst": 1}}),
        r"idle",
    ),
    "every client comes from one proxy": (
        lambda record, config: config.pop("trusted_proxies"),
        r"share one failure budget",
    ),
    "everyone is a trusted proxy": (
        lambda record, config: config.update(trusted_proxies=["0.0.0.0/0"]),
        r"trusted_proxies",
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings(tmp_path: Path, name: str) -> None:
    change, expected = WARNINGS[name]
    _, record = api_key()
    config = keyed_policy(9000, records=[record], trusted_proxies=[])
    quiet = check(tmp_path, config, "--strict")
    assert quiet.returncode == 0, quiet.stdout + quiet.stderr
    change(record, config)
    done = check(tmp_path, config)
    assert done.returncode == 0
    assert re.search(expected, done.stdout + done.stderr)
    assert check(tmp_path, config, "--strict").returncode == 1


def test_a_literal_secret_is_an_error_that_names_the_way_out(tmp_path: Path) -> None:
    _, record = api_key()
    secret = "rbtk_0123456789abcdef"
    record.pop("sha256")
    done = check(tmp_path, keyed_policy(9000, records=[record | {"key": secret}]))
    text = done.stdout + done.stderr
    assert done.returncode == 1 and "portcullis key hash" in text and secret not in text


@pytest.mark.parametrize("reference", ["env:NOT_SET_ANYWHERE", "file:none.txt"])
def test_a_secret_that_is_not_there(tmp_path: Path, reference: str) -> None:
    _, record = api_key()
    record["hmac_sha256"] = record.pop("sha256")
    config = keyed_policy(9000, records=[record])
    config["authenticators"]["keys"]["pepper"] = reference
    done = check(tmp_path, config)
    assert done.returncode == 1 and reference.split(":")[1] in done.stdout + done.stderr


def test_serve_refuses_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text("{")
    done = run_portcullis("serve", "--config", "gateway.json", folder=tmp_path)
    assert done.returncode not in (0, None) and re.search(r"gateway\.json:1:1: ", done.stderr)


def test_serve_says_when_a_port_is_taken(tmp_path: Path) -> None:
    import socket

    with socket.socket() as other:  # without SO_REUSEPORT
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        (tmp_path / "gateway.json").write_text(json.dumps(policy(9000) | {"listeners": [{"address": address}]}))
        done = run_portcullis("serve", "--config", "gateway.json", folder=tmp_path)
    assert done.returncode != 0 and address in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["serve", "--help"], ["check", "--help"], ["key", "new", "--help"], ["key", "hash", "--help"]],
)
def test_help_teaches(arguments: list[str]) -> None:
    done = run_portcullis(*arguments)
    assert done.returncode == 0 and "USAGE: portcullis" in done.stdout and len(done.stdout) > 300


def test_version() -> None:
    done = run_portcullis("version")
    assert done.returncode == 0 and re.search(r"\d+\.\d+", done.stdout)


def test_the_shipped_file_is_without_fault(tmp_path: Path) -> None:
    import subprocess
    import sys

    from harness.gateway import binary

    subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "demo-keys"), str(binary()), str(tmp_path / "var")], check=True
    )
    done = check(tmp_path, (REPOSITORY / "gateway.json").read_text())
    assert done.returncode == 0, done.stdout + done.stderr


def test_free_ports_of_one_address_are_of_listeners_that_are_alike(tmp_path: Path) -> None:
    free = {"address": "127.0.0.1:0"}
    others = [({}, True), ({"protocols": ["h2"]}, True), ({"redirect_to_https": True}, False), ({"tls": shelf().listener}, False)]
    for other, passes in others:
        (tmp_path / "gateway.json").write_text(json.dumps(policy(9, listeners=[free, free | other])))
        done = run_portcullis("check", "--json", folder=tmp_path)
        errors = [it["code"] for it in json.loads(done.stdout)["diagnostics"] if it["severity"] == "error"]
        assert errors == ([] if passes else ["endpoint_duplicate"]), (other, done.stdout)
