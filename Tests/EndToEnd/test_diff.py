"""`portcullis diff`: what changed between two policies, in words, and which logged requests it changes."""

from __future__ import annotations

import copy
import json
import ssl
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from harness.certificates import shelf
from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.issuer import SigningKey, jwt_authenticator, key_set
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


def devices(port: int, *records: Json) -> Json:
    read = open_route(name="devices", authenticate=["keys"], authorize={"scopes": ["devices:read"]})
    health = open_route(name="health", match={"path": "/healthz"})
    return policy(port, routes=[read, health], authenticators={"keys": key_authenticator(*records)})


def tightened(config: Json) -> Json:
    other = copy.deepcopy(config)
    other["routes"][0]["authorize"]["scopes"].append("devices:write")
    other["authenticators"]["keys"]["keys"] = [it for it in config["authenticators"]["keys"]["keys"] if it["id"] != "gone"]
    return other


def write(folder: Path, name: str, config: Json) -> str:
    (folder / name).write_text(json.dumps(config, indent=1))
    return name


def test_changes_are_told_in_words_with_their_places(tmp_path: Path) -> None:
    config = devices(9, api_key("ci", scopes=["devices:read"])[1], api_key("gone")[1])
    old, new = write(tmp_path, "old.json", config), write(tmp_path, "new.json", tightened(config))
    done = run_portcullis("diff", old, new, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert 'route devices: now also asks for the scope "devices:write"  new.json:' in done.stdout
    assert "authenticator keys, key gone: is gone  old.json:" in done.stdout
    told = json.loads(run_portcullis("diff", "--json", old, new, folder=tmp_path).stdout)
    assert [it["kind"] for it in told["changes"]] == ["changed", "removed"] and told["requests"] is None
    same = run_portcullis("diff", old, old, folder=tmp_path)
    assert same.returncode == 0 and same.stdout == "nothing is different\n"


def test_logged_requests_that_would_be_answered_differently_are_grouped(gateway: Start, upstream: Origin) -> None:
    ci, record = api_key("ci", scopes=["devices:read"])
    gone, other = api_key("gone", scopes=["devices:read"])
    config = devices(upstream().port, record, other)
    running = gateway(config)
    for _ in range(3):
        assert ask(running.port, "/x?q=1", [f"X-API-Key: {ci}"]).status == 200
    assert ask(running.port, "/y", [f"X-API-Key: {gone}"]).status == 200
    assert ask(running.port, "/y").status == 401
    assert ask(running.port, "/y", ["X-API-Key: wrong"]).status == 401
    assert ask(running.port, "/healthz").status == 200
    assert running.stop() == 0
    log = str(running.access_path)
    write(running.folder, "new.json", tightened(config))
    done = run_portcullis("diff", "--against", log, "gateway.json", "new.json", folder=running.folder)
    assert done.returncode == 1, done.stderr
    assert (
        "route devices: 3 requests let through to up by the route devices, now refused 403 scope_missing" in done.stdout
    )
    assert (
        "route devices: 1 request let through to up by the route devices, now refused 401 credential_unknown"
        in done.stdout
    )
    assert "7 requests in the log: 3 unchanged, 4 different, 0 left aside" in done.stdout
    told = json.loads(
        run_portcullis("diff", "--json", "--against", log, "gateway.json", "new.json", folder=running.folder).stdout
    )
    assert told["requests"]["read"] == 7 and [it["count"] for it in told["requests"]["different"]] == [3, 1]
    same = run_portcullis("diff", "--against", log, "gateway.json", "gateway.json", folder=running.folder)
    assert same.returncode == 0, same.stdout


def replayed(running: Gateway, config: Json, change: Callable[[Json], object]) -> Json:
    """What `diff` says of the log of a gateway that was stopped, with one thing changed in its policy."""
    other = copy.deepcopy(config)
    change(other)
    write(running.folder, "old.json", config)
    write(running.folder, "new.json", other)
    done = run_portcullis("diff", "--json", "--against", str(running.access_path), "old.json", "new.json", folder=running.folder)
    assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)["requests"]
    assert told["read"] == told["unchanged"] + told["left_aside"] + sum(it["count"] for it in told["different"]), told
    assert told["left_aside"] == sum(it["count"] for it in told["aside"])
    return told


def outcome(told: Json) -> tuple[int, dict[str, int], dict[str, int]]:
    different = {it["after"]: it["count"] for it in told["different"]}
    return told["unchanged"], different, {it["cause"]: it["count"] for it in told["aside"]}


