"""The shipped gateway.json as a newcomer meets it, and the two commands."""

from __future__ import annotations

import json
import math
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import load
from harness.client import ask, problem
from harness.gateway import REPOSITORY, Gateway, binary
from harness.issuer import SigningKey
from harness.origin import QuickOrigin
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]

DEVICES = "/api/v1/organizations/acme/devices"


class Demo:
    """The shipped policy with free ports and keys of its own, as scripts/run makes them."""

    def __init__(self, folder: Path, upstream: Upstream) -> None:
        subprocess.run(
            [sys.executable, str(REPOSITORY / "scripts" / "demo-keys"), str(binary()), str(folder / "var")], check=True
        )
        self.var = folder / "var"
        self.folder = folder
        self.text = (REPOSITORY / "gateway.json").read_text()
        self.text = re.sub(r"127\.0\.0\.1:(8080|9901)", "127.0.0.1:0", self.text)
        self.text = self.text.replace("127.0.0.1:9000", f"127.0.0.1:{upstream.port}")
        self.upstream = upstream
        self.key = (self.var / "demo-key.txt").read_text().strip()
        self.limited_key = (self.var / "demo-limited-key.txt").read_text().strip()
        self.token = (self.var / "demo-token.txt").read_text().strip()
        self.gateway = Gateway(self.text, folder)


@pytest.fixture
def demo(tmp_path: Path, upstream: Callable[..., Upstream]) -> Iterator[Demo]:
    running = Demo(tmp_path, upstream())
    yield running
    running.gateway.kill()


def test_no_credential(demo: Demo) -> None:
    answer = ask(demo.gateway.port, DEVICES)
    assert answer.status == 401 and answer.values("www-authenticate")
    assert problem(answer)["reason"] == "credential_missing"
    assert not demo.upstream.requests


def test_good_key(demo: Demo) -> None:
    assert ask(demo.gateway.port, DEVICES, [f"X-API-Key: {demo.key}"]).status == 200
    seen = demo.upstream.requests[0]
    assert seen.value("x-auth-subject") == "demo@acme"
    assert demo.key.encode() not in seen.head


def test_bad_key(demo: Demo) -> None:
    assert ask(demo.gateway.port, DEVICES, [f"X-API-Key: {demo.key[:-1]}"]).status == 401
    assert not demo.upstream.requests


def test_key_from_a_wrong_address(demo: Demo) -> None:
    records = [json.loads(line) for line in (demo.var / "demo-keys.jsonl").read_text().splitlines()]
    for record in records:
        record["allow_ips"] = ["127.0.0.1"]
    (demo.var / "demo-keys.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")
    until(
        lambda: ask(demo.gateway.port, DEVICES, [f"X-API-Key: {demo.key}"], source="127.0.0.7").status == 403,
        2,
        "the new record",
    )
    assert ask(demo.gateway.port, DEVICES, [f"X-API-Key: {demo.key}"]).status == 200


def test_the_demo_token(demo: Demo) -> None:
    assert ask(demo.gateway.port, DEVICES, [f"Authorization: Bearer {demo.token}"]).status == 200
    assert demo.upstream.requests[0].value("x-auth-subject") == "demo-user"


def test_another_signer(demo: Demo) -> None:
    token = SigningKey("ES256", "demo").token(iss="https://issuer.example", aud="api", scope="devices:read", org="acme")
    assert ask(demo.gateway.port, DEVICES, [f"Authorization: Bearer {token}"]).status == 401


def test_request_21(demo: Demo) -> None:
    field = [f"X-API-Key: {demo.limited_key}"]
    answers = [ask(demo.gateway.port, "/api/v1/limited", field) for _ in range(21)]
    assert [answer.status for answer in answers] == [200] * 20 + [429]
    assert [answer.value("x-ratelimit-remaining") for answer in answers] == [str(max(19 - n, 0)) for n in range(21)]
    last = answers[-1]
    wait = int(last.value("retry-after"))
    assert wait >= 1 and problem(last)["retry_after"] == wait
    assert int(last.value("x-ratelimit-reset")) > math.floor(time.time()) - 1


def test_the_open_route(demo: Demo) -> None:
    assert ask(demo.gateway.port, "/healthz").status == 200


def test_an_edit_under_load(demo: Demo, quick_origin: QuickOrigin) -> None:
    url = f"http://127.0.0.1:{demo.gateway.port}{DEVICES}"
    policy = json.loads(demo.text.replace(f"127.0.0.1:{demo.upstream.port}", f"127.0.0.1:{quick_origin.port}"))
    demo.gateway.replace(policy)
    until(lambda: ask(demo.gateway.port, "/healthz").body == b"ok", 1.5, "the quick upstream")
    process = load.start(url, 3, 256, "-H", f"X-API-Key: {demo.key}")
    for route in policy["routes"]:
        route["response_headers"] = {"set": {"X-Edited": "yes"}}
    demo.gateway.replace(policy)
    until(lambda: ask(demo.gateway.port, "/healthz").value("x-edited") == "yes", 1.5, "the edit")
    assert load.finish(process).errors == 0


def free_base() -> int:
    """A port whose next two are free as well."""
    for base in range(20_000 + os.getpid() % 10_000, 60_000, 7):
        try:
            for port in (base, base + 1, base + 2):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_scripts_run() -> None:
    """The three printed lines, run as printed, by the command itself."""
    done = subprocess.run(
        [str(REPOSITORY / "scripts" / "run"), "--once", "--port", str(free_base())],
        capture_output=True,
        text=True,
        timeout=390,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("curl ") == 3


def test_start_up_is_quick(demo: Demo, tmp_path: Path) -> None:
    """From the start of the process to the first answer; the best of some starts, since machines are shared."""
    times = []
    for number in range(5):
        folder = tmp_path / f"start-{number}"
        folder.mkdir()
        (folder / "var").symlink_to(demo.var)
        began = time.monotonic()
        running = Gateway(demo.text, folder)
        assert ask(running.port, "/healthz").status == 200
        times.append(time.monotonic() - began)
        running.kill()
    assert min(times) < 0.25, times
