"""Conformance cases kept under Tests/Vectors."""

import json
from typing import Any

from .gateway import REPOSITORY


def load(name: str) -> Any:
    found = sorted((REPOSITORY / "Tests" / "Vectors").rglob(name))
    assert found, f"no {name} under Tests/Vectors"
    return json.loads(found[0].read_text())
