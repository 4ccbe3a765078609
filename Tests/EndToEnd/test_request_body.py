"""Content that a route changes: members of JSON and parameters of forms that the gateway sets and removes on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from harness.client import RawClient, ask, reason, request
from harness.embedding import REFRESH_PATH, UNAUTHORIZED, App
from harness.gateway import Gateway, run_portcullis
from harness.messages import Message
from harness.policy import Json, open_route, policy
from harness.protocols import ALL, HTTP1
from harness.upstream import Upstream, ok

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
CHANGES = {"set": {"/apiKey": "k1", "/where": "{path.org}", "/who": "{subject}"}, "remove": ["/debug"]}


class Changed:
    """A route for anyone that sets three members and removes one."""

    def __init__(self, gateway: Start, origin: Upstream, **route: object) -> None:
        self.origin = origin
        members = {"match": {"path": "/{org}/**"}, "request_body": CHANGES} | route
        self.gateway = gateway(policy(origin.port, routes=[open_route(**members)]))

    def ask(self, body: bytes, *fields: str, method: str = "POST") -> Message:
        return ask(self.gateway.port, "/acme/x", list(fields), method, body)

    def passed(self, body: bytes, *fields: str, method: str = "POST") -> Message:
        answer = self.ask(body, *fields, method=method)
        assert answer.status == 200, answer.body
        return self.origin.requests[-1]


@pytest.fixture
def changed(gateway: Start, upstream: Origin) -> Changed:
    return Changed(gateway, upstream())


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_json_is_changed_and_its_length_is_right(changed: Changed, method: str) -> None:
    body = b'{"z": 1e400, "apiKey": "mine", "APIKEY": "mine", "debug": true, "who": "root", "n": 123456789012345678901234567890}'
    received = changed.passed(body, JSON, method=method)
    expected = b'{"z":1e400,"apiKey":"k1","n":123456789012345678901234567890,"where":"acme"}'
    assert received.body == expected and received.value("content-length") == str(len(expected))
    assert received.value("transfer-encoding") is None


@pytest.mark.clients(*ALL)
def test_a_form_is_changed(changed: Changed) -> None:
    received = changed.passed(b"a=1&apiKey=mine&api%4Bey=mine&debug=1&b=%20+&who=root", FORM)
    assert received.body == b"a=1&b=%20+&apiKey=k1&where=acme"
    assert received.value("content-length") == str(len(received.body))


def test_chunks_trailers_and_an_expectation(changed: Changed) -> None:
    body = b'{"a": 1}'
    with RawClient(changed.gateway.port) as client:
        client.send(request("POST", "/acme/x", [JSON, "Transfer-Encoding: chunked", "Expect: 100-continue", "Trailer: X-Sum"]))
        assert client.read_head().status == 100
        for byte in body:
            client.send(b"1\r\n%c\r\n" % byte)
        client.send(b"0\r\nX-Sum: 1\r\n\r\n")
        assert client.response("POST").status == 200
        client.send(request("POST", "/acme/x", [FORM], b"a=2"))
        assert client.response("POST").status == 200
    first, second = changed.origin.requests
    assert first.body == b'{"a":1,"apiKey":"k1","where":"acme"}' and first.value("content-length") == str(len(first.body))
    assert first.value("transfer-encoding") is None and b"X-Sum: 1" not in changed.origin.raw and first.value("expect") is None
    assert second.body == b"a=2&apiKey=k1&where=acme"


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_request_without_content_gets_all_of_it(changed: Changed, method: str) -> None:
    assert changed.passed(b"", JSON, method=method).body == b'{"apiKey":"k1","where":"acme"}'
    received = changed.passed(b"", FORM, method=method)
    assert received.body == b"apiKey=k1&where=acme" and received.value("content-length") == "20"
    # What it would be is not said.
    assert changed.passed(b"", method=method).body == b""


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_methods_that_seldom_have_content_get_none(changed: Changed, method: str) -> None:
    received = changed.passed(b"", JSON, method=method)
    assert received.body == b"" and received.value("content-length") in (None, "0")


@pytest.mark.parametrize(
    ("body", "fields", "status", "why"),
    [
        (b"{", [JSON], 400, "content_malformed"),
        (b"[1]", [JSON], 400, "content_malformed"),
        (b'{"a": 1, "a": 2}', [JSON], 400, "content_malformed"),
        (b'{"a": "\xff"}', [JSON], 400, "content_malformed"),
        (b"a=%zz", [FORM], 400, "content_malformed"),
        (b"hello", ["Content-Type: text/plain"], 415, "content_type_not_supported"),
        (b"{}", [], 415, "content_type_not_supported"),
        (b"{}", [JSON + "; charset=utf-16"], 415, "content_type_not_supported"),
        (b"{}", [JSON, JSON], 415, "content_type_not_supported"),
        (b"{}", [JSON, "Content-Encoding: gzip"], 415, "content_type_not_supported"),
        (b"{}", [JSON, "Content_Encoding: gzip"], 415, "content_type_not_supported"),
        (b"--x--", ["Content-Type: multipart/form-data; boundary=x"], 415, "content_type_not_supported"),
        (b'{"a": "%s"}' % (b"x" * 65_536), [JSON], 413, "body_too_large"),
    ],
)
def test_content_that_cannot_be_changed_for_sure(changed: Changed, body: bytes, fields: list[str], status: int, why: str) -> None:
    answer = changed.ask(body, *fields)
    assert (answer.status, reason(answer)) == (status, why)
    assert not changed.origin.requests


def test_chunks_beyond_the_bound(changed: Changed) -> None:
    with RawClient(changed.gateway.port) as client:
        client.send(request("POST", "/acme/x", [JSON, "Transfer-Encoding: chunked"]))
        client.send(b"11000\r\n" + b" " * 0x11000)
        assert client.response("POST").status == 413
    assert not changed.origin.requests


def test_what_was_said_of_the_content_before_does_not_go_on(changed: Changed) -> None:
    fields = ["Content-Digest: sha-256=:AA==:", "Repr_Digest: sha-256=:AA==:", "Digest: SHA-256=AA", "Content-MD5: AA=="]
    received = changed.passed(b'{"a": 1}', JSON, "X-Keep: 1", *fields)
    assert received.value("x-keep") == "1"
    assert not [name for name, _ in received.fields if "igest" in name or "md5" in name.lower()]


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_place_below_another_is_for_json_alone(gateway: Start, upstream: Origin, content_type: str) -> None:
    changed = Changed(gateway, upstream(), request_body={"set": {"/auth/key": "k1"}})
    if content_type == "application/json":
        received = changed.passed(b'{"auth": {"Key": "mine", "id": 1}}', f"Content-Type: {content_type}")
        assert json.loads(received.body) == {"auth": {"id": 1, "key": "k1"}}
    else:
        assert changed.ask(b"a=1", f"Content-Type: {content_type}").status == 415


def test_the_realm_of_the_content_is_read_before_it_is_changed(gateway: Start, upstream: Origin) -> None:
    changed = Changed(
        gateway, upstream(), realm={"parameter": "realm_id", "content": True}, request_body={"set": {"/tenant": "{realm}"}}
    )
    assert changed.passed(b'{"user": {"realm_id": "rl_1"}, "tenant": "x"}', JSON).body == b'{"user":{"realm_id":"rl_1"},"tenant":"rl_1"}'
    assert reason(changed.ask(b"{}", JSON)) == "realm_missing"


class BodyApp(App):
    """The app's API takes its key in the content."""

    def respond(self, message: Message) -> bytes:
        if message.target.startswith(REFRESH_PATH):
            return super().respond(message)
        return ok(b"welcome") if self.key(message) in self.good else UNAUTHORIZED

    @staticmethod
    def key(message: Message) -> str | None:
        if message.body.startswith(b"{"):
            return json.loads(message.body).get("apiKey")
        return dict(parse_qsl(message.body.decode())).get("apiKey")


