"""The README's examples, run as a reader would run them."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask
from harness.gateway import REPOSITORY, Gateway, run_portcullis
from harness.issuer import KeySetServer, SigningKey, key_set
from harness.upstream import Upstream
from harness.waiting import until
from harness.websocket import EchoServer

README = (REPOSITORY / "README.md").read_text()
SECTION = README.split("## Your API behind it in five minutes")[1].split("\n## ")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


def reader_policy(upstream: Upstream, record: dict) -> dict:
    """The first JSON block as the reader has it after steps 1 and 2, on free ports."""
    policy = json.loads(blocks("json")[0])
    assert policy["listeners"] == [{"address": "127.0.0.1:8080"}]
    policy["listeners"][0]["address"] = policy["admin"]["address"] = "127.0.0.1:0"
    policy["upstreams"]["api"]["servers"] = [upstream.url]
    policy["authenticators"]["keys"]["keys"] = [record]
    return policy


def reader_key() -> tuple[str, dict]:
    """What the printed command makes, asked for as JSON."""
    line = next(line for line in blocks("sh")[0].splitlines() if line.startswith("portcullis key new"))
    made = run_portcullis(*line.split()[1:], "--json")
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    return answer["secret"], answer["record"]


def test_the_two_commands_are_there() -> None:
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)[1]
    for line in first.splitlines():
        command = REPOSITORY / line.split()[0]
        assert command.stat().st_mode & 0o111, command


def test_the_printed_record_can_be_pasted() -> None:
    """Without --json: a secret, and a record that is JSON and does not hold it."""
    line = next(line for line in blocks("sh")[0].splitlines() if line.startswith("portcullis key new"))
    made = run_portcullis(*line.split()[1:])
    secret = re.search(r"acme_[0-9A-Za-z]{22,}", made.stdout)[0]
    record = json.loads(made.stdout[made.stdout.index("{") : made.stdout.rindex("}") + 1])
    assert record["id"] == "ci" and secret not in json.dumps(record)


def test_check(tmp_path: Path, upstream: Callable[..., Upstream]) -> None:
    _, record = reader_key()
    (tmp_path / "gateway.json").write_text(json.dumps(reader_policy(upstream(), record)))
    line = blocks("sh")[1].splitlines()[0]
    done = run_portcullis(*line.split()[1:], folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_block_as_printed_passes_check(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(blocks("json")[0])
    done = run_portcullis("check", "--config", "gateway.json", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_calls(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> None:
    secret, record = reader_key()
    origin = upstream()
    running = gateway(reader_policy(origin, record))
    lines = blocks("sh")[2].splitlines()
    assert len(lines) >= 5
    for line in lines:
        command, expected = re.fullmatch(r"(curl .*?)\s+# (\d{3}): .*", line).groups()
        done = subprocess.run(
            ["bash", "-c", command.replace("127.0.0.1:8080", f"127.0.0.1:{running.port}")],
            env={"KEY": secret, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.stdout.startswith(f"HTTP/1.1 {expected} "), f"{command}\n{done.stdout}{done.stderr}"
    assert origin.requests[1].value("x-auth-subject") == "ci@acme"


def test_tokens_are_added_to_the_running_gateway(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], key_set_server: Callable[..., KeySetServer]
) -> None:
    _, record = reader_key()
    policy = reader_policy(upstream(), record)
    running = gateway(policy)
    key = SigningKey("ES256")
    token = key.token(iss="https://idp.example", aud="orders", scope="orders:read")

    def status() -> int:
        return ask(running.port, "/orders/7", [f"Authorization: Bearer {token}"]).status

    assert status() == 401
    added = json.loads(blocks("json")[1])
    added["key_sets"]["idp"]["url"] = key_set_server(key_set(key)).url
    policy["key_sets"] = added["key_sets"]
    policy["authenticators"] |= added["authenticators"]
    policy["routes"][0]["authenticate"] = ["keys", "tokens"]
    running.replace(policy)
    until(lambda: status() == 200, 3, "the token to be accepted")


HTTPS = README.split("\n## HTTPS, HTTP/2 and gRPC\n")[1].split("\n## ")[0]


class HTTPSExample:
    """examples/https.json and its certificates, on free ports."""

    def __init__(self, gateway: Callable[..., Gateway], folder: Path, origin: int = 0) -> None:
        subprocess.run([REPOSITORY / "scripts/certs", folder / "certs"], check=True, capture_output=True, timeout=60)
        self.folder = folder
        self.ports = {8080: free_port(), 8443: free_port(), 9000: origin or free_port(), 9090: free_port()}
        text = (REPOSITORY / "examples/https.json").read_text().replace("../certs", str(folder / "certs"))
        policy = json.loads(self.here(text))
        policy["admin"]["address"] = "127.0.0.1:0"
        gateway(policy)

    def here(self, text: str) -> str:
        for named, port in self.ports.items():
            text = text.replace(f":{named}", f":{port}").replace(f", {named})", f", {port})")
        return text

    def python(self, code: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", self.here(code)], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_https(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> None:
    example = HTTPSExample(gateway, tmp_path, upstream().port)
    lines = re.findall(r"```sh\n(.*?)```", HTTPS, re.DOTALL)[1].splitlines()
    assert len(lines) >= 5
    for line in lines:
        command, status, rest = re.fullmatch(r"(\w+ .*?)\s+# (\d+) (.*)", line).groups()
        done = subprocess.run(
            ["bash", "-c", example.here(command)], cwd=tmp_path, capture_output=True, text=True, timeout=30
        )
        if command.startswith("h2load"):
            assert f"{status} {rest}" in done.stdout, done.stdout + done.stderr
        else:
            version = rest.split()[-1]
            assert done.stdout.startswith(f"{version} {status} "), f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize(("module", "port"), [("grpc", 9090), ("websockets", 9000)])
def test_clients_and_servers_of_the_https_example(
    gateway: Callable[..., Gateway], tmp_path: Path, module: str, port: int
) -> None:
    example = HTTPSExample(gateway, tmp_path)
    serves, asks = [code for code in re.findall(r"```python\n(.*?)```", HTTPS, re.DOTALL) if module in code]
    server = example.python(serves)
    try:
        until(lambda: is_open(example.ports[port]), 10, "the server")
        said, fault = example.python(asks).communicate(timeout=20)
    finally:
        server.kill()
        server.communicate()
    wanted = re.findall(r"print\(.*\)    # (.*)", asks)
    assert wanted and said.splitlines() == wanted, fault


def test_the_websocket_client(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> None:
    section = README.split("\n## WebSockets\n")[1].split("\n## ")[0]
    route = json.loads(re.search(r"```json\n(.*?)```", section, re.DOTALL)[1])["routes"][0]
    client = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    secret, record = reader_key()
    echo = EchoServer()
    policy = reader_policy(upstream(), record)
    policy["upstreams"]["api"]["servers"] = [f"http://127.0.0.1:{echo.port}"]
    policy["routes"].append(route | {"authenticate": ["keys"]})
    running = gateway(policy)
    done = subprocess.run(
        [sys.executable, "-c", client.replace("127.0.0.1:8080", f"127.0.0.1:{running.port}")],
        env={"KEY": secret, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=20,
    )
    echo.stop()
    assert done.stdout == "hello\n", done.stderr


def test_the_table_of_fields(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> None:
    secret, record = reader_key()
    origin = upstream()
    ask(gateway(reader_policy(origin, record)).port, "/orders/7", [f"X-API-Key: {secret}"])
    named = re.findall(r"^\| `(X-Auth-[A-Za-z]+)` \|", SECTION, re.MULTILINE)
    assert len(named) == 5
    sent = {name for name, _ in origin.requests[0].fields if name.startswith("X-Auth-")}
    assert sent <= set(named) and "X-Auth-Subject" in sent


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([a-zA-Z][\w/.-]*)\)", README))))
def test_links_lead_somewhere(path: str) -> None:
    assert (REPOSITORY / path).exists()


SECURITY_PAGES = ["SECURITY.md", "docs/threat-model.md", "docs/conformance.md"]


@pytest.mark.parametrize("page", SECURITY_PAGES)
def test_pages_on_security_name_tests_that_exist(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    tests = {path.name: path.read_text() for path in (REPOSITORY / "Tests" / "EndToEnd").rglob("test_*.py")}
    named = set(re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", text))
    assert {file for file, _ in named} <= set(tests)
    assert not [f"{file}::{name}" for file, name in named if name and f"\ndef {name}(" not in tests[file]]
    assert not [path for path in re.findall(r"`(Tests/[\w/]+)`", text) if not (REPOSITORY / path).exists()]


@pytest.mark.parametrize("page", SECURITY_PAGES)
def test_links_of_pages_on_security_lead_somewhere(page: str) -> None:
    for path, anchor in re.findall(r"\]\(([\w./-]+)(?:#([\w-]+))?\)", (REPOSITORY / page).read_text()):
        target = (REPOSITORY / page).parent / path
        assert target.exists(), path
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if anchor else []
        slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert not anchor or anchor in slugs, f"{path}#{anchor}"
