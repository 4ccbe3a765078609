"""Endpoints that are asked to refresh stored credentials and misbehave: other answers, none, too many, answers without end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.certificates import Authority
from harness.client import reason
from harness.embedding import REFRESH_PATH, App, Gate, json_answer, show
from harness.gateway import Gateway
from harness.upstream import Connection, Upstream, answering, ok
from harness.waiting import until

Start = Callable[..., Gateway]


HUGE = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000


@pytest.mark.parametrize("answer", [
    json_answer({"error": "no"}, "400 Bad Request"),
    json_answer({}, "500 Internal Server Error"),
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    ok(b"rubbish"), ok(b"[]"), ok(b'{"apiKey": "a", "apiKey": "b", "refreshToken": "r", "expiresIn": 1}'),
    json_answer({"apiKey": "a", "refreshToken": "", "expiresIn": 20}), json_answer({"apiKey": "a", "refreshToken": "r"}),
    json_answer({"apiKey": "", "refreshToken": "r", "expiresIn": 20}),
    json_answer({"apiKey": "a\r\nX: y", "refreshToken": "r", "expiresIn": 20}),
    json_answer({"apiKey": "a", "refreshToken": "r", "expiresIn": -1}),
    HUGE, b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{",
], ids=range(15))
def test_an_endpoint_that_answers_something_else(answer: bytes, app: App, gateway: Start) -> None:
    running = gateway(app.policy())

    def script(connection: Connection) -> None:
        request = connection.read_request()
        if request and request.target.startswith(REFRESH_PATH):
            app.refreshes.append(request)
            connection.send(answer)
            connection.close()
        elif request:
            connection.send(app.respond(request))

    app.upstream.script = script
    # The old key is good for some seconds: it is used.
    data = app.issue("user-1")
    assert show(running.port, app.token(data, age=19_990)).status == 200
    assert app.shown() == [data["apiKey"]]
    # That of another user has ended.
    gone = app.token(app.issue("user-2"), "user-2", age=20_010)
    refused = show(running.port, gone)
    assert (refused.status, reason(refused)) == (502, "upstream_credential_refresh_failed")
    # It is not tried again at once.
    assert reason(show(running.port, gone)) == "upstream_credential_refresh_failed"
    assert len(app.refreshes) == 2
    running.wait_for_line("stored credential app: ")
    said = "\n".join(running.lines)
    assert data["apiKey"] not in said and data["refreshToken"] not in said


def test_a_slow_endpoint_holds_nobody_longer_than_its_timeout(app: App, gateway: Start) -> None:
    running = gateway(app.policy(refresh={"timeout": "300ms"}))
    gate = Gate(app)
    data = app.issue("user-1")
    assert show(running.port, app.token(data, age=19_990)).status == 200
    assert app.shown() == [data["apiKey"]]
    refused = show(running.port, app.token(app.issue("user-2"), "user-2", age=20_010))
    assert reason(refused) == "upstream_credential_refresh_failed"
    gate.open.set()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drip(connection: Connection, beginning: bytes, piece: bytes, pause: float) -> None:
    """Sends a beginning, then the piece again and again for as long as the gateway listens."""
    with contextlib.suppress(OSError):
        connection.send(beginning)
        while piece:
            connection.send(piece)
            time.sleep(pause)
        connection.await_end()


#: What is sent first, what follows without end, and how often.
ENDLESS = {
    "silence": (b"", b"", 0.05),
    "half a status": (b"HTTP/1.1 2", b"", 0.05),
    "fields without end": (HEAD, b"X-More: yes\r\n", 0.02),
    "a long field": (HEAD + b"X-Long: ", b"x" * 8192, 0),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0),
    "content a byte at a time": (HEAD + b"Content-Length: 20000\r\n\r\n{", b" ", 0.02),
    "content until the close": (HEAD + b"\r\n{", b" " * 8192, 0),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0),
    "chunk extensions": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a=b;" * 1000, 0),
    "a length beyond numbers": (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", b" " * 8192, 0),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_endpoint_that_never_comes_to_an_end(kind: str, app: App, gateway: Start) -> None:
    """It costs its own users the timeout, other users nothing, and the gateway no memory."""
    beginning, piece, pause = ENDLESS[kind]

    def script(connection: Connection) -> None:
        request = connection.read_request()
        if request and request.target.startswith(REFRESH_PATH):
            app.refreshes.append(request)
            drip(connection, beginning, piece, pause)
        elif request:
            connection.send(app.respond(request))

    app.upstream.script = script
    running = gateway(app.policy(refresh={"timeout": "400ms", "cooldown": "1h"}))
    before = running.resident_bytes()
    with ThreadPoolExecutor(41) as pool:
        tokens = [app.token(app.issue(f"gone-{n}"), f"gone-{n}", age=20_010) for n in range(20)]
        refused = [pool.submit(show, running.port, token) for token in tokens * 2]
        until(lambda: app.refreshes, 10, "a refresh")
        # Whose key is good does not wait at all.
        fresh = pool.submit(show, running.port, app.token(app.issue("user-1")))
        assert fresh.result(10).status == 200
        assert {reason(answer.result(30)) for answer in refused} == {"upstream_credential_refresh_failed"}
    assert len(app.refreshes) == 20
    assert running.resident_bytes() < before + 40_000_000


@pytest.mark.parametrize("name", ["127.0.0.1", "other.test"])
def test_an_endpoint_over_tls_has_to_prove_its_name(name: str, app: App, gateway: Start, authority: Authority) -> None:
    secure = Upstream(answering(app.respond), tls=authority.issue(name).server_context())
    try:
        url = f"https://127.0.0.1:{secure.port}{REFRESH_PATH}"
        running = gateway(app.policy(refresh={"url": url, "ca": f"file:{authority.path}"}))
        answer = show(running.port, app.token(app.issue("user-1"), age=20_010))
        if name == "127.0.0.1":
            assert (answer.status, len(app.refreshes)) == (200, 1)
        else:
            # Nothing of the pair was sent.
            assert reason(answer) == "upstream_credential_refresh_failed"
            assert secure.requests == [] and app.refreshes == []
    finally:
        secure.stop()


def test_an_endpoint_nobody_listens_at(app: App, gateway: Start) -> None:
    running = gateway(app.policy(refresh={"url": "http://127.0.0.1:1/refresh"}))
    refused = show(running.port, app.token(app.issue("user-1"), age=20_010))
    assert reason(refused) == "upstream_credential_refresh_failed"
