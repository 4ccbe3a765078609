"""The commands of docs/operations.md about the store, run as the page has them."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.fleet import EMAIL, Fleet
from harness.gateway import REPOSITORY, Gateway
from harness.upstream import Upstream, answering, ok

SECTION = (REPOSITORY / "docs" / "operations.md").read_text().split("\n## The store\n")[1].split("\n## ")[0]
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL) for line in block.splitlines()]
COMMANDS += re.findall(r"`(sqlite3 [^`]+)`", SECTION)


class Machine:
    """A folder in place of the file system's root, with the gateway of examples/roboticks.json in it."""

    def __init__(self, start: Callable[..., Gateway], root: Path, origin: Upstream) -> None:
        self.start, self.root = start, root
        self.state = root / "var/lib/portcullis"
        for folder in (self.state, root / "backup", root / "etc/portcullis"):
            folder.mkdir(parents=True)
        self.run("openssl rand")
        self.policy = {
            "store": {
                "sqlite": str(self.state / "portcullis.db"), "encryption_key": f"file:{root}/etc/portcullis/store.key",
            },
        }
        self.fleet = Fleet(start, root, origin, **self.policy)

    def run(self, part: str) -> str:
        """What the page's only command with this in it prints."""
        done = self.attempt(part)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def attempt(self, part: str) -> subprocess.CompletedProcess[str]:
        [command] = [one for one in COMMANDS if part in one]
        moved = re.sub(r"(?<![\w.])/(var/lib|backup|etc)/", rf"{self.root}/\1/", command)
        return subprocess.run(["bash", "-c", moved], cwd=self.state, capture_output=True, text=True, timeout=30)

    def start_again(self) -> None:
        policy = json.loads(self.fleet.gateway.path.read_text())
        self.fleet.gateway = self.start(policy)
        self.fleet.admin.base = f"http://127.0.0.1:{self.fleet.gateway.admin_port}/v1/"


@pytest.fixture
def machine(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path
) -> Iterator[Machine]:
    made = Machine(gateway, tmp_path, upstream(answering(lambda _: ok(b"[]"))))
    yield made
    made.fleet.session.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_lost_encryption_key_costs_what_was_encrypted_and_no_more(machine: Machine) -> None:
    fleet = machine.fleet
    key, token = fleet.add_key(), fleet.token()
    assert fleet.get(bearer=token).status_code == 200
    fleet.gateway.stop()
    machine.run("openssl rand")
    assert mode(machine.root / "etc/portcullis/store.key") == 0o600
    machine.start_again()
    assert fleet.get(X_API_Key=key).status_code == 503
    fleet.gateway.stop()
    machine.run("DELETE FROM signing_keys")
    machine.start_again()
    assert fleet.get(X_API_Key=key).status_code == 200
    assert fleet.get(bearer=token).status_code == 401
    assert fleet.get(bearer=fleet.token()).status_code == 200


def test_a_backup_of_a_running_gateway_is_whole(machine: Machine) -> None:
    fleet = machine.fleet
    key, token = fleet.add_key(name="kept"), fleet.token()
    machine.run(".backup")
    assert mode(machine.root / "backup/portcullis.db") == 0o600
    later = fleet.add_key(name="later")
    fleet.leave(EMAIL, "acme")
    assert fleet.get(X_API_Key=key).status_code == 403
    fleet.gateway.kill()
    machine.run("rm -f")
    machine.start_again()
    assert fleet.get(X_API_Key=key).status_code == fleet.get(bearer=token).status_code == 200
    assert fleet.get(X_API_Key=later).status_code == 401
    # What is written from here on is written.
    assert fleet.get(X_API_Key=fleet.add_key(name="new")).status_code == 200
    assert machine.run("integrity_check") == "ok\n"
    assert mode(machine.state / "portcullis.db") == 0o600


def test_damage_is_told(machine: Machine) -> None:
    machine.fleet.gateway.stop()
    path = machine.state / "portcullis.db"
    content = bytearray(path.read_bytes())
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)
    assert machine.attempt("integrity_check").stdout != "ok\n"
