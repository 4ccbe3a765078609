"""The reference systems' example policies on free ports, in a folder of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from .certificates import shelf
from .gateway import REPOSITORY, binary, run_portcullis
from .pages import free_ports


def example(name: str, upstream_port: int, **members: Any) -> dict[str, Any]:
    """The policy of examples/NAME.json with listeners on free ports and this upstream; `members` take the place of its own."""
    text = (REPOSITORY / "examples" / f"{name}.json").read_text()
    text = text.replace("127.0.0.1:9000", f"127.0.0.1:{upstream_port}")
    # Listeners are known by their address, so that no two may ask for any free port.
    text = text.replace("127.0.0.1:8443", f"127.0.0.1:{free_ports(1)[0]}")
    for port in ("8080", "9901"):
        text = text.replace(f"127.0.0.1:{port}", "127.0.0.1:0")
    policy = json.loads(text)
    # Relative to where it was; the file of a test lies elsewhere.
    policy.pop("$schema", None)
    return {"loops": 2} | policy | members


def prepare(folder: Path) -> None:
    """What the pages make before they start a gateway: secrets under var/, certificates under certs/. A policy of a test lies
    in a folder beside these, as the examples do."""
    subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts/demo-keys"), str(binary()), str(folder / "var")],
        check=True, capture_output=True, timeout=30,
    )
    certificates = folder / "certs"
    certificates.mkdir(exist_ok=True)
    for title in ("server", "server-rsa"):
        shelf().server.put(certificates, title)
    shutil.copy(shelf().authority.path, certificates / "ca.pem")


def command(config: Path, *words: str, given: str | None = None) -> str:
    """What a command of portcullis on this policy prints; one that fails fails the test."""
    done = run_portcullis(*words, "--config", str(config), given=given)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout
