"""The reference systems' example policies on free ports, in a folder of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from .certificates import shelf
from .gateway import REPOSITORY, binary
from .server import free_ports


def example(name: str, upstream_port: int, **members: Any) -> dict[str, Any]:
    """The policy of examples/NAME.json with listeners on free ports and this upstream; `members` take the place of its own."""
    text = (REPOSITORY / "examples" / f"{name}.json").read_text()
    text = text.replace("127.0.0.1:9000", f"127.0.0.1:{upstream_port}")
    # Listeners are known by their address, so that no two may ask for any free port.
    text = text.replace("127.0.0.1:8443", f"127.0.0.1:{free_ports(1)[0]}")
    for port in ("8080", "8081", "9901", "9902"):
        text = text.replace(f"127.0.0.1:{port}", "127.0.0.1:0")
    policy = json.loads(text)
    # Relative to where it was; the file of a test lies elsewhere.
    policy.pop("$schema", None)
    # Its own tests are of the policy as it is shipped.
    policy.pop("tests", None)
    policy.pop("tests_file", None)
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


class Admin:
    """The management API of a gateway's admin listener, under the token that `prepare` made."""

    def __init__(self, port: int, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{port}/v1/"
        self.token = (folder / "var" / "demo-admin-token.txt").read_text().strip()

    def call(self, method: str, path: str, content: Any = None, token: str | None = None) -> requests.Response:
        fields = {"Authorization": f"Bearer {self.token if token is None else token}"}
        with requests.Session() as session:
            # No proxy of the machine.
            session.trust_env = False
            return session.request(method, self.base + path, json=content, headers=fields, timeout=10)

    def make(self, resource: str, **members: Any) -> dict[str, Any]:
        """A new record, as the API shows it once."""
        answer = self.call("POST", resource, {resource.partition("?")[0].removesuffix("s"): members})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def change(self, path: str, **members: Any) -> dict[str, Any]:
        answer = self.call("PUT", path, {path.split("/")[0].removesuffix("s"): members})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def perform(self, path: str, content: Any = None) -> dict[str, Any]:
        answer = self.call("POST", path, content)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def remove(self, path: str) -> None:
        answer = self.call("DELETE", path)
        assert answer.status_code == 202, answer.text

    def list(self, path: str) -> list[dict[str, Any]]:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()["collection"]
