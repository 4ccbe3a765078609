"""Routes whose requests go on with another path: captures, values of credentials, and what `/**` took."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.client import ask, reason
from harness.embedding import NAMESPACE, App
from harness.gateway import Gateway, run_portcullis
from harness.messages import Message
from harness.policy import open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


def started(gateway: Start, origin: Upstream, path: str, upstream_path: str, **members: object) -> Gateway:
    return gateway(policy(origin.port, routes=[open_route(match={"path": path}, upstream_path=upstream_path)], **members))


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize(
    ("path", "upstream_path", "asked", "got"),
    [
        ("/billing/**", "/**", "/billing/a/b?c=d/e", "/a/b?c=d/e"),
        ("/billing/**", "/**", "/billing/", "/"),
        ("/billing/**", "/v2/**", "/billing/a%20b/%C3%A9?", "/v2/a%20b/%C3%A9?"),
        ("/billing/**", "/v2/**", "/billing/%7eada/", "/v2/%7eada/"),
        ("/billing/**", "/v2", "/billing/a", "/v2"),
        ("/a/{x}/{y}", "/{path.y}/of-{path.x}", "/a/one/t%20w%3Fo", "/t%20w%3Fo/of-one"),
        ("/a/{x}/**", "/v2/{path.x}/items/**", "/a/u@x/1/2", "/v2/u%40x/items/1/2"),
        ("/a/{x}", "/v2/{path.x}/", "/a/1", "/v2/1/"),
        ("/**", "/base/**", "/x", "/base/x"),
    ],
)
def test_the_path_that_goes_on(gateway: Start, upstream: Origin, path: str, upstream_path: str, asked: str, got: str) -> None:
    origin = upstream()
    running = started(gateway, origin, path, upstream_path)
    assert ask(running.port, asked).status == 200
    assert origin.requests[-1].target == got


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("%2e%2e", "path_dot_segment"), ("%252e%252e", "path_ambiguous"), ("a%252fb", "path_ambiguous"), ("..%3bx", "path_dot_segment"),
        ("a%3Bb", "path_ambiguous"), ("a.", "path_ambiguous"), ("a%20", "path_ambiguous"), ("a%2Fb", "path_encoded_slash"),
        ("a%5Cb", "path_encoded_slash"), ("a%00", "path_control_character"),
    ],
)  # fmt: skip
def test_a_capture_that_is_more_than_a_segment_to_some_server(gateway: Start, upstream: Origin, value: str, why: str) -> None:
    origin = upstream()
    running = started(gateway, origin, "/a/{x}", "/v2/{path.x}/items")
    assert reason(ask(running.port, f"/a/{value}")) == why
    assert not origin.requests


def test_what_is_left_of_a_path_does_not_begin_with_a_slash(gateway: Start, upstream: Origin) -> None:
    """`//x` is a host to some servers; `%2Fx`, where encoded slashes are kept, becomes it."""
    origin = upstream()
    running = started(gateway, origin, "/b/**", "/**", paths={"encoded_slash": "keep", "readings": ["authority"]})
    for path in ("/b/%2Fevil.example/x", "/b/%5Cevil.example/x", "/b/%252Fevil.example"):
        assert reason(ask(running.port, path)) == "path_ambiguous"
    assert ask(running.port, "/b//evil.example/x").status in (200, 400)
    assert not [one for one in origin.requests if one.target.startswith("//")]


class PathApp(App):
    """The app's API has the account in its path."""


@pytest.fixture
def app() -> Iterator[PathApp]:
    one = PathApp()
    yield one
    one.stop()


ROUTE = {"match": {"path": "/actions/**"}, "upstream_path": "/v2/{stored_credential./account}/**"}


def paths(app: App) -> list[str]:
    return [one.target for one in app.upstream.requests if not one.target.startswith("/rollout")]


def call(port: int, token: str) -> Message:
    return ask(port, "/actions/tasks?a=1", [f"Authorization: Bearer {token}"])


@pytest.mark.clients(*ALL)
def test_a_value_of_the_stored_credential_in_the_path(app: PathApp, gateway: Start) -> None:
    running = gateway(app.policy(route=ROUTE))
    assert call(running.port, app.token(app.issue("user-1", account="a/c me"), age=10)).status == 400
    assert call(running.port, app.token(app.issue("user-1", account="a c+me"), age=5)).status == 200
    assert paths(app) == ["/v2/a%20c%2Bme/tasks?a=1"]
    app.good.clear()
    app.renew = app.exchange = renewed(app)
    assert call(running.port, app.token()).status == 200
    assert paths(app)[1:] == ["/v2/a%20c%2Bme/tasks?a=1", "/v2/new/tasks?a=1"]


def renewed(app: App) -> Callable[[Message], bytes]:
    """Refreshes come with another account."""
    plain = app.exchange

    def exchange(message: Message) -> bytes:
        head, _, body = plain(message).partition(b"\r\n\r\n")
        changed = json.dumps(json.loads(body) | {"account": "new"}).encode()
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(changed)]) + b"\r\n\r\n" + changed

    return exchange


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (None, "upstream_credential_missing"), ("", "upstream_credential_missing"), ({"a": 1}, "upstream_credential_missing"),
        ("..", "path_dot_segment"), (".", "path_dot_segment"), ("%2e%2e", "path_ambiguous"), ("a/../b", "path_encoded_slash"),
        ("..;x", "path_ambiguous"), ("a\\b", "path_encoded_slash"),
    ],
)  # fmt: skip
def test_a_value_leads_out_of_nothing(app: PathApp, gateway: Start, account: object, why: str) -> None:
    running = gateway(app.policy(route=ROUTE, paths={"readings": ["double_decoding", "parameters", "trailing_dots"]}))
    members = {} if account is None else {"account": account}
    expected = {why, "path_ambiguous"} if account in (".", "..") else {why}
    assert reason(call(running.port, app.token(app.issue("user-1", **members)))) in expected
    assert paths(app) == []


def test_tests_see_the_target_and_explain_shows_no_credential(app: PathApp, tmp_path: Path) -> None:
    config = app.policy(route=ROUTE)
    config["tests"] = [
        {"name": "t", "request": "GET /actions/tasks?a=1",
         "token": {"claims": {"sub": "u", NAMESPACE: {"authData": app.issue("u", account="acct-7")}}},
         "expect": {"target": "/v2/acct-7/tasks?a=1"}},
        {"name": "u", "request": "GET /actions/tasks",
         "token": {"claims": {"sub": "u", NAMESPACE: {"authData": app.issue("u", account="acct-7")}}},
         "expect": {"target": "/v2/other/tasks"}},
    ]  # fmt: skip
    file = tmp_path / "gateway.json"
    (tmp_path / "client.json").write_text(json.dumps(app.key_set()))
    config["key_sets"] = {"client": {"file": "client.json"}}
    file.write_text(json.dumps(config))
    done = run_portcullis("test", "--config", str(file), "--json")
    results = json.loads(done.stdout)
    assert (results["passed"], results["failed"]) == (1, 1), done.stdout
    found = str([one["mismatches"] for one in results["tests"]])
    assert "/v2/{stored_credential./account}/" in found and "acct-7" not in found
    token = app.token(app.issue("user-1", account="acct-7"))
    done = run_portcullis("explain", "--config", str(file), "http://localhost/actions/x", "-H", f"Authorization: Bearer {token}")
    assert "/v2/{stored_credential./account}/**" in done.stdout and "acct-7" not in done.stdout
