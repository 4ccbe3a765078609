"""Editing the policy of a running gateway: all or nothing, in every way editors write, under load."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import load
from harness.certificates import shelf
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.http2 import HTTP2Client
from harness.issuer import SigningKey, jwt_authenticator, key_set
from harness.origin import QuickOrigin
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Connection, Upstream, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients(*HTTP1_ONLY)


def marked(port: int, mark: str, **members: object) -> Json:
    """A policy whose answers say which one it is."""
    return policy(port, routes=[open_route(response_headers={"set": {"X-Policy": mark}})], **members)


def current(running: Gateway) -> str | None:
    return ask(running.port).value("x-policy")


def in_place(running: Gateway, config: Json) -> None:
    running.write(config)


def rename_over(running: Gateway, config: Json) -> None:
    running.replace(config)


def away_and_new(running: Gateway, config: Json) -> None:
    """As vim does with `backupcopy=no`."""
    running.path.rename(running.path.with_suffix(".json~"))
    running.write(config)


def by_signal(running: Gateway, config: Json) -> None:
    running.write(config)
    running.signal(signal.SIGHUP)


@pytest.mark.parametrize("edit", [in_place, rename_over, away_and_new, by_signal])
def test_an_edit_is_followed_within_a_second(
    gateway: Start, upstream: Origin, edit: Callable[[Gateway, Json], None]
) -> None:
    origin = upstream()
    running = gateway(marked(origin.port, "one"))
    assert current(running) == "one"
    for mark in ("two", "three"):
        edit(running, marked(origin.port, mark))
        until(lambda: current(running) == mark, 1, "the new policy")


def test_a_symlink_swap_as_kubernetes_does(upstream: Origin, tmp_path: Path) -> None:
    origin = upstream()
    volume = tmp_path / "volume"
    volume.mkdir()

    def publish(version: str) -> None:
        folder = volume / f"..{version}"
        folder.mkdir()
        (folder / "gateway.json").write_text(json.dumps(marked(origin.port, version)))
        beside = volume / "..data_tmp"
        beside.symlink_to(folder.name)
        beside.rename(volume / "..data")

    publish("one")
    (volume / "gateway.json").symlink_to("..data/gateway.json")

    class Mounted(Gateway):
        def write(self, config: dict | str) -> None:
            pass

    running = Mounted("", volume)
    try:
        assert current(running) == "one"
        for version in ("two", "three"):
            publish(version)
            until(lambda: current(running) == version, 2, "the new policy")
        assert running.stop() == 0
    finally:
        running.kill()


BROKEN = {
    "not JSON": (lambda config: json.dumps(config, indent=2)[:-20], r"gateway\.json:\d+:\d+: "),
    "unknown member": (lambda config: json.dumps(config | {"rutes": []}, indent=2), r"gateway\.json:\d+:\d+: .*rutes"),
    "unknown upstream": (
        lambda config: json.dumps(config | {"routes": [open_route(upstream="upp")]}, indent=2),
        r"gateway\.json:\d+:\d+: routes\[0\]\.upstream: .*did you mean",
    ),
    "no authenticate": (
        lambda config: json.dumps(
            config | {"routes": [{"name": "a", "match": {"path": "/"}, "upstream": "up"}]}, indent=2
        ),
        r"gateway\.json:\d+:\d+: routes\[0\].*authenticate",
    ),
    "empty": (lambda config: "", r"gateway\.json:\d+:\d+: "),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_keeps_the_old_policy(gateway: Start, upstream: Origin, name: str) -> None:
    spoil, message = BROKEN[name]
    origin = upstream()
    config = marked(origin.port, "good")
    running = gateway(config)
    mark = len(running.lines)
    running.replace(spoil(config))
    running.wait_for_line(message, after=mark)
    assert current(running) == "good"
    running.replace(marked(origin.port, "mended"))
    until(lambda: current(running) == "mended", 2, "the mended policy")


def test_a_file_that_vanishes_keeps_the_old_policy(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(marked(origin.port, "one"))
    running.path.unlink()
    running.signal(signal.SIGHUP)
    running.wait_for_line("gateway.json")
    assert current(running) == "one"
    running.write(marked(origin.port, "two"))
    until(lambda: current(running) == "two", 2, "the new policy")


def test_a_request_keeps_the_policy_it_began_with(gateway: Start, upstream: Origin) -> None:
    def script(connection: Connection) -> None:
        while connection.read_request():
            if len(origin.requests) == 1:
                until(lambda: (tmp := ask(running.port, "/other")) and tmp.value("x-policy") == "two", 5)
            connection.send(ok())

    origin = upstream(script)
    running = gateway(marked(origin.port, "one"))
    with RawClient(running.port) as client:
        client.send(request())
        origin.wait_for(lambda: origin.requests)
        running.replace(marked(origin.port, "two"))
        assert client.response().value("x-policy") == "one"
        assert client.send(request()).response().value("x-policy") == "two"


def test_a_removed_key_is_refused_on_an_open_connection(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key("gone")
    _, other = api_key("other")
    origin = upstream()
    running = gateway(keyed_policy(origin.port, records=[record, other]))
    with RawClient(running.port) as client:

        def status() -> int:
            return client.send(request(fields=[f"X-API-Key: {secret}"])).response().status

        assert status() == 200
        running.replace(keyed_policy(origin.port, records=[other]))
        until(lambda: status() == 401, 2, "the end of the key")


def test_a_keys_file_is_followed(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    first, one = api_key("one")
    second, two = api_key("two")
    path = tmp_path / "keys.jsonl"
    path.write_text(json.dumps(one) + "\n")
    config = keyed_policy(upstream().port, records=[])
    config["authenticators"]["keys"]["keys_file"] = str(path)
    running = gateway(config)
    assert ask(running.port, fields=[f"X-API-Key: {first}"]).status == 200
    path.write_text(json.dumps(one) + "\n" + json.dumps(two) + "\n")
    until(lambda: ask(running.port, fields=[f"X-API-Key: {second}"]).status == 200, 2, "the new record")


def test_a_keys_file_that_is_being_written_is_not_taken_half(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    """As a slow exporter does with `export > keys.jsonl`."""
    first, one = api_key("one")
    last, two = api_key("two")
    path = tmp_path / "keys.jsonl"
    path.write_text(json.dumps(one) + "\n" + json.dumps(two) + "\n")
    origin = upstream()
    config = keyed_policy(origin.port, records=[])
    config["authenticators"]["keys"]["keys_file"] = str(path)
    running = gateway(config)

    def statuses() -> list[int]:
        return [ask(running.port, fields=[f"X-API-Key: {secret}"]).status for secret in (first, last)]

    added, three = api_key("three")
    with path.open("w") as exporter:
        exporter.flush()
        running.wait_for_line(r"keys\.jsonl is being written to")
        exporter.write(json.dumps(one) + "\n")
        exporter.flush()
        # Neither an edit of another file nor a signal takes the half that is there.
        running.replace(config | {"bounds": {"connections": 1000}})
        mark = len(running.lines)
        running.signal(signal.SIGHUP)
        running.wait_for_line(r"reload \(SIGHUP\) waits", after=mark)
        assert statuses() == [200, 200]
        exporter.write(json.dumps(two) + "\n" + json.dumps(three) + "\n")
    running.wait_for_line("reloaded", after=mark)
    assert statuses() == [200, 200]
    assert ask(running.port, fields=[f"X-API-Key: {added}"]).status == 200
    assert len([line for line in running.lines if "reloaded" in line]) == 1


@pytest.mark.slow
@pytest.mark.clients("h1")
def test_a_writer_that_never_closes_is_waited_for_half_a_minute(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    _, one = api_key("one")
    added, two = api_key("two")
    path = tmp_path / "keys.jsonl"
    path.write_text(json.dumps(one) + "\n")
    config = keyed_policy(upstream().port, records=[])
    config["authenticators"]["keys"]["keys_file"] = str(path)
    running = gateway(config)
    with path.open("a") as writer:
        writer.write(json.dumps(two) + "\n")
        writer.flush()
        running.wait_for_line(r"warning keys\.jsonl was written to and not closed within 30 s", timeout=40)
        until(lambda: ask(running.port, fields=[f"X-API-Key: {added}"]).status == 200, 2, "the new key")


def test_a_keys_file_that_becomes_empty_revokes_its_keys_with_a_warning(
    gateway: Start, upstream: Origin, tmp_path: Path
) -> None:
    secret, record = api_key("one")
    path = tmp_path / "keys.jsonl"
    path.write_text(json.dumps(record) + "\n")
    config = keyed_policy(upstream().port, records=[])
    config["authenticators"]["keys"]["keys_file"] = str(path)
    running = gateway(config)
    path.write_text("")
    running.wait_for_line(r"warning .*keys_file: the keys file holds no key")
    until(lambda: ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 401, 2, "the end of the key")


@pytest.mark.clients("h1")
@pytest.mark.parametrize("emptied", ["tests", "pepper", "keys", "authority", "certificate", "key"])
def test_any_other_file_that_becomes_empty_changes_nothing(
    gateway: Start, upstream: Origin, tmp_path: Path, emptied: str
) -> None:
    """What held requests back would otherwise be gone with it."""
    origin = upstream()
    shelf().authority.issue("localhost").put(tmp_path, "server")
    files = {
        "tests": tmp_path / "tests.json",
        "pepper": tmp_path / "pepper",
        "keys": tmp_path / "keys.json",
        "authority": tmp_path / "authority.pem",
        "certificate": tmp_path / "server.pem",
        "key": tmp_path / "server.key",
    }
    files["tests"].write_text("[]")
    files["pepper"].write_text("a pepper of some length\n")
    files["keys"].write_text(key_set(SigningKey("ES256")))
    files["authority"].write_bytes(shelf().authority.path.read_bytes())
    tls = {"certificate": f"file:{files['certificate']}", "key": f"file:{files['key']}"}
    config = marked(origin.port, "whole", tests_file=str(files["tests"]))
    config["authenticators"] = {
        "keys": {"type": "api_key", "from": ["header:X-API-Key"], "pepper": f"file:{files['pepper']}", "keys": []},
        "tokens": jwt_authenticator("ES256"),
    }
    config["key_sets"] = {"issuer": {"file": str(files["keys"])}}
    config["routes"].append({"name": "t", "match": {"path": "/t"}, "authenticate": ["tokens", "keys"], "upstream": "up"})
    config["upstreams"]["tls"] = {"servers": ["https://127.0.0.1:9"], "tls": {"ca": f"file:{files['authority']}"}}
    config["listeners"] = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0", "tls": tls}]
    running = gateway(config)
    mark = len(running.lines)
    files[emptied].write_text("")
    running.wait_for_line("reload refused", after=mark)
    assert current(running) == "whole"


def test_a_listener_comes_and_goes(gateway: Start, upstream: Origin) -> None:
    """A changed listener list is either followed or refused with a message; the old listener never dies silently."""
    origin = upstream()
    running = gateway(marked(origin.port, "one"))
    mark = len(running.lines)
    config = marked(origin.port, "two")
    config["listeners"] = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0"}]
    running.replace(config)
    running.wait_for_line(r"listen|reload|restart", after=mark)
    assert current(running) in ("one", "two")


def two_addresses() -> list[Json]:
    """Two free ones."""
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        return [{"address": f"127.0.0.1:{probe.getsockname()[1]}"} for probe in (one, two)]


@pytest.mark.clients("h1")
def test_clients_of_a_listener_that_goes_are_told_to_go_too(gateway: Start, upstream: Origin) -> None:
    may_answer = threading.Event()

    def hold(connection: Connection) -> None:
        connection.read_request()
        may_answer.wait(10)
        connection.send(ok(b"held"))

    origin = upstream(hold)
    staying, going = two_addresses()
    running = gateway(policy(origin.port, listeners=[staying, going]))
    port = int(going["address"].rsplit(":", 1)[1])
    with RawClient(port) as busy, RawClient(port) as idle, HTTP2Client(port) as streams:
        busy.send(request())
        call = streams.open(target="/stream")
        origin.wait_for(lambda: len(origin.requests) == 2)
        mark = len(running.lines)
        running.replace(policy(origin.port, listeners=[staying]))
        running.wait_for_line("reloaded", after=mark)
        streams.pump(lambda: len(streams.goodbyes) == 2)
        may_answer.set()
        answer = busy.response()
        assert (answer.status, answer.value("connection")) == (200, "close")
        assert call.response().body == b"held"
        assert streams.is_closed() and busy.is_closed() and idle.is_closed()
    assert ask(int(staying["address"].rsplit(":", 1)[1])).status == 200


def test_upstream_connections_outlive_a_reload(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(marked(origin.port, "one", loops=1))
    assert current(running) == "one"
    running.replace(marked(origin.port, "two", loops=1))
    until(lambda: current(running) == "two", 2, "the new policy")
    assert len(origin.connections) == 1


@pytest.mark.slow
def test_a_hundred_edits_under_load_lose_no_request(gateway: Start, quick_origin: QuickOrigin) -> None:
    running = gateway(marked(quick_origin.port, "start", access_log="off"))
    process = load.start(running.url + "/x", 12, 256)
    try:
        for number in range(100):
            mark = f"policy-{number}"
            (running.write if number % 2 else running.replace)(marked(quick_origin.port, mark, access_log="off"))
            if number % 10 == 9:
                until(lambda: current(running) == mark, 3, "the new policy")
            else:
                until(lambda: process.poll() is None, 1)
    finally:
        seen = load.finish(process)
    assert seen.errors == 0 and seen.refused == 0, seen.text
    assert seen.requests > 100
    assert current(running) == "policy-99"


def test_an_edit_under_load_changes_the_answer_within_a_second(gateway: Start, quick_origin: QuickOrigin) -> None:
    running = gateway(marked(quick_origin.port, "one", access_log="off"))
    process = load.start(running.url + "/x", 4, 256)
    running.replace(marked(quick_origin.port, "two", access_log="off"))
    until(lambda: current(running) == "two", 1.5, "the new policy")
    seen = load.finish(process)
    assert seen.errors == 0 and seen.refused == 0, seen.text


def test_the_message_names_the_place(gateway: Start, upstream: Origin) -> None:
    running = gateway(marked(upstream().port, "one"))
    text = json.dumps(marked(1, "two"), indent=2).replace('"authenticate": "none"', '"authenticate": "nome"')
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "nome" in row)
    column = text.splitlines()[line - 1].index('"nome"') + 1
    mark = len(running.lines)
    running.replace(text)
    running.wait_for_line(re.escape(f"gateway.json:{line}:{column}: "), after=mark)