@pytest.fixture
def app() -> Iterator[BodyApp]:
    one = BodyApp()
    yield one
    one.stop()


ROUTE = {"request_body": {"set": {"/apiKey": "{stored_credential./apiKey}"}}}


def actions(app: BodyApp) -> list[Message]:
    return [one for one in app.upstream.requests if not one.target.startswith(REFRESH_PATH)]


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("body", [b'{"task": "t", "apiKey": "mine"}', b"task=t&apiKey=mine", b'{"task": "%s"}' % (b"x" * 40_000)])
def test_a_stored_credential_in_the_content_and_a_401_is_sent_again_with_the_new_one(
    app: BodyApp, gateway: Start, body: bytes
) -> None:
    running = gateway(app.policy(route=ROUTE))
    data = app.issue("user-1")
    fields = [f"Authorization: Bearer {app.token(data)}", JSON if body.startswith(b"{") else FORM]
    assert ask(running.port, "/a", fields, "POST", body).status == 200
    app.good.clear()
    assert ask(running.port, "/b", fields, "POST", body).status == 200
    first, refused, again = actions(app)
    assert app.key(first) == app.key(refused) == data["apiKey"]
    assert app.key(again) in app.good and again.value("content-length") == str(len(again.body))
    assert len(app.refreshes) == 1
    assert len({one.body.replace((app.key(one) or "").encode(), b"") for one in actions(app)}) == 1


