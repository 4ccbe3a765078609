"""The first moments of the process, and what may stand in what it writes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.gateway import Gateway, binary, run_portcullis
from harness.client import ask
from harness.pages import free_ports
from harness.policy import policy
from harness.upstream import Upstream
from harness.waiting import until


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def config(tmp_path: Path) -> tuple[Path, int]:
    """A policy file, and the port it listens on."""
    [port] = free_ports(1)
    path = tmp_path / "gateway.json"
    path.write_text(json.dumps(policy(9, listeners=[{"address": f"127.0.0.1:{port}"}])))
    return path, port


@pytest.mark.parametrize("round_", range(6))
def test_a_hang_up_as_soon_as_the_port_answers_ends_nothing(config: tuple[Path, int], round_: int) -> None:
    path, port = config
    running = subprocess.Popen([binary(), "serve", "--config", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: connects(port), timeout=20)
        running.send_signal(signal.SIGHUP)
        running.send_signal(signal.SIGPIPE)
        assert ask(port, "/").status in (404, 502) and running.poll() is None
    finally:
        running.terminate()
        running.wait(timeout=20)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_descriptor_that_is_closed_at_the_start_becomes_no_socket(config: tuple[Path, int], closed: tuple[int, ...]) -> None:
    path, port = config
    shell = "exec " + " ".join(f"{number}>&-" for number in closed) + ' "$0" "$@"'
    running = subprocess.Popen(["bash", "-c", shell, str(binary()), "serve", "--config", str(path)])
    try:
        until(lambda: connects(port), timeout=20)
        assert ask(port, "/").status in (404, 502)
        for number in closed:
            assert os.readlink(f"/proc/{running.pid}/fd/{number}") == "/dev/null"
    finally:
        running.terminate()
        running.wait(timeout=20)


#: C1 controls, separators of lines and paragraphs, and marks that turn the direction of text.
HAZARDS = "\u0085\u009b31m\u2028\u2029\u202e\u2066\u200f"


def test_what_could_forge_a_line_is_escaped_in_the_access_log(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]
) -> None:
    running = gateway(policy(upstream().port))
    head = f"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a{HAZARDS}b\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(head.encode())
        while connection.recv(65_536):
            pass
    path = running.access_path
    until(lambda: path.exists() and path.read_text())
    line = path.read_bytes()
    assert json.loads(line)["user_agent"] == f"a{HAZARDS}b"
    assert line.isascii() and len(path.read_text().splitlines()) == 1


def test_what_could_forge_a_line_is_not_printed_by_commands(tmp_path: Path) -> None:
    config = policy(9, store={"sqlite": "store.db"})
    config["authenticators"] = {"keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True}}
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    name = "ci\u2028forged\u202eline"
    assert run_portcullis("key", "create", "--name", name, folder=tmp_path).returncode == 0
    listed = run_portcullis("key", "list", folder=tmp_path).stdout
    assert "ci?forged?line" in listed and name not in listed
    told = run_portcullis("key", "list", "--json", folder=tmp_path).stdout
    assert name in json.dumps(json.loads(told), ensure_ascii=False) and "\u2028" not in told and "\u202e" not in told
