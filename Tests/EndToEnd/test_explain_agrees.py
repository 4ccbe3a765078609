"""What `explain` says is what the gateway does: random requests under random policies, over real sockets."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from harness.certificates import shelf
from harness.client import ask
from harness.gateway import Gateway
from harness.issuer import SigningKey, jwt_authenticator, key_set
from harness.messages import Message
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.protocols import PROTOCOLS, spoken
from harness.server import free_ports
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

POLICIES = 10
PATHS = ["/**", "/a", "/a/{x}", "/a/b", "/a/**", "/{x}/b", "/c/", "/d/{x}/e"]
SEGMENTS = ["a", "b", "c", "d", "e", "", ".", "..", "%61", "x%2Fy", "%zz"]
SCOPES = ["a", "b", "c"]
TYPES = ["application/json", "text/plain"]
CONTENT_TYPES = [
    *TYPES, "application/x-www-form-urlencoded", "application/json; charset=utf-8", "application/json; charset=cp037",
    "multipart/form-data",
    "application/json, text/plain",
]  # fmt: skip
#: What pages of other origins may do.
CORS = [
    {"origins": ["*"]}, {"origins": ["https://app.example"], "credentials": True}, {"origins": ["*"], "methods": ["*"], "max_age": "1m"},
    {"origins": ["https://*.example"], "methods": ["PUT"], "headers": ["X-Any"], "expose": ["X-Route"]}, "upstream", None,
]  # fmt: skip
#: Either side of "4B", and of what the gateway reads itself.
LENGTHS = [0, 0, 0, 3, 10, 65_536, 65_537]
KEY = SigningKey("ES256", "k")


def random_keys(chance: random.Random) -> tuple[list[str], list[Json]]:
    secrets, records = [], []
    for number in range(4):
        members: Json = {"scopes": chance.sample(SCOPES, chance.randint(0, 3))}
        if chance.random() < 0.3:
            members["allow_ips"] = [chance.choice(["127.0.0.0/8", "10.0.0.0/8"])]
        if chance.random() < 0.2:
            members["enabled"] = False
        if chance.random() < 0.2:
            members["expires_at"] = "2020-01-01T00:00:00Z"
        if chance.random() < 0.3:
            members["realm"] = "rl_1"
        secret, record = api_key(f"key-{number}", **members)
        secrets.append(secret)
        records.append(record)
    return secrets, records


def random_route(chance: random.Random, number: int, path: str) -> Json:
    asked = chance.choice(["none", ["keys"], ["keys", "tokens"], ["tokens"], {"optional": ["keys"]}])
    route = open_route(name=f"route-{number}", match={"path": path}, authenticate=asked)
    route["request_headers"] = {"set": {"X-Route": "{route}"}}
    route["response_headers"] = {"set": {"X-Route": "{route}"}}
    if chance.random() < 0.4:
        route["match"]["methods"] = chance.sample(["GET", "POST", "PUT"], 2)
    if chance.random() < 0.2:
        route["match"]["hosts"] = [chance.choice(["gw.test", "*.gw.test"])]
    if isinstance(asked, list) and chance.random() < 0.6:
        route["authorize"] = {"scopes": chance.sample(SCOPES, chance.randint(1, 2))}
        if "{x}" in path and chance.random() < 0.5:
            route["authorize"]["claims"] = {"/x": "{path.x}"}
    if chance.random() < 0.2:
        route.setdefault("authorize", {})[chance.choice(["allow_ips", "deny_ips"])] = ["127.0.0.0/8"]
    optional: list[tuple[float, str, object]] = [
        (0.2, "body_bytes", "4B"), (0.15, "https_only", True), (0.2, "accept", ["application/json"]),
        (0.2, "content_types", ["application/json"]), (0.2, "realm", {"header": "X-Realm", "required": chance.random() < 0.5}),
        (0.3, "limits", ["few"]), (0.15, "mode", "shadow"), (0.15, "upgrade", ["websocket"]),
        (0.3, "realm", {"header": "X-Realm", "parameter": "realm", "content": True, "required": False}),
        (0.3, "cors", chance.choice(CORS)),
    ]  # fmt: skip
    for likelihood, member, value in optional:
        # A route that asks for nothing has no shadow to throw.
        if chance.random() < likelihood and (member != "mode" or asked != "none"):
            route[member] = value
    # Neither tells for sure in shadow mode.
    if route.get("realm", {}).get("content") and route.get("mode"):
        del route["mode"]
    return route


def random_policy(chance: random.Random, port: int, ports: list[int]) -> tuple[Json, list[str]]:
    """Routes that overlap, with rules drawn by lot, and the secrets of its keys."""
    secrets, records = random_keys(chance)
    routes = [random_route(chance, number, path) for number, path in enumerate(chance.sample(PATHS, 5))]
    authenticators = {"keys": key_authenticator(*records), "tokens": jwt_authenticator("ES256", leeway="30s")}
    config = policy(port, routes=routes, authenticators=authenticators, access_log="off", failure_budget="off")
    config["listeners"] = [
        {"address": f"127.0.0.1:{ports[0]}"},
        {"address": f"127.0.0.1:{ports[1]}", "tls": shelf().listener, "protocols": ["http/1.1"]},
        {"address": f"127.0.0.1:{ports[2]}"},
        {"address": f"127.0.0.1:{ports[3]}", "tls": shelf().listener},
    ]
    config["key_sets"] = {"issuer": {"keys": json.loads(key_set(KEY))["keys"]}}
    config["limits"] = {"few": {"requests": 30, "per": "1h", "burst": 30, "by": chance.choice(["identity", "address"])}}
    if chance.random() < 0.5:
        config["trusted_proxies"] = ["127.0.0.0/8"]
    if chance.random() < 0.5:
        config["cors"] = chance.choice(CORS[:-1])
    config["paths"] = {"dot_segments": chance.choice(["reject", "remove"]), "empty_segments": chance.choice(["merge", "reject"])}
    return config, secrets


def random_token(chance: random.Random) -> str:
    claims: Json = {"scope": " ".join(chance.sample(SCOPES, chance.randint(0, 3))), "x": chance.choice(SEGMENTS)}
    if chance.random() < 0.2:
        claims["exp"] = 1_600_000_000
    if chance.random() < 0.2:
        claims["ips"] = [chance.choice(["127.0.0.0/8", "10.0.0.0/8"])]
    token = KEY.token(**claims)
    return token[:-4] + "AAAA" if chance.random() < 0.1 else token


def random_request(chance: random.Random, secrets: list[str]) -> tuple[str, str, dict[str, str], bytes]:
    target = "/" + "/".join(chance.choice(SEGMENTS) for _ in range(chance.randint(0, 3))) + chance.choice(["", "", "?q=1"])
    fields = {"Host": chance.choice(["gw.test", "x.gw.test", "other.test"])}
    shown = chance.choice(["", "key", "key", "bearer", "token", "token", "X-API-Key: wrong", "Authorization: Basic eA=="])
    if shown == "key":
        fields["X-API-Key"] = chance.choice(secrets)
    elif shown in ("bearer", "token"):
        fields["Authorization"] = "Bearer " + (chance.choice(secrets) if shown == "bearer" else random_token(chance))
    elif shown:
        name, fields_value = shown.split(": ")
        fields[name] = fields_value
    # Text that is JSON and a form, and names no realm: what is in content, `explain` is not given.
    length = chance.choice(LENGTHS)
    body = b'{"x":"%s"}' % (b"0" * (length - 8)) if length >= 8 else b"x=1"[:length]
    if body and chance.random() < 0.8:
        fields["Content-Type"] = chance.choice(CONTENT_TYPES if length >= 8 else TYPES[1:])
    if body and chance.random() < 0.1:
        fields["Content-Encoding"] = chance.choice(["gzip", "identity"])
    if chance.random() < 0.1:
        fields["Expect"] = chance.choice(["100-continue", "100-continue", "nonsense"])
    for name, value in (("Accept", TYPES), ("X-Realm", ["rl_1", "rl_2"]), ("X-Forwarded-For", ["10.1.2.3", "192.0.2.1"])):
        if chance.random() < 0.4:
            fields[name] = chance.choice(value)
    method = chance.choice(["POST", "POST", "PUT", "GET"]) if body else chance.choice(["GET", "GET", "PUT", "DELETE", "POST", "OPTIONS"])
    if chance.random() < 0.4:
        fields["Origin"] = chance.choice(["https://app.example", "https://other.example", "https://evil.test", "null"])
    if method == "OPTIONS" and chance.random() < 0.8:
        fields["Access-Control-Request-Method"] = chance.choice(["GET", "PUT", "POST", "DELETE", "P T"])
        fields["Access-Control-Request-Headers"] = "x-api-key,x-any"
    return method, target, fields, body


def random_upgrade(chance: random.Random) -> dict[str, str]:
    """Fields that ask for another protocol, in a good handshake or a bad one."""
    fields = {"Connection": "Upgrade", "Upgrade": chance.choice(["websocket", "websocket", "other"]), "Sec-WebSocket-Version": "13"}
    if chance.random() < 0.7:
        fields["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    return fields


#: What differs from request to request, or tells what is left in buckets to the second.
VARYING = {"x-request-id", "traceparent", "date", "content-length", "connection", "retry-after", "x-ratelimit-reset"}
#: Fields of the connection, which the one to the upstream makes anew.
OF_CONNECTION = ("transfer-encoding", "te", "upgrade", "via")


def lines(fields: list[tuple[str, str]], *but: str) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in fields if name.lower() not in VARYING | set(but))


def is_masked(said: str, sent: str) -> bool:
    """The explanation's value is the real one, credentials in it masked."""
    return said == sent or "…" in said and all(part in sent for part in said.split("…"))