def test_a_request_of_another_server_is_changed_too(gateway: Start, upstream: Origin) -> None:
    """The first server is gone: the content is made for the second."""
    gone, origin = upstream(), upstream()
    gone.stop()
    config = policy(origin.port, routes=[open_route(request_body={"set": {"/apiKey": "k1"}})])
    name = next(iter(config["upstreams"]))
    config["upstreams"][name]["servers"] = [f"http://127.0.0.1:{gone.port}", f"http://127.0.0.1:{origin.port}"]
    running = gateway(config)
    for _ in range(4):
        assert ask(running.port, "/x", [JSON], "POST", b"").status == 200
        assert ask(running.port, "/x", [JSON], "POST", b'{"a": 1}').status == 200
    assert {one.body for one in origin.requests} == {b'{"apiKey":"k1"}', b'{"a":1,"apiKey":"k1"}'}


# What is said of it.


def written(tmp_path: Path, **members: object) -> str:
    config = policy(9, routes=[open_route(match={"path": "/{org}/**"}, request_body=CHANGES)], **members)
    path = tmp_path / "gateway.json"
    path.write_text(json.dumps(config))
    return str(path)


def the_test(expect: Json, **members: object) -> Json:
    return {"name": "t", "request": "POST /acme/x", "expect": expect} | members


@pytest.mark.parametrize(
    ("test", "passes"),
    [
        (the_test({"request_body": {"where": "acme", "a": 1, "apiKey": "k1"}}, body={"a": 1, "debug": True}), True),
        (the_test({"request_body": {"a": 1}}, body={"a": 1}), False),
        (the_test({"request_body": {"where": "acme", "a": [2], "apiKey": "k1"}}, body={"a": [1]}), False),
        (the_test({"request_body": "a=1&apiKey=k1&where=acme"}, body="a=1", headers={"Content-Type": FORM[14:]}), True),
        (the_test({"reason": "content_malformed"}, body="[]", headers={"Content-Type": "application/json"}), True),
        (the_test({"reason": "content_type_not_supported"}, body="hello"), True),
        (the_test({"request_body": {"where": "acme", "apiKey": "k1"}}, body_bytes="9B", headers={"Content-Type": JSON[14:]}), False),
    ],
)
def test_a_policy_test_sees_the_content(tmp_path: Path, test: Json, passes: bool) -> None:
    done = run_portcullis("test", "--config", written(tmp_path, tests=[test]), "--json")
    assert (done.returncode == 0) is passes, done.stdout + done.stderr
    assert "k1" not in done.stdout


def test_explain_names_what_is_changed_and_shows_no_value(tmp_path: Path) -> None:
    path = written(tmp_path)
    done = run_portcullis("explain", "--config", path, "http://localhost/acme/x", "-X", "POST", "--body-bytes", "9", "-H", JSON)
    assert "/apiKey is set in the content" in done.stdout and "/debug is left out of the content" in done.stdout
    assert "k1" not in done.stdout
    done = run_portcullis("explain", "--config", path, "http://localhost/acme/x", "-X", "POST", "--body-bytes", "9")
    assert done.returncode == 1 and "content_type_not_supported" in done.stdout
    done = run_portcullis("explain", "--config", path, "http://localhost/acme/x")
    assert "the request has no content to change" in done.stdout
