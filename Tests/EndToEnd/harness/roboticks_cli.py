"""Roboticks' own command line program, from its package, as a process with a home of its own.

It sends telemetry unless it is told not to, reads `.env` of its folder, and keeps its key in the keyring of the machine:
none of that may leave the folder of a test, so a keyring that is one file there takes the machine's place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .gateway import REPOSITORY

KEYRING = '''
import os, pathlib
from keyring.backend import KeyringBackend

PLACE = pathlib.Path(os.environ["HOME"]) / "keyring.txt"

class Keyring(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return PLACE.read_text() if PLACE.exists() else None

    def set_password(self, service, username, password):
        PLACE.write_text(password)

    def delete_password(self, service, username):
        PLACE.unlink()
'''
#: Exit codes of its errors.
AUTHENTICATION, AUTHORIZATION, NOT_FOUND, RATE_LIMIT = 3, 4, 5, 7


class RoboticksCLI:
    def __init__(self, url: str, home: Path) -> None:
        self.home = home
        home.mkdir()
        (home / "file_keyring.py").write_text(KEYRING)
        # Nothing of the developer's: neither their key nor their proxy, telemetry or settings.
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "xdg"), "XDG_DATA_HOME": str(home / "data"),
            "PYTHONPATH": str(home), "PYTHON_KEYRING_BACKEND": "file_keyring.Keyring", "ROBOTICKS_DISABLE_TELEMETRY": "1",
            "ROBOTICKS_API_URL": url, "NO_COLOR": "1", "COLUMNS": "200", "LANG": "C.UTF-8",
        }  # fmt: skip

    def run(self, *words: str, key: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command, with the key it keeps or with this one."""
        given = {"ROBOTICKS_API_KEY": key} if key else {}
        return subprocess.run(
            [sys.executable, "-m", "roboticks_cli", *words], cwd=self.home, env=self.environment | given | environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def json(self, *words: str, **options: str) -> Any:
        """What a command that succeeds prints as JSON."""
        done = self.run("--output", "json", *words, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    @property
    def kept_key(self) -> str:
        return (self.home / "keyring.txt").read_text()


def wanted_version() -> str:
    """The version that the tests are made for."""
    lines = (REPOSITORY / "Tests/EndToEnd/requirements.txt").read_text().splitlines()
    return next(line.removeprefix("roboticks-cli==") for line in lines if line.startswith("roboticks-cli=="))
