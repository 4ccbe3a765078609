"""Long runs of chance, from seeds: peers that get everything wrong while the policy changes. The quick ones are part of every run;
`scripts/test --full` runs all against a build with AddressSanitizer and with checks of exclusive access, which releases lack."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from random import Random

import pytest
from harness import chaos
from harness.certificates import shelf
from harness.chaos import QUICK_SECONDS, SLOW_SECONDS, ChaosUpstream, dial, leave, mutated, read_a_while, send_in_pieces
from harness.chaos_peers import (
    PROXY_HEADERS,
    REQUEST_BLOCKS,
    REQUESTS,
    SECRET,
    SIGN_IN,
    WEBSOCKET,
    answer_or_not,
    frames_or_not,
    key_sets_or_not,
    object_of,
    odd_token,
    short_token,
    unknown_token,
    value,
)
from harness.client import ask
from harness.frames import PREFACE, Lines
from harness.gateway import Gateway
from harness.issuer import base64url
from harness.messages import Broken
from harness.policy import Json, open_route, policy
from harness.server import free_ports

Start = Callable[..., Gateway]

LENGTHS = pytest.mark.parametrize(
    ("seed", "seconds"),
    [pytest.param(20261201, QUICK_SECONDS, id="quick"), pytest.param(20261202, SLOW_SECONDS, id="slow", marks=pytest.mark.slow)],
)
ENVIRONMENT = {"STORE_KEY": "e" * 40, "ADMIN_TOKEN": "t" * 40}
KEY = {"id": "ci", "sha256": "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a", "subject": "ci@acme", "scopes": ["x", "y"]}

pytestmark = [pytest.mark.timeout(120), pytest.mark.clients("h1")]


@pytest.fixture
def peers() -> Callable[..., ChaosUpstream]:
    started: list[ChaosUpstream] = []

    def start(seed: int, behave: Callable) -> ChaosUpstream:
        started.append(ChaosUpstream(seed, behave))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def authenticators(**of_token: object) -> Json:
    token = {"type": "jwt", "audiences": ["a"], "algorithms": ["HS256"], "key_set": "given"} | of_token
    return {"token": token, "keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True, "keys": [KEY]}}


def with_store(port: int, routes: list[Json], **members: object) -> Json:
    """A policy with everything that a store gives."""
    secret = {"kty": "oct", "kid": "k1", "alg": "HS256", "k": base64url(SECRET)}
    return policy(
        port,
        admin={"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"},
        failure_budget="off",
        store={"sqlite": "store.db", "encryption_key": "env:STORE_KEY"},
        key_sets={"given": {"keys": [secret]}, "own": {"stored": True, "algorithms": ["HS256"]}},
        routes=routes,
        **members,
    )


def tunnels_and_actions(port: int, plain: int, secure: int) -> Json:
    def action(name: str, **does: Json) -> Json:
        return {"name": name, "match": {"path": f"/{name}"}, "authenticate": "none" if name == "login" else ["keys"], "action": does}

    return with_store(
        port,
        [
            open_route(name="ws", match={"path": "/ws/**"}, authenticate=["keys"], upgrade=["websocket"]),
            open_route(name="wt", match={"path": "/wt/**"}, authenticate=["token"], upgrade=["websocket"]),
            action("mint", mint_token={"key_set": "own"}),
            action("login", login={"key_set": "own"}),
            action("m", manage={"resource": "api_keys", "authenticator": "keys"}),
            open_route(),
        ],
        listeners=[{"address": f"127.0.0.1:{plain}"}, {"address": f"127.0.0.1:{secure}", "tls": shelf().listener}],
        authenticators=authenticators(),
        bounds={"connections": 300},
    )


def changed(config: Json, turn: int) -> Json:
    """The policy as one of its changes leaves it: a key that ends, tunnels that are not allowed any more, routes that go."""
    made = json.loads(json.dumps(config))
    if turn % 3 == 0:
        made["authenticators"]["keys"]["keys"][0]["enabled"] = False
    if turn % 3 == 1:
        made["routes"][0]["upgrade"] = ["other"]
        made["upstreams"]["second"] = made["upstreams"]["up"]
        made["routes"][1]["upstream"] = "second"
    if turn % 4 == 0:
        del made["routes"][1]
    if turn % 5 == 0:
        made["bounds"] = {"connections": 20}
    return made


def head_of_a_stream(draw: Random) -> tuple[Lines, bool]:
    kind = draw.choice(["ws", "wt", "o", "login", "mint", "m", "get", "get"])
    is_tunnel = kind in ("ws", "wt")
    method = "CONNECT" if is_tunnel else "GET" if kind == "get" else "POST"
    lines = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", f"/{kind}/x" if is_tunnel else f"/{kind}")]
    if is_tunnel:
        lines += [(":protocol", "websocket"), ("sec-websocket-version", "13")]
    lines += [("x-api-key", "k"), ("authorization", f"Bearer {short_token(draw)}"), ("content-type", "application/json")]
    return lines, is_tunnel


def request_of_a_connection(draw: Random) -> bytes:
    kind = draw.choice(["ws", "wt", "post", "login", "mint", "pipelined"])
    start = f"HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nAuthorization: Bearer {short_token(draw)}\r\n"
    match kind:
        case "ws" | "wt":
            behind = draw.choice([b"", b"\x81\x85abcdhello", b"\x81\xfe\xff\xffabcd" + b"x" * 2000])
            return f"GET /{kind}/x {start}{WEBSOCKET}\r\n".encode() + behind
        case "post":
            expects = draw.choice(["Expect: 100-continue\r\n", ""])
            content = b"x" * draw.choice([0, 100, 200_000, 500_000])
            return f"POST /o {start}{expects}Content-Length: 500000\r\n\r\n".encode() + content
        case "login":
            return f"POST /login {start}Content-Type: application/json\r\nContent-Length: {len(SIGN_IN)}\r\n\r\n{SIGN_IN}".encode()
        case "mint":
            content = draw.choice(["{}", "{", ""])
            return f"POST /mint {start}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{content}".encode()
    return f"GET /o {start}\r\n".encode() * draw.randint(1, 40)


@LENGTHS
def test_connections_end_at_every_stage_while_the_policy_changes(gateway: Start, peers: Callable, seed: int, seconds: float) -> None:
    """Of HTTP/1.1 and HTTP/2, in plaintext and over TLS; tunnels in both, sign-ins and tokens under way, upstreams that reset."""
    plain, secure = free_ports(2)
    config = tunnels_and_actions(peers(seed, answer_or_not).port, plain, secure)
    running = gateway(config, environment=ENVIRONMENT)
    turns = iter(range(1_000_000))

    def connect(draw: Random) -> str:
        is_secure, is_http2 = draw.random() < 0.5, draw.random() < 0.6
        sock = dial(draw, secure, "h2" if is_http2 else "http/1.1") if is_secure else dial(draw, plain)
        try:
            sock.sendall(chaos.requests_of(draw, head_of_a_stream) if is_http2 else request_of_a_connection(draw))
            read_a_while(draw, sock)
        finally:
            leave(draw, sock)
        return f"http2={is_http2} tls={is_secure}"

    def reload(draw: Random) -> str:
        running.replace(changed(config, next(turns)))
        running.signal(signal.SIGHUP)
        time.sleep(draw.choice([0.1, 0.3, 0.8]))
        return "reload"

    done = chaos.run(running, seed, connect, seconds, reload)
    assert done["reload"], done
    chaos.check_unharmed(running, seed)


def everything_of_a_head(port: int, plain: int, proxied: int) -> Json:
    keys = {"type": "api_key", "from": ["header:X-API-Key", "cookie:s", "query:k", "bearer:x_"], "allow_query": True, "realm_suffix": True}
    realm = {"header": "X-Realm", "parameter": "r", "content": True, "required": False}
    return policy(
        port,
        listeners=[{"address": f"127.0.0.1:{plain}"}, {"address": f"127.0.0.1:{proxied}", "proxy_protocol": {"from": ["127.0.0.0/8"]}}],
        trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"],
        forwarded="both",
        failure_budget="off",
        paths={"dot_segments": "remove", "encoded_slash": "keep"},
        upstream={"response_timeout": "1s"},
        authenticators={"keys": keys | {"keys": [KEY]}},
        routes=[
            open_route(name="ws", match={"path": "/ws/**"}, upgrade=["websocket", "foo"]),
            open_route(
                name="k", match={"path": "/k/{a}/{b}/**"}, authenticate={"optional": ["keys"]}, realm=realm,
                accept=["application/json", "*/*"], request_headers={"set": {"X-P": "{path.a}-{path.b}"}},
            ),
            open_route(),
        ],
    )  # fmt: skip


@LENGTHS
def test_bytes_of_clients_and_upstreams_are_mutated(gateway: Start, peers: Callable, seed: int, seconds: float) -> None:
    """HTTP/1.1, HTTP/2 frames and PROXY headers of clients; HTTP/1.1 of upstreams."""
    plain, proxied = free_ports(2)
    running = gateway(everything_of_a_head(peers(seed, answer_or_not).port, plain, proxied))

    def connect(draw: Random) -> str:
        kind = draw.choice(["http1", "http1", "http1", "proxy", "http2", "http2"])
        match kind:
            case "http1":
                piece = mutated(draw, draw.choice(REQUESTS), draw.choice([0, 1, 3, 8]))
            case "proxy":
                piece = mutated(draw, draw.choice(PROXY_HEADERS), draw.choice([0, 1, 2])) + draw.choice(REQUESTS)
            case _:
                piece = PREFACE + chaos.any_frames(draw, REQUEST_BLOCKS)
        sock = dial(draw, proxied if kind == "proxy" else plain)
        try:
            send_in_pieces(draw, sock, piece)
            read_a_while(draw, sock)
        finally:
            leave(draw, sock)
        return kind

    chaos.run(running, seed, connect, seconds)
    chaos.check_unharmed(running, seed)


def trusting(upstream: int, keys: int) -> Json:
    here = f"http://127.0.0.1:{keys}"
    quick = {"cooldown": "1s", "fetch_timeout": "500ms"}
    algorithms = ["RS256", "ES256", "EdDSA", "ES512", "PS256"]

    def token(issuer: str, key_set: str) -> Json:
        return {"type": "jwt", "issuer": issuer, "audiences": ["a"], "algorithms": algorithms, "key_set": key_set}

    return policy(
        failure_budget="off",
        upstream={"servers": [f"h2c://127.0.0.1:{upstream}"], "response_timeout": "300ms", "connect_timeout": "300ms"},
        key_sets={"fetched": {"url": f"{here}/j", "minimum_refresh": "1s"} | quick, "discovered": {"issuer": here} | quick},
        authenticators={"first": token("https://idp", "fetched"), "second": token("https://idp2", "discovered")},
        routes=[
            open_route(name="ws", match={"path": "/ws"}, upgrade=["websocket"]),
            open_route(name="j", match={"path": "/j"}, authenticate=["first", "second"]),
            open_route(),
        ],
    )


@LENGTHS
def test_upstreams_of_http2_and_key_set_servers_send_anything(gateway: Start, peers: Callable, seed: int, seconds: float) -> None:
    running = gateway(trusting(peers(seed, frames_or_not).port, peers(seed, key_sets_or_not).port))

    def request(draw: Random) -> str:
        match draw.randrange(8):
            case 0:
                upgrade = [line for line in WEBSOCKET.split("\r\n") if line]
                return f"ws {status(running.port, '/ws', upgrade)}"
            case 1:
                return f"refresh {status(running.admin_port, f'/key_sets/{draw.choice(KEY_SETS)}/refresh', method='POST')}"
            case 2:
                return f"admin {status(running.admin_port, draw.choice(['/status', '/metrics']))}"
            case 3 | 4:
                return f"token {status(running.port, '/j', [f'Authorization: Bearer {unknown_token(draw)}'])}"
        return f"request {status(running.port, '/x', method=draw.choice(['GET', 'POST', 'HEAD']), body=draw.choice([b'', b'abc']))}"

    assert status(running.admin_port, "/status") == 200
    chaos.run(running, seed, request, seconds)
    chaos.check_unharmed(running, seed)


KEY_SETS = ("fetched", "discovered")


def status(port: int, target: str, fields: list[str] = [], method: str = "GET", body: bytes = b"") -> int | str:
    """Of the answer; what is not one says so."""
    try:
        return ask(port, target, fields, method, body).status
    except (AssertionError, ValueError, Broken) as fault:
        return type(fault).__name__


def every_action(port: int) -> Json:
    renewable = {"key_set": "own", "refresh_tokens": {"lifetime": "1h"}}
    manage = {"resource": "api_keys", "authenticator": "keys"}
    claims = {"sub": "{subject}", "exp": "{expires_at}", "scope": "{scopes}", "ips": "{addresses}", "l": "{lifetime}"}
    sets = {"X-A": "{claims./x}", "X-J": "{claims./x|json}", "X-P": "{path.a}", "X-S": "{scopes} {credential} {issuer}"}

    def action(name: str, path: str, authenticate: object, **does: Json) -> Json:
        return {"name": name, "match": {"path": path}, "authenticate": authenticate, "action": does}

    long = {"require_exp": False, "max_lifetime": "3650d", "token_bytes": "64KiB"}
    return with_store(
        port,
        [
            open_route(
                name="t", match={"path": "/t/{a}/**"}, authenticate=["token"], limits=["all"], request_headers={"set": sets},
                request_query={"set": {"q": "{claims./x}"}},
            ),
            open_route(name="c", match={"path": "/c/{a}"}, authenticate=["token"], authorize={"claims": {"/x": "{path.a}"}}),
            action("mint", "/mint", ["keys", "token"], mint_token=renewable | {"addresses": {}, "claims": claims}),
            action("refresh", "/refresh", {"optional": ["token"]}, refresh_token=renewable | {"claims": claims}),
            action("login", "/login", "none", login={"key_set": "own"}),
            action("one", "/m/{id}", ["keys"], manage=manage),
            action("all", "/m", ["keys"], manage=manage),
            action("jwt", "/j", ["keys"], manage={"resource": "jwt_keys", "key_set": "own", "realm": "q"}),
        ],
        authenticators=authenticators(**long),
        limits={"all": {"requests": 1_000_000, "per": "1s", "by": ["key", "identity", "address", "route"]}},
    )  # fmt: skip


#: Values that the actions take.
GOOD = {
    "name": '"n"', "scopes": '["x"]', "scope": '"x"', "expires_in": "60", "allow_ips": '["127.0.0.0/8"]', "limits": "[]", "ips": '["::1"]',
    "curl": '"curl http://127.0.0.1/t/a/b"', "slug": '"s"', "password": '"correct horse"',
}  # fmt: skip


def of_any_value(draw: Random, *names: str) -> bytes:
    """An object with some of these members, half of them good."""
    chosen = draw.sample(names, draw.randint(0, len(names)))
    members = {name: GOOD.get(name, value(draw)) if draw.random() < 0.5 else value(draw) for name in chosen}
    if "email" in members and draw.random() < 0.5:
        members["email"] = f'"{draw.randbytes(4).hex()}@example.com"'
    return object_of(members).encode("utf-8", "surrogatepass")


@LENGTHS
def test_values_at_the_edges_in_tokens_actions_and_the_admin_interface(gateway: Start, peers: Callable, seed: int, seconds: float) -> None:
    running = gateway(every_action(peers(seed, answer_or_not).port), environment=ENVIRONMENT)
    port, admin = running.port, running.admin_port
    typed = ["X-API-Key: k", "Content-Type: application/json"]
    operator = ["Authorization: Bearer " + "t" * 40, "Content-Type: application/json"]

    def request(draw: Random) -> str:
        bearer = f"Authorization: Bearer {odd_token(draw)}"
        match draw.randrange(8):
            case 0 | 1:
                return f"token {status(port, f'/t/{draw.choice(PATHS)}/b?x=%41', [bearer])}"
            case 2:
                return f"claims {status(port, '/c/' + draw.choice(PATHS), [bearer])}"
            case 3:
                body = of_any_value(draw, "expires_in", "scope", "ips", "no_ip_protection", "renewable")
                return f"mint {status(port, '/mint', draw.choice([typed, [bearer, *typed[1:]]]), 'POST', body)}"
            case 4:
                body = draw.choice([b"{}", of_any_value(draw, "refresh_token"), b"refresh_token=" + b"A" * 64])
                return f"refresh {status(port, '/refresh', draw.choice([typed[1:], [bearer, typed[1]]]), 'POST', body)}"
            case 5:
                method = draw.choice(["POST", "POST", "PUT", "GET", "DELETE"])
                target = draw.choice(["/m", "/m", "/m", "/m/key_x", "/m/..", "/m/a%26b", "/j"])
                target += draw.choice(QUERIES) if method != "POST" else ""
                key = of_any_value(draw, "name", "scopes", "expires_in", "allow_ips", "limits")
                jwt_key = b'{"algo":"hs256","use":"sign","key":%s}' % of_any_value(draw, "k")
                body = draw.choice([b'{"api_key":%s}' % key, b'{"jwt_key":%s}' % jwt_key])
                return f"manage {status(port, target, typed, method, body)}"
            case 6:
                explained = of_any_value(draw, "curl", "method", "url", "headers", "body_bytes", "from", "at", "certificate")
                words = " ".join(draw.choices(CURL, k=draw.randint(1, 9))).encode()
                return f"explain {status(admin, '/explain', operator[:1], 'POST', draw.choice([explained, words]))}"
        kind = draw.choice(["user", "organization", "project", "membership", "api_key", "jwt_key"])
        body = b'{"%s":%s}' % (kind.encode(), of_any_value(draw, "email", "name", "slug", "expires_in", "password"))
        target = f"/v1/{kind}s" + draw.choice(["", "", "/a.b.c", "/x", "/%00", "/x/rotate"])
        return f"admin {status(admin, target, operator, draw.choice(['GET', 'POST', 'PUT', 'DELETE']), body)}"

    # What chance does is near what is taken.
    assert status(port, "/m", typed, "POST", b'{"api_key":{"name":"n"}}') == 201
    user = b'{"user":{"email":"ada@example.com","password":"correct horse"}}'
    assert status(admin, "/v1/users", operator, "POST", user) == 201
    assert status(port, "/t/a/b", [f"Authorization: Bearer {short_token(Random(seed))}"]) not in (401, 403)
    chaos.run(running, seed, request, seconds)
    chaos.check_unharmed(running, seed)


PATHS = ["a", "%E2%84%AA", "a%2Bb", "%25", "1e3", "true", "%C3%A9"]
QUERIES = ["", "?max_results=9223372036854775808", "?after=x", "?unused_for=99999999d", "?older_than=292y", "?a[b][c]=d", "?a[]=1&a[]=2"]
CURL = [
    "curl", "-H", "-X", "--data", "-d", "'", '"', "\\", "$'\\x41'", "$'\\u{}'", "$'\\777'", "http://127.0.0.1:1/t/a/b",
    "https://[::1]:99999/",
    "-H 'Authorization: Bearer a.b.c'", "--cert", "x.pem", "-u", "a:b", "--connect-to", "::", "-G", "--data-urlencode", "a@", "-b", "c=d",
    "", "\n", "\\\n", "--url", "--json", "{}", "--http2", "-F", "x=@y", "--max-time", "1e999", "$'\\U00110000'",
    "$'\\c'", "$(x)", "`x`", ";", "|", "&",
]  # fmt: skip