def check_forwarded(told: Json, sent: Message, case: str) -> None:
    """What the upstream got is what the explanation says it would get."""
    assert told["forwarded"]["start"] == f"{sent.method} {sent.target}", case
    said, got = lines(told["forwarded"]["fields"], *OF_CONNECTION), lines(sent.fields, *OF_CONNECTION)
    assert [name for name, _ in said] == [name for name, _ in got], f"{said} {got} {case}"
    # Lines of one name may change places when they are masked.
    assert all(is_masked(a, b) for (_, a), (_, b) in zip(said, got, strict=True)), f"{said} {got} {case}"


def check_answer(told: Json, answer: Message, case: str) -> None:
    """Whatever the gateway puts into the answer is there; a refusal has nothing beside it."""
    said, got = lines(told["answer"]["fields"]), lines(answer.fields)
    if told["outcome"] == "forwarded":
        assert set(said) <= set(got), f"{said} {got} {case}"
    else:
        assert said == got, f"{said} {got} {case}"


def explained(running: Gateway, document: Json) -> Json:
    answer = ask(running.admin_port, "/explain", method="POST", body=json.dumps(document).encode())
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


@pytest.mark.parametrize(
    ("seed", "requests"), [(20261121, 1000), pytest.param(20261122, 5_000, marks=[pytest.mark.slow, pytest.mark.timeout(180)])]
)
def test_explanations_and_the_gateway_agree(seed: int, requests: int, gateway: Start, upstream: Origin) -> None:
    chance = random.Random(seed)
    origin = upstream()
    ports = free_ports(4)
    config, secrets = random_policy(chance, origin.port, ports)
    running = gateway(config)
    spoken[ports[1]], spoken[ports[2]], spoken[ports[3]] = PROTOCOLS["h1-tls"], PROTOCOLS["h2"], PROTOCOLS["h2-tls"]
    outcomes = set()
    for number in range(requests):
        if number and number % (requests // POLICIES) == 0:
            config, secrets = random_policy(chance, origin.port, ports)
            config["via"] = f"policy-{number}"
            seen = len(running.lines)
            running.replace(config)
            running.wait_for_line(r"reloaded \(", after=seen)
        method, target, fields, body = random_request(chance, secrets)
        place = chance.randrange(4)
        scheme, port = ("https" if place % 2 else "http"), ports[place]
        if place < 2 and chance.random() < 0.15:
            fields |= random_upgrade(chance)
        document: Json = {"method": method, "url": f"{scheme}://gw.test:{port}{target}", "headers": fields, "from": "127.0.0.1"}
        # First, since the request itself takes from buckets.
        told = explained(running, document | ({"body_bytes": len(body)} if body else {}))
        sent = [f"{name}: {value}" for name, value in fields.items() if name != "Host"]
        answer = ask(port, target, sent, method=method, body=body, host=fields["Host"])
        case = f"{number}: {method} {target} {fields} {body!r} -> {answer.status}; {told['outcome']} {told['reason']}; {config}"
        assert (answer.status == 200) == (told["outcome"] == "forwarded"), case
        assert (answer.status == 204) == (told["outcome"] == "answered"), case
        if told["outcome"] == "refused":
            assert answer.status == told["status"], case
            assert answer.body and json.loads(answer.body)["reason"] == told["reason"], case
        verdicts = [it["verdict"] for it in told["steps"]]
        assert verdicts.count("failed") == (told["outcome"] == "refused"), case
        if told["outcome"] == "forwarded":
            assert (answer.value("x-route"), "up") == (told["route"], told["upstream"]), case
            check_forwarded(told, origin.requests[-1], case)
        check_answer(told, answer, case)
        outcomes.add(told["reason"] or told["outcome"])
    assert "answered" in outcomes and "origin_not_allowed" in outcomes
    assert len(outcomes) > 15, outcomes


@pytest.mark.parametrize(
    ("fields", "length", "reason"),
    [({"Content-Type": "application/json"}, 100_028, "body_too_large"), ({"Content-Type": "application/json"}, 65_537, "body_too_large"),
     ({"Content-Type": "application/json"}, 65_536, None), ({"Content-Type": "text/xml"}, 20, "content_type_not_supported"), ({}, 0, None),
     ({}, 20, "content_type_not_supported"), ({"Content-Type": "application/json; charset=utf-16"}, 20, "content_type_not_supported"),
     ({"Content-Type": "application/json", "Content-Encoding": "br"}, 20, "content_type_not_supported"),
     ({"Content-Type": "text/xml"}, 100_028, "content_type_not_supported"),
     ({"Content-Type": "application/json", "Expect": "100-continue"}, 65_537, "body_too_large"),
     ({"Content-Type": "application/json", "Expect": "100-continue"}, 20, None), ({"Expect": "nonsense"}, 0, "expectation_unknown")],
)  # fmt: skip
@pytest.mark.clients(*PROTOCOLS)
def test_content_that_may_name_a_realm_is_judged_alike(
    gateway: Start, upstream: Origin, fields: dict[str, str], length: int, reason: str | None
) -> None:
    """The gateway reads such content, up to a bound: `explain` knows the bound, and what is read."""
    origin = upstream()
    route = open_route(realm={"parameter": "realm", "content": True, "required": False})
    running = gateway(policy(origin.port, routes=[route]))
    body = b'{"x":"%s"}' % (b"0" * (length - 8)) if length else b""
    url = f"{'https' if spoken[running.port].is_tls else 'http'}://gw.test:{running.port}/"
    document: Json = {"method": "POST", "url": url, "headers": fields}
    told = explained(running, document | ({"body_bytes": length} if length else {}))
    answer = ask(running.port, "/", [f"{name}: {value}" for name, value in fields.items()], method="POST", body=body)
    assert told["reason"] == (reason or told["reason"]) and (told["outcome"] == "forwarded") == (reason is None), told
    if reason is None:
        assert answer.status == 200
    else:
        assert (answer.status, json.loads(answer.body)["reason"]) == (told["status"], reason)