def test_a_key_that_is_gone_is_shown_and_unknown(gateway: Start, upstream: Origin) -> None:
    ci, record = api_key("ci")
    route = open_route(authenticate={"optional": ["keys"]})
    config = policy(upstream().port, routes=[route], authenticators={"keys": key_authenticator(record)})
    running = gateway(config)
    assert ask(running.port, "/", [f"X-API-Key: {ci}"]).status == ask(running.port).status == 200
    assert running.stop() == 0
    refused = {"refused 401 credential_unknown": 1}

    def keys(other: Json) -> Json:
        return other["authenticators"]["keys"]

    def another_secret(other: Json) -> None:
        keys(other)["keys"][0]["sha256"] = api_key("ci")[1]["sha256"]

    assert outcome(replayed(running, config, lambda it: keys(it).update(keys=[]))) == (1, refused, {})
    assert outcome(replayed(running, config, another_secret)) == (1, refused, {})
    assert outcome(replayed(running, config, lambda it: keys(it)["keys"][0].update(enabled=False))) == (
        1, {"refused 401 key_disabled": 1}, {},
    )  # fmt: skip
    assert outcome(replayed(running, config, lambda it: it["routes"][0].update(authenticate=["keys"]))) == (
        1, {"refused 401 credential_missing": 1}, {},
    )  # fmt: skip


def test_a_place_that_is_not_looked_at_any_more_holds_no_credential(gateway: Start, upstream: Origin) -> None:
    ci, record = api_key("ci")
    config = policy(
        upstream().port,
        routes=[open_route(authenticate=["keys"])],
        authenticators={"keys": key_authenticator(record) | {"from": ["header:X-API-Key", "bearer"]}},
    )
    running = gateway(config)
    assert ask(running.port, "/", [f"X-API-Key: {ci}"]).status == 200
    assert ask(running.port, "/", [f"Authorization: Bearer {ci}"]).status == 200
    assert {it["source"] for it in running.access_records(2)} == {"header:x-api-key", "bearer"}
    assert running.stop() == 0
    told = replayed(running, config, lambda it: it["authenticators"]["keys"].update({"from": ["bearer"]}))
    assert outcome(told) == (1, {"refused 401 credential_missing": 1}, {})


