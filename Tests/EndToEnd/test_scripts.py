"""The commands under scripts/ that tests can run."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.gateway import REPOSITORY, Gateway, binary
from harness.policy import policy
from harness.upstream import Upstream

SCRIPTS = REPOSITORY / "scripts"


def demo_keys(folder: Path) -> dict[str, str]:
    subprocess.run([sys.executable, str(SCRIPTS / "demo-keys"), str(binary()), str(folder)], check=True, timeout=30)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_demo_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    made = demo_keys(tmp_path / "var")
    secrets = [made[name].strip() for name in ("demo-key.txt", "demo-limited-key.txt")]
    assert not any(secret in made["demo-keys.jsonl"] for secret in secrets)
    assert "d" not in json.loads(made["demo-jwks.json"])["keys"][0]
    for name in made:
        mode = stat.S_IMODE((tmp_path / "var" / name).stat().st_mode)
        assert name == "demo-jwks.json" or mode == 0o600, name
    again = demo_keys(tmp_path / "var")
    assert {name for name in made if made[name] != again[name]} <= {"demo-token.txt"}


@pytest.mark.parametrize(
    "script", sorted(path.name for path in SCRIPTS.iterdir() if path.read_text().startswith("#!/usr/bin/env bash"))
)
def test_shell_scripts_parse_and_explain_themselves(script: str) -> None:
    subprocess.run(["bash", "-n", str(SCRIPTS / script)], check=True)
    assert (SCRIPTS / script).stat().st_mode & 0o111
    comment = (SCRIPTS / script).read_text().splitlines()[1]
    assert comment.startswith("# ") and comment.endswith((".", ":"))


def test_continuous_integration_runs_everything_unless_an_option_says_otherwise(tmp_path: Path) -> None:
    for name, content in ((".ci/run", (REPOSITORY / ".ci/run").read_text()), ("scripts/test", '#!/bin/sh\necho "$@"\n')):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(content)
        path.chmod(0o755)
    for given, passed in (([], "--full"), (["--quick"], "--quick")):
        assert subprocess.check_output([tmp_path / ".ci/run", *given], text=True).split() == [passed]


def test_the_test_script_explains_its_options_and_refuses_others() -> None:
    script = str(SCRIPTS / "test")
    explained = subprocess.check_output([script, "--help"], text=True)
    assert all(option in explained for option in ("scripts/test --full", "scripts/test --quick", "N passed, N failed"))
    for wrong in (["--all"], ["--quick", "--full"]):
        refused = subprocess.run([script, *wrong], capture_output=True, text=True, timeout=10)
        assert refused.returncode == 1 and refused.stderr.startswith("error: "), refused


def test_load(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> None:
    running = gateway(policy(upstream().port, access_log="off"))
    done = subprocess.run(
        [str(SCRIPTS / "load"), running.url + "/", "-c", "4", "-d", "1"], capture_output=True, text=True, timeout=40
    )
    assert done.returncode == 0, done.stderr
    assert "Requests/sec:" in done.stdout and "Status code distribution:" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(not shutil.which("haproxy"), reason="scripts/bench would install HAProxy")
def test_bench() -> None:
    done = subprocess.run(
        [str(SCRIPTS / "bench"), "--only", "API key", "--rounds", "1", "--seconds", "1", "--tokens", "10"],
        capture_output=True,
        text=True,
        timeout=390,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| API key")]
    # Without Envoy where it cannot be had.
    assert [row[1] for row in rows if row[1] != "Envoy"] == ["nginx", "HAProxy", "Portcullis"]
    assert "Note:" not in done.stdout, done.stdout
