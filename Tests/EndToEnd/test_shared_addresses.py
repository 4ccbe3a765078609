"""A second process on an address: refused at the start and at a reload, unless it is told to take over."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import RawClient, ask, request
from harness.gateway import Gateway, run_portcullis
from harness.policy import policy
from harness.server import free_ports
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


@pytest.mark.parametrize(("place", "address"), [("listener", "127.0.0.1"), ("listener", "0.0.0.0"), ("admin", "127.0.0.1")])
def test_a_second_gateway_is_refused(gateway: Start, upstream: Origin, tmp_path: Path, place: str, address: str) -> None:
    running = gateway(policy(upstream().port, admin={"address": "127.0.0.1:0"}))
    taken = f"{address}:{running.port if place == 'listener' else running.admin_port}"
    config = policy(9000, listeners=[{"address": taken}]) if place == "listener" else policy(9000, admin={"address": taken})
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    done = run_portcullis("serve", "--config", "gateway.json", folder=tmp_path)
    assert done.returncode != 0 and taken in done.stderr
    assert f"process {running.process.pid}" in done.stderr and "--takeover" in done.stderr
    assert ask(running.port).status == 200


def test_a_reload_does_not_take_an_address_of_another(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    first, second = gateway(policy(origin.port)), gateway(policy(origin.port))
    second.replace(policy(origin.port, listeners=[{"address": f"127.0.0.1:{first.port}"}]))
    line = second.wait_for_line(r"reload refused")
    assert f"process {first.process.pid}" in line
    assert ask(second.port).status == 200


def test_a_restart_after_a_kill_is_not_refused(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    old = gateway(policy(origin.port))
    with RawClient(old.port) as raw:
        assert raw.send(request()).response().status == 200
        old.kill()
        new = gateway(policy(origin.port, listeners=[{"address": f"127.0.0.1:{old.port}"}]))
        assert ask(new.port).status == 200


def test_a_reload_may_widen_an_own_listener(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    port = free_ports(1)[0]
    running = gateway(policy(origin.port, listeners=[{"address": f"127.0.0.1:{port}"}]))
    running.replace(policy(origin.port, listeners=[{"address": f"0.0.0.0:{port}"}]))
    running.wait_for_line(r"reloaded")
    assert ask(port).status == 200


def test_a_wildcard_of_another_family_is_free(gateway: Start, upstream: Origin) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    origin = upstream()
    old = gateway(policy(origin.port))
    gateway(policy(origin.port, listeners=[{"address": f"[::]:{old.port}"}]))