def test_buckets_are_taken_from_in_the_order_of_the_log(gateway: Start, upstream: Origin) -> None:
    ci, record = api_key("ci")
    config = policy(
        upstream().port,
        routes=[open_route(authenticate=["keys"], limits=["few"])],
        authenticators={"keys": key_authenticator(record)},
        limits={"few": {"requests": 1, "per": "1h", "burst": 5}},
    )
    running = gateway(config)
    statuses = [ask(running.port, "/", [f"X-API-Key: {ci}"]).status for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert running.stop() == 0
    few = {"requests": 1, "per": "1h", "burst": 2}
    assert outcome(replayed(running, config, lambda it: it["limits"].update(few=few))) == (
        3, {"refused 429 rate_limited": 3}, {},
    )  # fmt: skip
    told = replayed(running, config, lambda it: it["routes"][0].update(limits=[]))
    assert outcome(told) == (5, {"let through to up by the route open": 1}, {})
    assert outcome(replayed(running, config, lambda it: it.update(via="other"))) == (6, {}, {})


def test_windows_are_counted_at_the_times_of_the_log(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key("ci")
    window = {"kind": "window", "requests": 5, "per": "1s"}
    config = policy(
        upstream().port,
        routes=[open_route(authenticate=["keys"], limits=["fair"])],
        authenticators={"keys": key_authenticator(record)},
        limits={"fair": window},
    )
    running = gateway(config)
    for _ in range(2):
        assert [ask(running.port, "/", [f"X-API-Key: {secret}"]).status for _ in range(3)] == [200] * 3
        time.sleep(1.2)
    running.access_records(6)
    assert running.stop() == 0
    short = window | {"requests": 2}
    assert outcome(replayed(running, config, lambda it: it["limits"].update(fair=short))) == (4, {"refused 429 rate_limited": 2}, {})
    long = window | {"requests": 2, "per": "1h"}
    assert outcome(replayed(running, config, lambda it: it["limits"].update(fair=long))) == (2, {"refused 429 rate_limited": 4}, {})


def test_what_no_log_has_is_left_aside_and_named(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key("ci")
    port = upstream().port
    config = policy(port, routes=[open_route()], authenticators={"keys": key_authenticator(record)})
    running = gateway(config)
    assert ask(running.port, "/", ["X-Version: 2", "Accept: application/json", f"X-API-Key: {secret}"]).status == 200
    assert running.stop() == 0

    def change(**members: object) -> tuple[int, dict[str, int], dict[str, int]]:
        return outcome(replayed(running, config, lambda it: it["routes"][0].update(members)))

    other = open_route(name="second", match={"path": "/**", "headers": {"X-Version": "2"}}, authenticate=["keys"])
    assert outcome(replayed(running, config, lambda it: it["routes"].append(other))) == (0, {}, {'the header "X-Version"': 1})
    assert change(match={"path": "/**", "headers": {"X-Version": "2"}}) == (0, {}, {'the header "X-Version"': 1})
    assert change(accept=["application/json"]) == (0, {}, {"the header Accept": 1})
    assert change(authenticate=["keys"]) == (0, {}, {"whether a credential was shown": 1})
    assert change(content_types=["text/plain"]) == change(body_bytes="1B") == (1, {}, {})
    assert change(https_only=True) == (0, {"refused 403 https_required": 1}, {})


def test_the_scopes_and_claims_of_a_token_are_in_no_log(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("ES256", "k")
    route = open_route(authenticate=["tokens"], authorize={"scopes": ["a"]})
    config = policy(
        upstream().port,
        routes=[route],
        authenticators={"tokens": jwt_authenticator("ES256")},
        key_sets={"issuer": {"keys": json.loads(key_set(key))["keys"]}},
    )
    running = gateway(config)
    assert ask(running.port, "/", [f"Authorization: Bearer {key.token(scope='a b')}"]).status == 200
    assert ask(running.port, "/", [f"Authorization: Bearer {key.token(scope='a')[:-6]}AAAAAA"]).status == 401
    assert running.stop() == 0

    def change(change: Callable[[Json], object]) -> tuple[int, dict[str, int], dict[str, int]]:
        return outcome(replayed(running, config, change))

    assert change(lambda it: it["routes"][0]["authorize"].update(scopes=["a", "b"])) == (1, {}, {"the scopes of the token": 1})
    assert change(lambda it: it["routes"][0]["authorize"].update(claims={"/x": "1"})) == (1, {}, {"the claims of the token": 1})
    assert change(lambda it: it["authenticators"]["tokens"].update(audiences=["other"])) == (0, {}, {"the claims of the token": 2})
    assert change(lambda it: it["routes"][0].update(authenticate="none", authorize={}))[0] == 1
    assert change(lambda it: it["routes"][0]["authorize"].update(deny_ips=["127.0.0.0/8"]))[1] == {
        "refused 403 address_not_allowed": 1
    }


def test_requests_that_came_over_tls_stay_with_https_only(gateway: Start, upstream: Origin) -> None:
    config = policy(upstream().port)
    config["listeners"].append({"address": "127.0.0.2:0", "tls": shelf().listener})
    running = gateway(config)
    trusting = ssl.create_default_context(cafile=str(shelf().authority.path))
    trusting.check_hostname = False
    assert ask(running.ports[0]).status == 200
    with urllib.request.urlopen(f"https://127.0.0.2:{running.ports[1]}/", context=trusting) as answer:
        assert answer.status == 200
    assert sorted(it["scheme"] for it in running.access_records(2)) == ["http", "https"]
    assert running.stop() == 0
    told = replayed(running, config, lambda it: it.update(https_only=True))
    assert outcome(told) == (1, {"refused 403 https_required": 1}, {})


def test_what_cannot_be_compared_is_one_clear_line(tmp_path: Path) -> None:
    old = write(tmp_path, "old.json", policy(9))
    assert run_portcullis("diff", old, "none.json", folder=tmp_path).returncode == 2
    (tmp_path / "broken.json").write_text("{")
    done = run_portcullis("diff", old, "broken.json", folder=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("broken.json:1:") and done.stderr.count("\n") == 1
    (tmp_path / "log").write_text('\n{"time":"2026-01-01T00:00:00Z"}\n')
    done = run_portcullis("diff", "--against", "log", old, old, folder=tmp_path)
    assert done.returncode == 2 and 'log:2: no access record of this version: its "request_id"' in done.stderr
    assert run_portcullis("diff", "--against", "nothing", old, old, folder=tmp_path).returncode == 2
