"""`portcullis explain` and the admin listener's `/explain` and `/requests`: they say what the gateway does, and nothing secret."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.issuer import SigningKey, jwt_authenticator, key_set
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


def explained(running: Gateway, document: Json | str) -> Json:
    text = document if isinstance(document, str) else json.dumps(document)
    answer = ask(running.admin_port, "/explain", method="POST", body=text.encode())
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def step(told: Json, name: str) -> Json:
    return next(it for it in told["steps"] if it["step"] == name)


def scoped(port: int, **members: object) -> tuple[str, Json]:
    secret, record = api_key(scopes=["read"])
    route = open_route(name="read", authenticate=["keys"], authorize={"scopes": ["read", "write"]})
    return secret, policy(port, routes=[route], authenticators={"keys": key_authenticator(record)}, **members)


def test_a_refusal_names_the_line_to_change(tmp_path: Path) -> None:
    secret, config = scoped(9)
    path = tmp_path / "gateway.json"
    path.write_text(json.dumps(config, indent=1))
    done = run_portcullis("explain", "--config", str(path), "http://a.test/x", "-H", f"X-API-Key: {secret}")
    assert done.returncode == 1, done.stderr
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if '"write"' in text)
    assert f"refused: 403 scope_missing by {path}:{line}:" in done.stdout
    assert "routes[0].authorize.scopes[1]" in done.stdout
    assert secret not in done.stdout + done.stderr and "\x1b[" not in done.stdout


def test_a_pasted_curl_line_and_a_captured_head_are_requests(tmp_path: Path) -> None:
    secret, config = scoped(9)
    config["routes"][0]["authorize"]["scopes"] = ["read"]
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    pasted = f"curl -sS 'http://a.test/x?q=1' \\\n  -H 'X-API-Key: {secret}' --data-raw '{{\"a\":1}}'"
    done = run_portcullis("explain", "--json", "--curl", pasted, "--from", "198.51.100.7", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["request"], told["outcome"], told["from"]) == ("POST a.test/x?q=1", "forwarded", "198.51.100.7")
    fields = dict(told["forwarded"]["fields"])
    assert fields["X-Auth-Subject"] == "ci@acme" and fields["X-Forwarded-For"] == "198.51.100.7"
    assert "X-API-Key" not in fields
    head = f"GET /x HTTP/1.1\nHost: a.test\nAuthorization: Bearer {secret}\n"
    done = run_portcullis("explain", "--at", "2100-01-01T00:00:00Z", folder=tmp_path, given=head)
    assert done.returncode == 1 and "refused: 401 key_expired" in done.stdout and secret not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http://a/", "--at", "noon"], '"noon" is no moment'),
        (["http://a/", "--at=-9223372036854775808"], "is not between 1970-01-01 and 2262-04-11"),
        (["http://a/", "--body-bytes=-1"], "is no number of bytes"),
        (["http://a/", "--from", "here"], '"here" is no address'),
        (["ftp://a/"], "no http or https URL"),
        (["--curl", "curl --frobnicate http://a"], "--frobnicate is not known"),
        (["--curl", "curl 'http://a"], "is not closed"),
        (["--request-id", "no id"], "is no request id"),
        (["--curl", "curl http://a", "-H", "X-A: b"], "-H goes with a URL"),
        (["--curl", "curl http://a", "-X", "POST", "--body-bytes", "1"], "-X, --body-bytes goes with a URL"),
        (["-H", "X-A: b"], "-H goes with a URL"),
        (["--request-id", "rq_1", "http://a/"], "leave out the other request"),
        (["--request-id", "rq_1", "--at", "1"], "leave out --at"),
        ([], "standard input is empty"),
    ],
)
def test_what_cannot_be_explained_is_one_clear_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9)))
    done = run_portcullis("explain", *arguments, folder=tmp_path, given="")
    assert done.returncode == 2 and done.stdout == ""
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_a_header_behind_its_option_without_a_blank_is_no_unknown_option(tmp_path: Path) -> None:
    secret, config = scoped(9)
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    done = run_portcullis("explain", "http://a/", "-XPUT", f"-HX-API-Key:{secret}", folder=tmp_path)
    assert done.returncode == 1 and done.stdout.startswith("PUT a/ ") and "scope_missing" in done.stdout
    assert secret not in done.stdout + done.stderr


def test_a_broken_file_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text('{"listeners": [],\n "routes": }')
    done = run_portcullis("explain", "http://a/", folder=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("gateway.json:2:10:") and done.stderr.count("\n") == 1
    assert run_portcullis("explain", "--config", "none.json", "http://a/", folder=tmp_path).returncode == 2


def test_a_logged_request_is_found_by_its_id(gateway: Start, upstream: Origin) -> None:
    secret, config = scoped(upstream().port)
    running = gateway(config)
    refused = ask(running.port, "/x", [f"X-API-Key: {secret}"])
    assert refused.status == 403
    request_id = refused.value("x-request-id")
    found = json.loads(running.admin(f"/requests/{request_id}"))
    assert (found["request_id"], found["reason"], found["credential"]) == (request_id, "scope_missing", "ci")
    assert ask(running.admin_port, "/requests/rq_unknown").status == 404
    seen = json.loads(running.text(config)) | {"admin": {"address": f"127.0.0.1:{running.admin_port}"}}
    asked = running.folder / "asked.json"
    asked.write_text(json.dumps(seen, indent=1))
    done = run_portcullis("explain", "--config", str(asked), "--request-id", request_id)
    assert done.returncode == 1 and "refused: 403 scope_missing by the route read by " in done.stdout
    assert "(routes[0].authorize.scopes)" in done.stdout
    assert 'ok scope "read"' in done.stdout and 'NO scope "write"' in done.stdout and "GET" in done.stdout
    unknown = ask(running.port, "/x", ["X-API-Key: none"]).value("x-request-id")
    done = run_portcullis("explain", "--config", str(asked), "--request-id", unknown, "--json")
    told = json.loads(done.stdout)["explanation"]
    assert done.returncode == 1 and told["reason"] == "credential_unknown" and step(told, "identity")["verdict"] == "failed"
    done = run_portcullis("explain", "--config", str(asked), "--request-id", "rq_unknown")
    assert done.returncode == 2 and "has no record of rq_unknown" in done.stderr


def logged(running: Gateway, config: Json, request_id: str) -> Json:
    """What `explain --request-id` says, asked by a copy of the policy that knows where the admin listener is."""
    seen = json.loads(running.text(config))
    seen["admin"] = seen.get("admin", {}) | {"address": f"127.0.0.1:{running.admin_port}"}
    asked = running.folder / "asked.json"
    asked.write_text(json.dumps(seen, indent=1))
    done = run_portcullis("explain", "--config", str(asked), "--request-id", request_id, "--json")
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_what_is_asked_most_has_its_steps(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("ES256", "k")
    origin = upstream()
    secret, record = api_key(scopes=["read"])
    config = policy(
        origin.port,
        routes=[
            open_route(name="keys", match={"path": "/keys"}, authenticate=["keys"], limits=["one"]),
            open_route(name="tokens", match={"path": "/tokens"}, authenticate=["tokens"], authorize={"scopes": ["a"]}),
            open_route(name="gone", match={"path": "/gone"}),
        ],
        authenticators={"keys": key_authenticator(record), "tokens": jwt_authenticator("ES256")},
        key_sets={"issuer": {"keys": json.loads(key_set(key))["keys"]}},
        limits={"one": {"requests": 1, "per": "1h", "burst": 1}},
    )
    running = gateway(config)
    assert ask(running.port, "/keys", [f"X-API-Key: {secret}"]).status == 200
    expired = key.token(exp=1_600_000_000)
    asked = [
        ("/keys", [f"X-API-Key: {secret}"], "rate_limited", "limits"),
        ("/keys", ["X-API-Key: wrong"], "credential_unknown", "identity"),
        ("/keys", [], "credential_missing", "credential"),
        ("/tokens", [f"Authorization: Bearer {expired}"], "token_expired", "identity"),
        ("/tokens", [f"Authorization: Bearer {key.token(scope='a')[:-6]}AAAAAA"], "token_signature_invalid", "identity"),
        ("/tokens", [f"Authorization: Bearer {key.token(scope='b')}"], "scope_missing", "authorization"),
        ("/%zz", [], "target_invalid", "request"),
        ("/none", [], "route_not_found", "route"),
    ]
    ids = [ask(running.port, path, fields).value("x-request-id") for path, fields, _, _ in asked]
    origin.stop()
    ids.append(ask(running.port, "/gone").value("x-request-id"))
    asked.append(("/gone", [], "upstream_unreachable", "upstream"))
    for (path, _, reason, failing), request_id in zip(asked, ids, strict=True):
        told = logged(running, config, request_id)
        assert told["record"]["reason"] == reason, told["record"]
        explanation = told["explanation"]
        assert (explanation["reason"], explanation["outcome"]) == (reason, "refused"), path
        assert step(explanation, failing)["verdict"] == "failed", explanation["steps"]
        names = [it["step"] for it in explanation["steps"]]
        verdicts = {it["step"]: it["verdict"] for it in explanation["steps"]}
        assert {verdicts[name] for name in names[: names.index(failing)]} <= {"passed"}
        assert {verdicts[name] for name in names[names.index(failing) + 1 :]} <= {"not_reached"}
        assert explanation["status"] == told["record"]["status"], (path, explanation["status"])


def test_an_admin_listener_that_wants_its_token_is_shown_it(gateway: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_TOKEN", "t" * 40)
    config = policy(9)
    config["admin"] = config.get("admin", {}) | {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}
    running = gateway(config)
    request_id = ask(running.port, "/").value("x-request-id")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        seen: list[bytes] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, socket.create_connection(("127.0.0.1", running.admin_port)) as admin:
                seen.append(connection.recv(65_536))
                admin.sendall(seen[0])
                while piece := admin.recv(65_536):
                    connection.sendall(piece)

        thread = threading.Thread(target=answer)
        thread.start()
        config["admin"]["address"] = f"127.0.0.1:{port}"
        (running.folder / "asked.json").write_text(json.dumps(config))
        done = run_portcullis("explain", "--config", "asked.json", "--request-id", request_id, folder=running.folder)
        thread.join()
    assert done.returncode == 1 and "upstream_unreachable" in done.stdout, done.stderr
    assert b"\r\nAuthorization: Bearer " + b"t" * 40 + b"\r\n" in seen[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "http://a/", "a-secret"], "There is an argument too many"),
        (["explain", "--frob=a-secret"], "Unknown option '--frob'"),
        (["explain", "http://a/", "--body-bytes", "a-secret"], "A value is invalid for '--body-bytes"),
        (["a-secret"], "There is no such command"),
        (["key", "a-secret"], "There is no such command"),
    ],
)
def test_a_wrong_command_line_is_one_line_without_its_values(arguments: list[str], said: str) -> None:
    done = run_portcullis(*arguments)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert "a-secret" not in done.stdout + done.stderr and "--help" in done.stderr


def test_records_are_not_kept_without_a_log(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, access_log="off"))
    request_id = ask(running.port, "/").value("x-request-id")
    answer = ask(running.admin_port, f"/requests/{request_id}")
    assert answer.status == 404 and b"access log is off" in answer.body


def test_the_admin_listener_explains_with_what_is_left_and_takes_nothing(gateway: Start, upstream: Origin) -> None:
    limits = {"few": {"requests": 2, "per": "1h", "burst": 2, "by": "address"}}
    running = gateway(policy(upstream().port, routes=[open_route(limits=["few"])], limits=limits))
    document = {"url": f"http://127.0.0.1:{running.port}/", "from": "127.0.0.1"}
    for left in (2, 1):
        for _ in range(3):
            told = explained(running, document)
            assert f"{left} left before, {left - 1} after" in step(told, "limits")["checks"][0]["text"]
        assert ask(running.port, "/").status == 200
    assert explained(running, f"curl http://127.0.0.1:{running.port}/")["reason"] == "rate_limited"
    assert ask(running.port, "/").status == 429


def test_the_admin_listener_explains_what_is_left_of_a_window(gateway: Start, upstream: Origin) -> None:
    window = {"kind": "window", "requests": 3, "per": "1h", "by": "address"}
    running = gateway(policy(upstream().port, routes=[open_route(limits=["few"])], limits={"few": window}))
    document = {"url": f"http://127.0.0.1:{running.port}/", "from": "127.0.0.1"}
    for left in (3, 2, 1):
        for _ in range(2):
            (check,) = step(explained(running, document), "limits")["checks"]
            assert check["text"] == f"few (3 in a window of 1h): {left} left before, {left - 1} after"
        assert ask(running.port, "/").status == 200
    told = explained(running, document)
    assert told["reason"] == "rate_limited"
    (check,) = step(told, "limits")["checks"]
    assert check["text"].startswith("few (3 in a window of 1h): used up; the window ends in 3")


def test_the_admin_listener_explains_in_text_to_who_accepts_that(gateway: Start) -> None:
    running = gateway(policy(9))
    line = f"curl http://127.0.0.1:{running.port}/".encode()
    answer = ask(running.admin_port, "/explain", ["Accept: text/plain"], method="POST", body=line)
    assert answer.status == 200 and answer.value("content-type") == "text/plain; charset=utf-8"
    assert answer.body.startswith(f"GET 127.0.0.1:{running.port}/ from 127.0.0.1 at ".encode())
    assert b"forwarded to up by the route open" in answer.body and b"\x1b" not in answer.body
    answer = ask(running.admin_port, "/explain", ["Accept: text/plain"], method="POST", body=b"wget http://a")
    assert (answer.status, answer.body) == (400, b'"wget" is not curl\n')


@pytest.mark.parametrize("body", ["", "{", '{"uri":"http://a"}', "wget http://a", '{"url":"http://a","at":"noon"}'])
def test_a_bad_document_is_answered_400_with_a_line(body: str, gateway: Start) -> None:
    running = gateway(policy(9))
    answer = ask(running.admin_port, "/explain", method="POST", body=body.encode())
    assert answer.status == 400 and "\n" not in json.loads(answer.body)["error"]


@pytest.mark.parametrize("moment", ["-9223372036854775808", "9223372036854775807", "-1", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_moment_beyond_the_clock_ends_no_process_and_is_not_another(moment: str, gateway: Start) -> None:
    running = gateway(policy(9))
    for at in [moment, int(moment)] if moment.lstrip("-").isdigit() else [moment]:
        answer = ask(running.admin_port, "/explain", method="POST", body=json.dumps({"url": "http://a/", "at": at}).encode())
        assert answer.status == 400 and "is not between 1970-01-01 and 2262-04-11" in json.loads(answer.body)["error"]
    for at in (0, 9_223_372_036, "2262-04-11T23:47:16.85Z"):
        assert explained(running, {"url": "http://a/", "at": at, "body_bytes": 2**63 - 1})["at"].startswith(("1970", "2262"))


def test_a_document_is_bounded(gateway: Start) -> None:
    running = gateway(policy(9))
    assert ask(running.admin_port, "/explain", method="POST", body=b"x" * 300_000).status == 413
    assert ask(running.admin_port, "/healthz").status == 200


STORED: Json = {
    "store": {"sqlite": "p.db", "encryption_key": "env:STORE_KEY"},
    "key_sets": {"own": {"stored": True}},
    "authenticators": {
        "keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True},
        "made": {"type": "jwt", "from": ["bearer"], "algorithms": ["HS256"], "key_set": "own", "subject_claim": "/sub"},
    },
}


def test_credentials_of_the_store_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_KEY", "k" * 32)
    route = open_route(authenticate=["keys", "made"], authorize={"scopes": ["read"]})
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9, routes=[route]) | STORED))

    def explain(field: str) -> Json:
        return json.loads(run_portcullis("explain", "--json", "http://a/", "-H", field, folder=tmp_path).stdout)

    told = explain("X-API-Key: none")
    assert told["reason"] == "credential_unknown" and any("is not there yet" in it for it in told["remarks"])
    assert not (tmp_path / "p.db").exists()
    made = run_portcullis("key", "create", "--name", "ci", "--scopes", "read", "--json", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    secret = next(it for it in json.loads(made.stdout).values() if isinstance(it, str) and len(it) > 30)
    told = explain(f"X-API-Key: {secret}")
    assert told["outcome"] == "forwarded" and "scopes read" in str(step(told, "identity")), told
    minted = run_portcullis("token", "mint", "--key-set", "own", "--subject", "u", folder=tmp_path)
    told = explain(f"Authorization: Bearer {minted.stdout.split()[-1]}")
    assert told["reason"] == "scope_missing" and "subject \\\"u\\\"" in json.dumps(step(told, "identity")), told
    monkeypatch.setenv("STORE_KEY", "x" * 32)
    told = explain(f"X-API-Key: {secret}")
    assert told["reason"] == "store_unavailable" and any("the store cannot be read" in it for it in told["remarks"])


def test_what_is_shown_to_an_upstream_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER", "the-partners-word")
    route = open_route(request_headers={"set": {"X-Partner": {"secret": "env:PARTNER"}}})
    test = {"name": "t", "request": "GET /", "expect": {"request_headers": {"X-Partner": "another"}}}
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9, routes=[route], tests=[test])))
    done = run_portcullis("explain", "http://a/", folder=tmp_path)
    assert done.returncode == 0 and "X-Partner: …" in done.stdout and "the-partners-word" not in done.stdout
    done = run_portcullis("test", folder=tmp_path)
    assert done.returncode == 1 and "…" in done.stdout and "the-partners-word" not in done.stdout + done.stderr


def test_nothing_of_a_policy_file_is_fetched_offline(tmp_path: Path) -> None:
    config = policy(
        9,
        routes=[open_route(authenticate=["jwt"])],
        key_sets={"issuer": {"url": "http://127.0.0.1:9/keys"}},
        authenticators={"jwt": {"type": "jwt", "issuer": "i", "audiences": ["a"], "algorithms": ["ES256"], "key_set": "issuer"}},
    )
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    told = json.loads(run_portcullis("explain", "--offline", "--json", "http://a/", folder=tmp_path).stdout)
    assert "not fetched: the key set issuer" in told["remarks"] and told["reason"] == "credential_missing"


def test_a_page_of_another_origin_may_not_ask(gateway: Start) -> None:
    running = gateway(policy(9))
    own = f"127.0.0.1:{running.admin_port}"

    def asked(path: str, *origins: str) -> int:
        fields = [f"Origin: {origin}" for origin in origins]
        return ask(running.admin_port, path, fields, method="POST", body=b"curl http://a/", host=own).status

    for path in ("/explain", "/key_sets/none/refresh", "/v1/users"):
        for origin in ("http://evil.test", "null", "", f"http://{own}0", "http://127.0.0.1", f"http://evil.test/{own}", own):
            assert asked(path, origin) == 403, (path, origin)
        assert asked(path, f"http://{own}", "http://evil.test") == 403
    assert asked("/explain") == asked("/explain", f"http://{own}") == 200
    assert asked("/key_sets/none/refresh", f"http://{own}") == 404


def test_a_credential_that_stands_elsewhere_too_is_masked_there(tmp_path: Path) -> None:
    secret, config = scoped(9)
    config["routes"][0]["authorize"]["scopes"] = ["read"]
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    fields = [f"X-API-Key: {secret}", f"Referer: http://r/?a=1&api_key={secret}&b=2", f"X-Copy: <{secret}>"]
    fields += ["Authorization: Basic dTpodW50ZXIgMjI=", "X-Login: u hunter 22 hunter%2022", "X-Other: http://o/?token=nowhere-else"]
    headers = [word for field in fields for word in ("-H", field)]
    for form in ([], ["--json"]):
        done = run_portcullis("explain", *form, f"http://a/x/{secret}?x[]={secret}&y={secret}z", *headers, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        for hidden in (secret, "hunter", "nowhere-else", "dTpodW"):
            assert hidden not in done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["request"] == "GET a/x/…?x[]=…&y=…z"
    seen = dict(told["forwarded"]["fields"])
    assert seen["Referer"] == "http://r/?a=1&api_key=…&b=2" and seen["X-Copy"] == "<…>" and seen["X-Login"] == "u … …"


@pytest.mark.parametrize(
    ("reason", "member", "written"),
    [
        ("key_expired", "expires_at", {"expires_at": "2020-01-01T00:00:00Z"}),
        ("key_not_yet_valid", "not_before", {"not_before": "2200-01-01T00:00:00Z"}),
        ("key_disabled", "enabled", {"enabled": False}),
        ("key_expired", "secrets[0].expires_at", {"secrets": [{"expires_at": "2020-01-01T00:00:00Z"}]}),
    ],
)
def test_a_key_that_may_not_be_used_is_named_by_its_record(
    reason: str, member: str, written: Json, gateway: Start, upstream: Origin
) -> None:
    secret, config = scoped(upstream().port)
    record = config["authenticators"]["keys"]["keys"][0]
    if "secrets" in written:
        written = {"secrets": [written["secrets"][0] | {"sha256": record.pop("sha256")}]}
    record.pop("expires_at", None)
    record |= written
    running = gateway(config)
    told = explained(running, {"url": "http://a/", "headers": {"X-API-Key": secret}})
    rule = f"authenticators.keys.keys[0].{member}"
    assert (told["reason"], told["rule"]["path"]) == (reason, rule)
    assert 'key "ci" of keys' in step(told, "identity")["checks"][0]["text"]
    seen = json.loads(running.text(config)) | {"admin": {"address": f"127.0.0.1:{running.admin_port}"}}
    asked = running.folder / "asked.json"
    asked.write_text(json.dumps(seen, indent=1))
    request_id = ask(running.port, "/", [f"X-API-Key: {secret}"]).value("x-request-id")
    done = run_portcullis("explain", "--config", str(asked), "--request-id", request_id)
    assert done.returncode == 1 and f"({rule})" in done.stdout, done.stdout


def test_a_mistyped_word_before_anything_is_a_near_miss(gateway: Start) -> None:
    running = gateway(policy(9, routes=[open_route(name=name, match={"path": f"/{name}/**"}) for name in ("orders", "far")]))
    for path in ("/order/7", "/order/7/lines/1", "/order"):
        told = explained(running, {"url": f"http://a{path}"})
        assert told["reason"] == "route_not_found" and told["rule"]["path"] == "routes[0].match.path", told["rule"]
        texts = [check["text"] for check in step(told, "route")["checks"]]
        assert any('not "orders": in /orders/**, "order" is not "orders"' in text for text in texts)
        assert not any('"far"' in text for text in texts)
