"""Credentials that tokens bring for upstreams: one refresh however many wait, content that can and cannot be sent again, and what
survives the gateway."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness.client import ask, call, reason
from harness.embedding import REFRESH_PATH, UNAUTHORIZED, App, Gate, json_answer, show
from harness.gateway import Gateway
from harness.http2_upstream import HTTP2Upstream, Request
from harness.messages import Message
from harness.upstream import Connection, ok
from harness.waiting import until

Start = Callable[..., Gateway]


def test_a_hundred_requests_wait_for_one_refresh(app: App, gateway: Start) -> None:
    running = gateway(app.policy(loops=4))
    gate = Gate(app)
    token = app.token(app.issue("user-1"), age=19_990)
    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(show, running.port, token, f"/{number}") for number in range(100)]
        until(lambda: app.refreshes, 10, "a refresh")
        gate.open.set()
        assert {answer.result().status for answer in answers} == {200}
    assert len(app.refreshes) == 1
    assert len(set(app.shown())) == 1


def test_a_hundred_401s_are_one_refresh(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    token = app.token(app.issue("user-1"))
    assert show(running.port, token).status == 200
    app.good.clear()
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(show, running.port, token, f"/{number}") for number in range(100)]
        assert {answer.result().status for answer in answers} == {200}
    assert len(app.refreshes) == 1


def test_users_do_not_wait_for_each_other(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    gate = Gate(app)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(show, running.port, app.token(app.issue("user-1"), age=19_990))
        until(lambda: app.refreshes, 10, "a refresh")
        assert show(running.port, app.token(app.issue("user-2"), "user-2")).status == 200
        gate.open.set()
        assert held.result().status == 200


def test_a_subject_of_another_issuer_is_another_user(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    first, second = app.issue("user-1"), app.issue("user-1")
    assert show(running.port, app.token(first, age=5)).status == 200
    assert reason(show(running.port, app.token(iss="client-two"))) == "upstream_credential_missing"
    assert show(running.port, app.token(second, iss="client-two", age=30)).status == 200
    assert show(running.port, app.token()).status == 200
    assert app.shown() == [first["apiKey"], second["apiKey"], first["apiKey"]]


def test_after_the_cooldown_a_failed_refresh_is_tried_again(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    app.exchange = lambda request: json_answer({}, "503 Service Unavailable")
    token = app.token(app.issue("user-1"), age=20_010)
    assert show(running.port, token).status == 502
    app.exchange = app.renew
    assert until(lambda: show(running.port, token).status == 200, 5, "a second try")
    assert len(app.refreshes) == 2


def test_a_failed_refresh_does_not_keep_a_new_token_out(app: App, gateway: Start) -> None:
    running = gateway(app.policy(refresh={"cooldown": "1h"}))
    app.exchange = lambda request: json_answer({}, "400 Bad Request")
    assert show(running.port, app.token(app.issue("user-1"), age=20_010)).status == 502
    assert show(running.port, app.token(app.issue("user-1"))).status == 200


def test_a_newer_token_overtakes_a_refresh_under_way(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    gate = Gate(app)
    newer = app.issue("user-9")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(show, running.port, app.token(app.issue("user-1"), age=19_990))
        until(lambda: app.refreshes, 10, "a refresh")
        assert show(running.port, app.token(newer)).status == 200
        assert held.result().status == 200
        gate.open.set()
    assert show(running.port, app.token()).status == 200
    assert app.shown() == [newer["apiKey"]] * 3


def test_a_key_that_ended_and_cannot_be_refreshed(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    data = app.issue("user-1")
    del data["refreshToken"]
    assert reason(show(running.port, app.token(data, age=20_010))) == "upstream_credential_missing"
    assert app.refreshes == []


def test_without_a_refresh_the_claim_alone_counts(app: App, gateway: Start) -> None:
    config = app.policy()
    del config["stored_credentials"]["app"]["refresh"]
    running = gateway(config)
    newer, older = app.issue("user-1"), app.issue("user-1")
    assert show(running.port, app.token(newer)).status == 200
    assert show(running.port, app.token(older, age=60)).status == 200
    assert reason(show(running.port, app.token())) == "upstream_credential_missing"
    app.good.clear()
    assert show(running.port, app.token(newer)).body == UNAUTHORIZED.partition(b"\r\n\r\n")[2]
    assert app.shown() == [newer["apiKey"], older["apiKey"], newer["apiKey"]]


def test_a_401_that_a_new_key_does_not_change_is_the_clients(app: App, gateway: Start) -> None:
    running = gateway(app.policy(refresh={"cooldown": "1h"}))
    app.exchange = lambda request: json_answer({"apiKey": "never", "refreshToken": "r", "expiresIn": 1000})
    token = app.token(app.issue("user-1"))
    app.good.clear()
    for _ in range(3):
        answer = show(running.port, token)
        assert (answer.status, answer.body) == (401, b'{"error": "who are you?"}')
    # The first was sent twice, the others once, and the endpoint was asked once.
    assert len(app.refreshes) == 1 and len(app.shown()) == 4


def test_a_401_while_refreshes_fail_is_answered_502_once_and_then_passed_on(app: App, gateway: Start) -> None:
    running = gateway(app.policy(refresh={"cooldown": "1h"}))
    app.exchange = lambda request: json_answer({}, "500 Internal Server Error")
    token = app.token(app.issue("user-1"))
    app.good.clear()
    assert reason(show(running.port, token)) == "upstream_credential_refresh_failed"
    assert show(running.port, token).status == 401


def test_content_too_large_to_be_kept_is_not_sent_again(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    token = app.token(app.issue("user-1"))
    app.good.clear()
    assert show(running.port, token, "/", "POST", b"x" * 20_000).status == 401
    # But the next request has a new key.
    assert until(lambda: show(running.port, token).status == 200, 5, "the new key")
    assert len(app.refreshes) == 1


@pytest.mark.parametrize("size", [0, 1, 16_384])
@pytest.mark.clients("h1", "h2")
def test_content_and_trailers_are_sent_again(size: int, app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    token = app.token(app.issue("user-1"))
    app.good.clear()
    with call(running.port, "POST", "/upload", [f"Authorization: Bearer {token}"], ends=False) as asked:
        assert asked.end(b"y" * size, ["X-Sum: 12"]).response().status == 200
    uploads = [request for request in app.upstream.requests if request.target == "/upload"]
    assert [(request.body, request.complete) for request in uploads] == [(b"y" * size, True)] * 2
    assert [[(name.lower(), value) for name, value in request.trailers] for request in uploads] == [[("x-sum", "12")]] * 2


@pytest.mark.parametrize("size", [1, 60_000])
@pytest.mark.clients("h1", "h2")
def test_content_waits_for_a_refresh(size: int, app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    gate = Gate(app)
    token = app.token(app.issue("user-1"), age=19_990)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(show, running.port, token, "/upload", "POST", b"y" * size)
        until(lambda: app.refreshes, 10, "a refresh")
        gate.open.set()
        assert asked.result(10).status == 200
    (upload,) = (request for request in app.upstream.requests if request.target == "/upload")
    assert upload.body == b"y" * size and upload.complete


@pytest.mark.parametrize("size", [0, 30_000])
def test_content_that_was_read_for_the_decision_is_sent_again(size: int, app: App, gateway: Start) -> None:
    """The realm of a request stands in its content, so that all of it is there before the upstream is asked."""
    running = gateway(app.policy(route={"realm": {"parameter": "realm_id", "content": True}}))
    token = app.token(app.issue("user-1"))
    app.good.clear()
    body = json.dumps({"realm_id": "rl_1", "more": "x" * size}).encode()
    answer = show(running.port, token, "/realms", "POST", body, "Content-Type: application/json")
    asked = [request.body for request in app.upstream.requests if request.target == "/realms"]
    assert (answer.status, asked) == (200, [body] * 2)


def test_an_upstream_that_answers_401_before_the_content_came(app: App, gateway: Start) -> None:
    def script(connection: Connection) -> None:
        while request := connection.read_head():
            if request.target.startswith(REFRESH_PATH):
                connection.read_body(request)
                connection.send(app.respond(request))
            elif request.value("x-api-key") in app.good:
                connection.read_body(request)
                connection.send(ok(request.body))
            else:
                connection.send(UNAUTHORIZED)
                connection.close()
                return

    app.upstream.script = script
    running = gateway(app.policy())
    token = app.token(app.issue("user-1"))
    app.good.clear()
    with call(running.port, "POST", "/upload", [f"Authorization: Bearer {token}"], ends=False) as asked:
        asked.send(b"first,")
        until(lambda: len(app.refreshes) == 1 and app.shown()[1:], 10, "the second try")
        assert asked.end(b"second").response().body == b"first,second"


def test_an_upstream_of_http2_is_asked_again_too(app: App, gateway: Start, http2_upstream: Callable[..., HTTP2Upstream]) -> None:
    def answer(request: Request) -> None:
        is_good = request.value("x-api-key") in app.good
        request.answer(request.body if is_good else b"no", 200 if is_good else 401)

    origin = http2_upstream(on_request=answer)
    running = gateway(app.policy() | {"upstreams": {"up": {"servers": [f"h2c://127.0.0.1:{origin.port}"]}}})
    token = app.token(app.issue("user-1"))
    app.good.clear()
    answered = show(running.port, token, "/", "POST", b"content")
    assert (answered.status, answered.body, len(app.refreshes)) == (200, b"content", 1)


def test_a_reload_keeps_what_was_refreshed(app: App, gateway: Start) -> None:
    config = app.policy()
    running = gateway(config)
    token = app.token(app.issue("user-1"), age=19_990)
    assert show(running.port, token).status == 200
    known = len(running.lines)
    running.replace(config | {"via": False})
    running.wait_for_line("reloaded", after=known)
    assert show(running.port, token).status == 200
    assert len(app.refreshes) == 1


def test_a_form_is_sent_where_the_operator_asks_for_one(app: App, gateway: Start) -> None:
    refresh = {
        "content_type": "application/x-www-form-urlencoded",
        "body": {"grant_type": "refresh_token", "refresh_token": "{stored_credential./refreshToken}", "who": "{subject}&x=é"},
    }
    running = gateway(app.policy(refresh=refresh))
    data = app.issue("user-1")
    app.exchange = lambda request: json_answer({"apiKey": "next", "refreshToken": "r", "expiresIn": 1000})
    app.good.add("next")
    assert show(running.port, app.token(data, "a+b c", age=19_990)).status == 200
    asked = app.refreshes[0]
    assert asked.value("content-type") == "application/x-www-form-urlencoded"
    expected = f"grant_type=refresh_token&refresh_token={data['refreshToken']}&who=a%2Bb%20c%26x%3D%C3%A9"
    assert asked.body == expected.encode()


def test_a_client_that_leaves_while_it_waits_disturbs_nobody(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    gate = Gate(app)
    token = app.token(app.issue("user-1"), age=19_990)
    with call(running.port, "GET", "/left", [f"Authorization: Bearer {token}"]) as asked:
        until(lambda: app.refreshes, 10, "a refresh")
        asked.leave()
    with ThreadPoolExecutor(1) as pool:
        stays = pool.submit(show, running.port, token, "/stays")
        gate.open.set()
        assert stays.result().status == 200
    assert ask(running.port, "/", [f"Authorization: Bearer {token}"]).status == 200


def test_many_users_at_a_time(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    with ThreadPoolExecutor(40) as pool:
        tokens = [app.token(app.issue(f"user-{n}"), f"user-{n}", age=19_990) for n in range(200)]
        assert {answer.status for answer in pool.map(lambda token: show(running.port, token), tokens * 2)} == {200}
    assert len(app.refreshes) == 200
    assert len({json.loads(request.body)["userId"] for request in app.refreshes}) == 200


def test_the_client_is_told_nothing_of_the_credential(app: App, gateway: Start) -> None:
    running = gateway(app.policy())
    data = app.issue("user-1")
    token = app.token(data)
    answers = [show(running.port, token), show(running.port, app.token(user="user-2"))]
    app.good.clear()
    answers.append(show(running.port, token))
    for secret in (data["apiKey"], data["refreshToken"], *app.refresh_tokens, *app.good):
        assert not any(secret.encode() in answer.head + answer.body for answer in answers)
        assert secret not in running.access_text() and secret not in "\n".join(running.lines)
    assert [answer.status for answer in answers] == [200, 403, 200]


@pytest.fixture
def kept(app: App, tmp_path: Path) -> Callable[..., dict]:
    """A policy whose credentials survive the gateway."""
    (tmp_path / "key").write_text("an encryption key of enough bytes")
    (tmp_path / "key").chmod(0o600)

    def build(**members: object) -> dict:
        store = {"sqlite": str(tmp_path / "store.db"), "encryption_key": f"file:{tmp_path / 'key'}"}
        return app.policy(**{"store": store} | members)

    return build


def stored_bytes(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_answered_survives_the_gateway(ending: int, app: App, gateway: Start, kept, tmp_path: Path) -> None:
    token, newer, older = app.token(app.issue("user-1"), age=19_990), app.issue("user-2"), app.issue("user-2")
    first = gateway(kept())
    assert show(first.port, token).status == 200
    assert show(first.port, app.token(newer, "user-2", age=10)).status == 200
    first.kill() if ending == signal.SIGKILL else first.stop()
    second = gateway(kept())
    assert show(second.port, token).status == 200
    assert show(second.port, app.token(older, "user-2", age=50)).status == 200
    assert show(second.port, app.token(user="user-2")).status == 200
    assert len(app.refreshes) == 1
    assert len(set(app.shown()[0:1] + app.shown()[2:3])) == 1 and app.shown()[3:] == [newer["apiKey"]] * 2
    written = stored_bytes(tmp_path)
    assert written and not [secret for secret in {*app.shown(), *app.refresh_tokens} if secret.encode() in written]


def test_a_kill_during_a_refresh_leaves_the_pair_of_before(app: App, gateway: Start, kept) -> None:
    data = app.issue("user-1")
    token = app.token(data, age=19_990)
    begun, gone = threading.Event(), threading.Event()

    def never(request: Message) -> bytes:
        begun.set()
        gone.wait(20)
        return json_answer({}, "500 Internal Server Error")

    app.exchange = never
    first = gateway(kept())
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(show, first.port, token)
        assert begun.wait(10)
        first.kill()
        gone.set()
        assert asked.exception(10) is not None
    app.exchange = app.renew
    second = gateway(kept())
    assert show(second.port, app.token()).status == 200
    assert [json.loads(request.body)["refreshToken"] for request in app.refreshes] == [data["refreshToken"]] * 2


def test_kills_at_any_moment_lose_no_pair_that_was_used(app: App, gateway: Start, kept) -> None:
    """The app takes each refresh token once: a gateway that forgot one that was answered could not go on."""
    app.lifetime = 0.2
    token = app.token(app.issue("user-1"))
    for round_number in range(4):
        running = gateway(kept(refresh={"cooldown": "1s"}))
        for _ in range(2 + round_number % 2):
            assert show(running.port, token).status == 200
            time.sleep(0.2)
        running.kill()
    assert len(app.refreshes) >= 8


def test_a_store_that_cannot_be_read_shows_nobody_an_old_pair(app: App, gateway: Start, kept, tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"no database at all, but long enough to be looked at as one" * 20)
    plain = app.policy()["routes"][0]
    other = {**plain, "name": "other", "match": {"path": "/other/**"}, "stored_credential": "claims-only"}
    config = kept()
    config["stored_credentials"]["claims-only"] = {"claim": config["stored_credentials"]["app"]["claim"]}
    config["routes"].append(other)
    running = gateway(config)
    token = app.token(app.issue("user-1"))
    refused = show(running.port, token)
    assert (refused.status, reason(refused)) == (503, "store_unavailable")
    assert show(running.port, token, "/other/x").status == 200
