"""Names of upstream servers: looked up off the way of everything else, and one that leads nowhere costs its own upstream alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask, reason
from harness.gateway import Gateway, run_portcullis
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

NOWHERE = "http://no-such-host.invalid:3000"


def with_other(config: Json, *servers: str) -> Json:
    """The policy with one more upstream, behind /other."""
    route = open_route(name="other", match={"path": "/other"}, upstream="other")
    return config | {
        "upstreams": config["upstreams"] | {"other": {"servers": list(servers)}},
        "routes": [*config["routes"], route],
        "admin": {"address": "127.0.0.1:0"},
    }


def test_a_name_that_leads_nowhere_costs_its_own_upstream_alone(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(with_other(policy(origin.port), NOWHERE))
    running.wait_for_line(r"warning .*upstreams\.other\.servers\[0\]: cannot resolve no-such-host\.invalid")
    assert ask(running.port).status == 200
    refused = ask(running.port, "/other")
    assert (refused.status, reason(refused)) == (503, "upstream_unresolved") and refused.value("retry-after")
    shown = [server for server in json.loads(running.admin("/status"))["upstreams"] if server["name"] == "other"]
    assert [(one["server"], one["address"], one["failing"]) for one in shown] == [("no-such-host.invalid:3000", None, True)]
    assert "cannot resolve" in shown[0]["error"]
    assert running.metric("portcullis_upstream_servers_unresolved", upstream="other") == 1
    # A reload tells of it, and is taken.
    mark = len(running.lines)
    running.replace(with_other(policy(origin.port), f"http://127.0.0.1:{origin.port}"))
    running.wait_for_line("reloaded", after=mark)
    until(lambda: ask(running.port, "/other").status == 200, 2, "the server")
    assert not [server for server in json.loads(running.admin("/status"))["upstreams"] if server["address"] is None]


def test_a_server_that_cannot_be_resolved_leaves_the_others_of_its_upstream(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(with_other(policy(origin.port), NOWHERE, f"http://127.0.0.1:{origin.port}"))
    running.wait_for_line("its server is left out")
    assert ask(running.port, "/other").status == 200


def test_a_reload_that_adds_a_name_that_leads_nowhere_is_taken_with_all_else(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key("gone")
    origin = upstream()
    running = gateway(keyed_policy(origin.port, records=[record]))
    assert ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 200
    mark = len(running.lines)
    running.replace(with_other(keyed_policy(origin.port, records=[]), NOWHERE))
    running.wait_for_line(r"upstreams\.other\.servers\[0\]: cannot resolve", after=mark)
    until(lambda: ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 401, 2, "the end of the key")


def test_check_warns_and_other_commands_do_not_ask(tmp_path: Path) -> None:
    path = tmp_path / "gateway.json"
    path.write_text(json.dumps(with_other(policy(9), NOWHERE) | {"listeners": [{"address": "127.0.0.1:0"}]}))
    checked = run_portcullis("check", "--config", str(path))
    assert checked.returncode == 0 and "warning: upstreams.other.servers[0]: cannot resolve" in checked.stderr
    tested = run_portcullis("test", "--config", str(path))
    assert "cannot resolve" not in tested.stderr + tested.stdout


class PrivateNames:
    """Files of the resolver that only one process sees. Needs root."""

    def __init__(self, folder: Path) -> None:
        self.hosts = folder / "hosts"
        self.resolver = folder / "resolv.conf"
        self.answer()
        self.resolver.write_text("nameserver 127.0.0.77\noptions timeout:30 attempts:1\n")
        mounts = f"mount --bind {self.hosts} /etc/hosts && mount --bind {self.resolver} /etc/resolv.conf"
        self.launcher = ("unshare", "-m", "sh", "-c", f'{mounts} && exec "$@"', "sh")

    def answer(self, **names: str) -> None:
        """Written in place: a mount shows the file it was made from."""
        lines = ["127.0.0.1 localhost", *(f"{address} {name.replace('_', '.')}" for name, address in names.items())]
        self.hosts.write_text("\n".join(lines) + "\n")


@pytest.fixture
def private_names(tmp_path: Path) -> PrivateNames:
    names = PrivateNames(tmp_path)
    if os.geteuid() or not shutil.which("unshare") or subprocess.run([*names.launcher, "true"], capture_output=True).returncode:
        pytest.skip("needs a mount of its own")
    return names


@pytest.fixture
def silent_resolver() -> None:
    """Takes questions and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.0.0.77", 53))
        except OSError as fault:
            pytest.skip(f"needs port 53: {fault}")
        yield


@pytest.mark.usefixtures("silent_resolver")
def test_a_resolver_that_does_not_answer_holds_up_no_reload_and_no_signal(
    gateway: Start, upstream: Origin, private_names: PrivateNames
) -> None:
    origin = upstream()
    names = [f"u{number}.test" for number in range(4)]
    private_names.answer(**{name.replace(".", "_"): "127.0.0.1" for name in names})
    secret, record = api_key("gone")
    known = with_other(keyed_policy(origin.port, records=[record]), *[f"http://{name}:{origin.port}" for name in names])
    running = gateway(known, launcher=private_names.launcher)
    assert ask(running.port, "/other").status == 200
    private_names.answer()
    # Known names keep their addresses, a new one is not waited for: all this within the time of one answer that never comes.
    mark = len(running.lines)
    changed = with_other(
        keyed_policy(origin.port, records=[]),
        *[f"http://{name}:{origin.port}" for name in names],
        f"http://new.test:{origin.port}",
    )
    running.replace(changed)
    running.wait_for_line("reloaded", after=mark, timeout=10)
    assert ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 401
    assert ask(running.port, "/other").status == 200
    running.signal(signal.SIGHUP)
    running.wait_for_line(r"reloaded \(SIGHUP\)", timeout=10)
    assert running.stop() == 0


def test_a_name_that_is_resolved_later_is_found_by_itself(
    gateway: Start, upstream: Origin, private_names: PrivateNames
) -> None:
    private_names.resolver.write_text("")
    origin = upstream()
    running = gateway(with_other(policy(origin.port), f"http://late.test:{origin.port}"), launcher=private_names.launcher)
    assert reason(ask(running.port, "/other")) == "upstream_unresolved"
    private_names.answer(late_test="127.0.0.1")
    running.wait_for_line(r"the name late\.test is resolved now: 127\.0\.0\.1", timeout=10)
    until(lambda: ask(running.port, "/other").status == 200, 2, "the server")
    assert running.metric("portcullis_upstream_servers_unresolved", upstream="other") == 0
