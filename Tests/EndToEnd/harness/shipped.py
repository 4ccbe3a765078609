"""The policies of the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .gateway import REPOSITORY

#: Files of tests lie beside the policies of examples/ and have no routes.
EXAMPLES = sorted(path for path in (REPOSITORY / "examples").glob("*.json") if "routes" in json.loads(path.read_text()))
TESTS = sorted({*(REPOSITORY / "examples").glob("*.json")} - {*EXAMPLES})
POLICIES = ["gateway.json", "docker/gateway.json", *(f"examples/{path.name}" for path in EXAMPLES)]


def read(policy: Path) -> dict[str, Any]:
    """A policy file with the tests of its `tests_file` among its own."""
    config = json.loads(policy.read_text())
    if name := config.pop("tests_file", None):
        tests = json.loads((policy.parent / name).read_text())
        config["tests"] = config.get("tests", []) + (tests["tests"] if isinstance(tests, dict) else tests)
    return config
