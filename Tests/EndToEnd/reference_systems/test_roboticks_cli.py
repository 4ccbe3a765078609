"""Roboticks' own command line program against examples/roboticks.json: its calls reach the API, or are refused as it expects."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.fleet import API, EMAIL, Fleet
from harness.gateway import Gateway
from harness.messages import Message
from harness.roboticks_cli import AUTHENTICATION, AUTHORIZATION, NOT_FOUND, RATE_LIMIT, RoboticksCLI, wanted_version
from harness.upstream import Upstream, answering, ok

pytestmark = [pytest.mark.clients("h1"), pytest.mark.timeout(180)]

ORGANIZATIONS = [{"slug": "acme", "name": "Acme", "tier": "team", "role": "member"}]
PROJECTS = [{"slug": "warehouse", "name": "Warehouse"}]


class FleetAPI:
    """The API behind the gateway, as far as the program asks it."""

    def __init__(self) -> None:
        self.new_key = ""
        self.polls = 0
        self.missing = False

    def answer(self, message: Message) -> bytes:
        if self.missing:
            body = b'{"detail": "No such robot"}'
            return b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        path = message.target.partition("?")[0].removeprefix(API)
        if path == "/cli/auth/poll":
            self.polls += 1
        answers: dict[str, Any] = {
            "/cli/auth/init": {
                "device_code": "dc", "user_code": "ABCD-EFGH", "verification_url": "http://127.0.0.1:1/activate",
                "expires_in": 30, "interval": 0.05,
            },
            "/cli/auth/poll": {"status": "pending"} if self.polls < 3 else {
                "status": "complete", "api_key": self.new_key, "org_slug": "acme", "project_slug": "warehouse", "user_email": EMAIL,
            },
            "/cli/auth/oidc/github": {"api_key": self.new_key, "expires_in": 3600},
            "/auth/me": {"email": EMAIL},
            "/organizations": ORGANIZATIONS,
            "/organizations/acme": ORGANIZATIONS[0],
            "/organizations/acme/limits": {"resources": {"devices": {"used": 1, "limit": 10}}},
            "/organizations/acme/projects": PROJECTS,
            "/organizations/acme/projects/warehouse": PROJECTS[0],
            "/organizations/acme/projects/warehouse/runner-pools": [{"id": 7, "name": "lab"}],
            "/organizations/acme/projects/warehouse/requirement-documents": {"id": 1},
        }  # fmt: skip
        return ok(json.dumps(answers.get(path, [])).encode(), "Content-Type: application/json")


class Robot:
    """A gateway on the example, the API behind it, and the program in a home of its own."""

    def __init__(self, gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], folder: Path, **members: Any) -> None:
        self.api = FleetAPI()
        self.origin = upstream(answering(self.api.answer))
        self.fleet = Fleet(gateway, folder, self.origin, **members)
        self.key = self.fleet.add_key(name="command line")
        self.cli = RoboticksCLI(self.fleet.gateway.url, folder / "home")

    def seen(self) -> list[str]:
        """What the API was asked."""
        return [f"{request.method} {request.target}" for request in self.origin.requests]


@pytest.fixture
def robots(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Callable[..., Robot]]:
    made: list[Robot] = []

    def make(**members: Any) -> Robot:
        made.append(Robot(gateway, upstream, tmp_path, **members))
        return made[-1]

    yield make
    for one in made:
        one.fleet.session.close()


@pytest.fixture
def robot(robots: Callable[..., Robot]) -> Robot:
    return robots()


def test_the_package_is_the_one_that_is_meant() -> None:
    assert importlib.metadata.version("roboticks-cli") == wanted_version()


def test_rb1_login_stores_a_key_that_then_opens_the_api(robot: Robot) -> None:
    robot.api.new_key = robot.key
    done = robot.cli.run("login", "--no-browser")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Successfully logged in" in done.stdout and robot.cli.kept_key == robot.key
    calls = robot.seen()
    assert calls[0] == f"POST {API}/cli/auth/init" and set(calls[1:]) == {f"POST {API}/cli/auth/poll"} and len(calls) == 4
    assert {"hostname", "platform"} == set(json.loads(robot.origin.requests[0].body))
    assert all(request.value("x-auth-subject") is None for request in robot.origin.requests)
    status = robot.cli.run("auth", "status")
    assert status.returncode == 0 and EMAIL in status.stdout and "api_key" in status.stdout
    # The organization that it was told of at login is marked.
    assert robot.cli.json("org", "list") == [ORGANIZATIONS[0] | {"current": "*"}]
    for request in robot.origin.requests[-2:]:
        assert request.value("x-auth-method") == "api_key" and request.value("authorization") is None
        assert request.value("x-auth-subject") == robot.fleet.ids[EMAIL]
    assert robot.key not in str([request.head for request in robot.origin.requests])
    assert robot.cli.run("logout").returncode == 0
    assert robot.cli.run("org", "list").returncode == AUTHENTICATION


def test_rb8_its_calls_name_organization_and_project(robot: Robot) -> None:
    context = ["--org", "acme", "--project", "warehouse"]
    cli, key = robot.cli, robot.key
    assert cli.json(*context, "org", "get", key=key)["slug"] == "acme"
    # It prints these by rich, not as JSON.
    assert cli.run(*context, "org", "limits", key=key).returncode == 0
    assert cli.json(*context, "project", "list", key=key)[0]["slug"] == "warehouse"
    assert cli.json(*context, "project", "get", key=key)["slug"] == "warehouse"
    assert cli.json(*context, "runner-pool", "list", key=key)[0]["id"] == 7
    assert cli.json(*context, "requirements", "list", key=key) == []
    assert cli.run("context", "set", "--org", "acme", "--project", "warehouse", key=key).returncode == 0
    assert cli.run("runner-pool", "delete", "7", "--force", key=key).returncode == 0
    base = f"{API}/organizations/acme"
    project = f"{base}/projects/warehouse"
    seen = robot.seen()
    assert seen[:5] == [f"GET {path}" for path in (base, f"{base}/limits", f"{base}/projects", project, f"{project}/runner-pools")]
    assert re.fullmatch(rf"GET {project}/requirements\?limit=\d+", seen[5])
    assert seen[6:] == [f"GET {base}", f"GET {project}", f"DELETE {project}/runner-pools/7"]
    for request in robot.origin.requests:
        assert request.value("x-org") == "acme"
        expected = "warehouse" if request.target.startswith(project) else None
        assert request.value("x-project") == expected, request.target


def test_rb8_an_upload_goes_through_as_it_is(robot: Robot) -> None:
    (robot.cli.home / "needs.md").write_text("# R1\nThe arm stops.\n")
    done = robot.cli.run("--org", "acme", "--project", "warehouse", "requirements", "upload", "needs.md", key=robot.key)
    assert done.returncode == 0, done.stdout + done.stderr
    (request,) = robot.origin.requests
    assert request.target == f"{API}/organizations/acme/projects/warehouse/requirement-documents"
    assert request.value("content-type").startswith("multipart/form-data; boundary=") and b"The arm stops." in request.body


def test_rb11_it_is_told_how_long_to_wait(robots: Callable[..., Robot]) -> None:
    limits = {
        "fair": {"kind": "window", "requests": 2, "per": "1m", "by": "identity"},
        "account": {"requests": 100, "per": "1m"},
        "sign-ins": {"requests": 100, "per": "1m", "by": "address"},
        "polls": {"requests": 100, "per": "1m", "by": "address"},
    }
    robot = robots(limits=limits)
    assert [robot.cli.run("org", "list", key=robot.key).returncode for _ in range(2)] == [0, 0]
    done = robot.cli.run("org", "list", key=robot.key)
    assert done.returncode == RATE_LIMIT
    (seconds,) = re.findall(r"Retry after (\d+) seconds", done.stderr)
    assert 1 <= int(seconds) <= 60
    assert len(robot.origin.requests) == 2


def test_rb12_a_wrong_key_is_an_authentication_error(robot: Robot) -> None:
    for key in ("rbtk_" + "x" * 40, "nonsense", robot.fleet.token()[:-4] + "AAAA"):
        done = robot.cli.run("org", "list", key=key)
        assert done.returncode == AUTHENTICATION and "Could not validate credentials" in done.stderr
    status = robot.cli.run("auth", "status", key="rbtk_" + "x" * 40)
    assert status.returncode != 0 and "Could not validate credentials" in status.stderr
    assert not robot.origin.requests


def test_rb12_a_session_works_in_the_place_of_a_key(robot: Robot) -> None:
    """The program sends whatever it is given as a Bearer value."""
    assert robot.cli.json("org", "list", key=robot.fleet.token())[0]["slug"] == "acme"
    assert robot.origin.requests[0].value("x-auth-method") == "jwt"


def test_rb13_what_the_user_may_not_is_an_authorization_error(robot: Robot) -> None:
    for words in (["--org", "globex", "org", "get"], ["--org", "globex", "project", "list"], ["--org", "nowhere", "org", "limits"]):
        done = robot.cli.run(*words, key=robot.key)
        assert done.returncode == AUTHORIZATION and "Not enough permissions" in done.stderr, words
    assert not robot.origin.requests


def test_what_the_api_says_reaches_it(robot: Robot) -> None:
    robot.api.missing = True
    done = robot.cli.run("--org", "acme", "org", "get", key=robot.key)
    assert done.returncode == NOT_FOUND and "No such robot" in done.stderr


def test_it_keeps_to_its_home(robot: Robot) -> None:
    """The developer's own settings stay as they are."""
    theirs = Path.home() / ".config" / "roboticks" / "config.yaml"
    before = theirs.stat().st_mtime_ns if theirs.exists() else None
    robot.api.new_key = robot.key
    assert robot.cli.run("login", "--no-browser").returncode == 0
    assert (robot.cli.home / ".config" / "roboticks" / "config.yaml").exists()
    assert before == (theirs.stat().st_mtime_ns if theirs.exists() else None)
