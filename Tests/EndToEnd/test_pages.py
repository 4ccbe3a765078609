"""The commands and policies of docs/management.md and docs/explain.md, run as the pages have them."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from harness.certificates import shelf
from harness.gateway import REPOSITORY, Gateway, binary, run_portcullis
from harness.pages import blocks, commands
from harness.policy import Json, open_route, policy
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

TOKEN = secrets.token_urlsafe(24)
ENVIRONMENT = {"STORE_KEY": "ab" * 32, "ADMIN_TOKEN": TOKEN}


def page(name: str) -> str:
    return (REPOSITORY / "docs" / f"{name}.md").read_text()


def shell(text: str, folder: Path, path: Path, given: str = "") -> str:
    """What a command of a page prints, in a folder with the policy."""
    done = subprocess.run(
        ["bash", "-c", f'portcullis() {{ "{binary()}" "$@"; }}; {text}'], cwd=folder, input=given, capture_output=True, text=True,
        timeout=30, env={**os.environ, **ENVIRONMENT},
    )  # fmt: skip
    assert path.exists() and done.returncode == 0, f"{text}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def managed(gateway: Start, upstream: Origin) -> Gateway:
    """A gateway with the page's policy, as far as the page shows it."""
    shown = json.loads(next(text for language, text in blocks(page("management")) if language == "json"))
    config = policy(upstream().port) | shown
    config["store"] = shown["store"] | {"encryption_key": "env:STORE_KEY"}
    config["routes"] = [*shown["routes"], open_route(name="rest")]
    config["key_sets"] = {"own": {"stored": True, "algorithms": ["HS256", "RS256"]}}
    config["admin"] = {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}
    return gateway(config, environment=ENVIRONMENT)


def test_the_page_on_management(managed: Gateway) -> None:
    key = ""
    url, operator = f"http://127.0.0.1:{managed.admin_port}/v1", {"Authorization": f"Bearer {TOKEN}"}
    bob = {"user": {"email": "bob@example.com", "password": "correct horse"}}
    user = requests.post(f"{url}/users", json=bob, headers=operator, timeout=10).json()["id"]
    content = {"api_key": {"name": "bob's", "user_id": user}}
    own = requests.post(f"{url}/api_keys", json=content, headers=operator, timeout=10).json()["key"]
    for language, text in blocks(page("management")):
        for line in commands(text) if language == "sh" else []:
            line = line.replace(":9090/", f":{managed.admin_port}/").replace("curl ", "curl -fsS ")
            line = line.replace(":8080/", f":{managed.port}/").replace("$USER_ID", user).replace("$API_KEY", own)
            line = re.sub(r"key_\w{20,}", lambda _: key, line)
            printed = shell(line, managed.folder, managed.path, given="correct horse\n")
            key = key or next(iter(re.findall(r"^id +(key_\w+)$", printed, re.MULTILINE)), "")
    assert key
    listed = run_portcullis("key", "show", key, "--json", folder=managed.folder, environment=ENVIRONMENT)
    record: Json = json.loads(listed.stdout)
    assert record["scopes"] == ["orders:read", "orders:write"] and len(record["secrets"]) == 2


def test_the_tests_of_the_page_hold(tmp_path: Path) -> None:
    """On the policy that their names speak of; and each of them fails on one that is open."""
    [tests] = [json.loads(text)["tests"] for language, text in blocks(page("explain")) if language == "json"]
    config = policy(
        9, tests=tests, limits={"orders": {"requests": 20, "per": "1h", "by": "identity"}},
        authenticators={"keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True}}, store={"sqlite": "store.db"},
    )  # fmt: skip
    guarded = open_route(match={"path": "/orders/**"}, authenticate=["keys"], authorize={"scopes": ["orders:read"]}, limits=["orders"])
    path = tmp_path / "gateway.json"
    for route, passed in ((guarded, len(tests)), (open_route(match={"path": "/orders/**"}), 0)):
        path.write_text(json.dumps(config | {"routes": [route]}))
        done = run_portcullis("test", "--config", str(path))
        assert f"{passed} passed, {len(tests) - passed} failed" in done.stdout, done.stdout + done.stderr
        assert done.returncode == (0 if passed else 1)


#: What stands for the parts that a page leaves out.
GIVEN = {"'curl …'": "'curl http://localhost:8080/x'", "head.txt": "head.txt", "candidate.json": "gateway.json"}


def test_the_forms_of_explain_are_taken(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9)))
    (tmp_path / "head.txt").write_text("GET /x HTTP/1.1\r\nHost: localhost:8080\r\n\r\n")
    (tmp_path / "client.pem").write_text(shelf().server.certificate.read_text())
    forms = re.findall(r"^\| [^|]+ \| `(portcullis explain [^`]+)`", page("explain"), re.MULTILINE)
    given = re.findall(r"`(--(?:from|at|config) [^`]+)`", page("explain"))
    options = [f"portcullis explain http://localhost:8080/x {option}" for option in given]
    assert len(forms) >= 4 and len(options) >= 3
    for form in forms + options:
        if "--request-id" in form:
            continue
        for shown, put in GIVEN.items():
            form = form.replace(shown, put)
        assert "ok route" in shell(form, tmp_path, tmp_path / "gateway.json"), form


def test_the_page_on_explaining_asks_a_running_gateway(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, admin={"address": "127.0.0.1:0"}))
    [line] = [line for language, text in blocks(page("explain")) if language == "sh" for line in commands(text)]
    assert "forwarded" in shell(line.replace(":9901/", f":{running.admin_port}/"), running.folder, running.path)
