"""Pages of other origins: preflights, and the fields that let them read every answer (WHATWG Fetch, "CORS protocol")."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from harness.client import ask, reason
from harness.gateway import Gateway
from harness.messages import Message
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.protocols import ALL
from harness.server import free_ports
from harness.upstream import Upstream, answering, ok

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", one=True)]

APP = "https://app.example"
RULE: Json = {"origins": [APP, "https://*.acme.example"], "max_age": "1h"}
RATES = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Request-ID"


def preflight(
    port: int, method: str = "PUT", target: str = "/items/7", origin: str = APP, fields: list[str] | None = None
) -> Message:
    asked = [f"Origin: {origin}", f"Access-Control-Request-Method: {method}", *(fields or [])]
    return ask(port, target, asked, method="OPTIONS")


def items(port: int, record: Json, cors: Json | None = None, **members: object) -> Json:
    """A page of items that asks for a key, and one that anybody reads."""
    return policy(
        port,
        authenticators={"keys": key_authenticator(record)},
        limits={"one": {"requests": 1, "per": "1h", "by": "identity"}},
        cors=cors or RULE,
        routes=[
            open_route(name="items", match={"path": "/items/{id}", "methods": ["GET", "PUT"]}, authenticate=["keys"]),
            open_route(name="limited", match={"path": "/limited"}, authenticate=["keys"], limits=["one"]),
            open_route(name="open", match={"path": "/open", "methods": ["GET"]}),
            open_route(name="shut", match={"path": "/shut", "methods": ["PUT", "DELETE"]}, cors=None),
            {"name": "none", "match": {"path": "/none"}, "authenticate": "none", "action": {"not_found": True}},
        ],
        **members,
    )


def allowed(answer: Message, origin: str = APP) -> bool:
    return answer.values("access-control-allow-origin") == [origin]


def says_nothing(answer: Message) -> bool:
    return not any(name.startswith("access-control-") for name in answer.names())


def test_a_preflight_is_answered_before_authentication(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(items(origin.port, api_key()[1]))
    answer = preflight(running.port, fields=["Access-Control-Request-Headers: authorization,content-type"])
    assert answer.status == 204 and not answer.body
    assert allowed(answer)
    assert answer.value("access-control-allow-methods") == "GET, HEAD, PUT"
    assert answer.value("access-control-allow-headers") == "Authorization, Content-Type, X-API-Key"
    assert answer.value("access-control-max-age") == "3600"
    assert answer.value("vary") == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert answer.value("access-control-allow-credentials") is None
    assert "content-length" not in answer.names() and "content-type" not in answer.names()
    assert answer.value("x-request-id")
    assert not origin.requests


def test_a_preflight_is_told_of_by_the_log_and_the_counters(gateway: Start, upstream: Origin) -> None:
    running = gateway(items(upstream().port, api_key()[1]))
    assert preflight(running.port).status == 204
    assert preflight(running.port, origin="https://evil.example").status == 403
    # Each loop writes its own records.
    first, second = sorted(running.access_records(2), key=lambda record: record["status"])
    assert (first["status"], first["route"], first["reason"], first["method"]) == (204, "items", None, "OPTIONS")
    assert (second["status"], second["route"], second["reason"]) == (403, "items", "origin_not_allowed")
    assert running.metric("portcullis_requests_total", route="items", status="2xx") == 1


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "https://app.example.evil", "https://app.example:443", "http://app.example", "HTTPS://app.example",
        "https://App.example", "https://app.example/", "https://app.example https://app.example", "https://app.example,https://b.example",
        "null", "https://acme.example", "https://evil-acme.example", "https://x.acme.example.evil", "https://.acme.example",
        "https://a..acme.example", "https://a/.acme.example", "https://a@b.acme.example", "https://a#.acme.example",
        "https://x.acme.example:8443", "https://[::1].acme.example", "https://app.example.", "//app.example", "app.example",
        "https://" + "a" * 8000 + "/.acme.example",
    ],
)  # fmt: skip
def test_an_origin_that_is_not_allowed(gateway: Start, upstream: Origin, origin: str) -> None:
    secret, record = api_key()
    running = gateway(items(upstream().port, record))
    answer = preflight(running.port, origin=origin)
    assert answer.status == 403 and reason(answer) == "origin_not_allowed"
    assert says_nothing(answer) and answer.value("vary") == "Origin"
    answer = ask(running.port, "/items/7", [f"Origin: {origin}", f"X-API-Key: {secret}"])
    assert answer.status == 200
    assert says_nothing(answer) and answer.value("vary") == "Origin"


@pytest.mark.parametrize("origin", [APP, "https://x.acme.example", "https://a.b-c.acme.example", "https://xn--bcher-kva.acme.example"])
def test_an_origin_that_is_allowed(gateway: Start, upstream: Origin, origin: str) -> None:
    running = gateway(items(upstream().port, api_key()[1]))
    assert allowed(preflight(running.port, origin=origin), origin)
    assert allowed(ask(running.port, "/items/7", [f"Origin: {origin}"]), origin)


def test_two_origins_are_none(gateway: Start, upstream: Origin) -> None:
    running = gateway(items(upstream().port, api_key()[1]))
    answer = preflight(running.port, fields=[f"Origin: {APP}"])
    assert answer.status == 403 and says_nothing(answer)
    answer = ask(running.port, "/open", [f"Origin: {APP}", f"origin: {APP}"])
    assert answer.status == 200 and says_nothing(answer)


@pytest.mark.parametrize(
    "fields",
    [
        [f"Origin: {APP}"], ["Access-Control-Request-Method: PUT"], [f"Origin: {APP}", "Access-Control-Request-Method: P UT"],
        [f"Origin: {APP}", "Access-Control-Request-Method: PUT", "Access-Control-Request-Method: GET"],
        [f"Origin: {APP}", "Access-Control-Request-Method: " + "P" * 33], [f"Origin: {APP}", "Access-Control-Request-Method:"],
    ],
)  # fmt: skip
def test_options_that_is_no_preflight_is_an_ordinary_request(gateway: Start, upstream: Origin, fields: list[str]) -> None:
    running = gateway(items(upstream().port, api_key()[1]))
    answer = ask(running.port, "/items/7", fields, method="OPTIONS")
    assert answer.status == 405 and answer.value("allow") == "GET, HEAD, PUT"


def test_every_answer_of_the_gateway_can_be_read(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    [closed] = free_ports(1)
    config = items(upstream().port, record)
    config["upstreams"]["gone"] = {"servers": [f"http://127.0.0.1:{closed}"]}
    config["routes"].append(open_route(name="gone", match={"path": "/gone"}, upstream="gone"))
    running = gateway(config)
    page = [f"Origin: {APP}"]
    keyed = [*page, f"X-API-Key: {secret}"]
    assert ask(running.port, "/limited", keyed).status == 200
    answers = {
        401: ask(running.port, "/items/7", page),
        429: ask(running.port, "/limited", keyed),
        405: ask(running.port, "/open", page, method="DELETE"),
        404: ask(running.port, "/nowhere", page),
        400: ask(running.port, "/items/..%2f7", page),
        502: ask(running.port, "/gone", page),
    }
    for status, answer in answers.items():
        assert answer.status == status
        assert allowed(answer) and "Origin" in answer.values("vary"), status
        assert answer.value("access-control-expose-headers") == RATES
    assert ask(running.port, "/none", page).status == 404 and allowed(ask(running.port, "/none", page))
    assert answers[429].value("retry-after") and answers[429].value("x-ratelimit-remaining") == "0"


def test_what_the_upstream_says_is_replaced_and_its_vary_kept(gateway: Start, upstream: Origin) -> None:
    own = [
        "Access-Control-Allow-Origin: *", "access-control-allow-credentials: true", "Access-Control-Expose-Headers: X-Secret",
        "Access-Control-Allow-Private-Network: true", "Vary: Accept-Encoding", "X-Other: kept",
    ]  # fmt: skip
    origin = upstream(answering(lambda _: ok(b"hello", *own)))
    running = gateway(items(origin.port, api_key()[1]))
    answer = ask(running.port, "/open", [f"Origin: {APP}"])
    assert allowed(answer) and answer.values("vary") == ["Accept-Encoding", "Origin"] and answer.value("x-other") == "kept"
    assert answer.values("access-control-allow-credentials") == [] and answer.value("access-control-expose-headers") == RATES
    answer = ask(running.port, "/open")
    assert says_nothing(answer) and answer.values("vary") == ["Accept-Encoding", "Origin"]
    answer = ask(running.port, "/open", ["Origin: https://evil.example"], method="HEAD")
    assert says_nothing(answer) and "Origin" in answer.values("vary")


def test_a_route_may_drop_the_rule(gateway: Start, upstream: Origin) -> None:
    origin = upstream(answering(lambda _: ok(b"hello", "Access-Control-Allow-Origin: https://own.example")))
    running = gateway(items(origin.port, api_key()[1]))
    answer = preflight(running.port, target="/shut")
    assert answer.status == 405 and says_nothing(answer) and answer.value("vary") is None
    answer = ask(running.port, "/shut", [f"Origin: {APP}"], method="PUT")
    assert answer.value("access-control-allow-origin") == "https://own.example"


def test_every_origin(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(items(upstream().port, record, {"origins": ["*"], "headers": ["*"], "methods": ["*"], "expose": ["*"]}))
    answer = preflight(running.port, origin="null", method="PATCH")
    assert answer.status == 204 and allowed(answer, "*")
    assert answer.value("vary") == "Access-Control-Request-Method, Access-Control-Request-Headers"
    assert answer.value("access-control-allow-headers") == "*, Authorization"
    for fields in ([], ["Origin: https://any.example"], ["Origin: a", "Origin: b"]):
        answer = ask(running.port, "/items/7", [*fields, f"X-API-Key: {secret}"])
        assert allowed(answer, "*") and answer.value("vary") is None
        assert answer.value("access-control-expose-headers") == "*"


def test_credentials_name_the_origin(gateway: Start, upstream: Origin) -> None:
    running = gateway(items(upstream().port, api_key()[1], RULE | {"credentials": True, "expose": ["ETag", "x-request-id"]}))
    for answer in (preflight(running.port), ask(running.port, "/items/7", [f"Origin: {APP}"])):
        assert allowed(answer) and answer.value("access-control-allow-credentials") == "true"
    assert answer.value("access-control-expose-headers") == f"{RATES}, ETag"
    assert says_nothing(preflight(running.port, origin="https://evil.example"))


def test_methods_of_routes_with_another_rule_are_not_allowed(gateway: Start, upstream: Origin) -> None:
    routes = [
        open_route(name="read", match={"path": "/a", "methods": ["GET", "PUT"]}),
        open_route(name="remove", match={"path": "/a", "methods": ["DELETE"]}, cors=None),
        open_route(name="change", match={"path": "/a", "methods": ["PATCH"]}, cors={"origins": ["https://other.example"]}),
    ]
    port = upstream().port
    running = gateway(policy(port, cors=RULE, routes=routes))
    assert preflight(running.port, target="/a").value("access-control-allow-methods") == "GET, HEAD, PUT"
    assert preflight(running.port, "DELETE", "/a").status == 405
    assert preflight(running.port, "PATCH", "/a").status == 403
    running = gateway(policy(port, cors=RULE | {"methods": ["PUT", "DELETE", "PATCH"]}, routes=routes))
    assert preflight(running.port, target="/a").value("access-control-allow-methods") == "PUT"
    running = gateway(policy(port, cors={"origins": ["*"], "methods": ["*"]}, routes=routes))
    assert preflight(running.port, target="/a").value("access-control-allow-methods") == "PUT"


def test_fields_that_decide_between_rules_leave_the_preflight_unanswered(gateway: Start, upstream: Origin) -> None:
    routes = [
        open_route(name="new", match={"path": "/a", "methods": ["PUT"], "headers": {"Api-Version": "2"}}, cors=None),
        open_route(name="old", match={"path": "/a", "methods": ["PUT"]}),
    ]
    running = gateway(policy(upstream().port, cors=RULE, routes=routes))
    assert preflight(running.port, target="/a").status == 204
    assert preflight(running.port, target="/a", fields=["Access-Control-Request-Headers: api-version"]).status == 405


def test_the_upstreams_own_word(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    own = ["Access-Control-Allow-Origin: https://own.example", "Vary: X-Own"]
    origin = upstream(answering(lambda _: ok(b"hello", *own)))
    running = gateway(items(origin.port, record, "upstream"))
    answer = ask(running.port, "/items/7", [f"Origin: {APP}", f"X-API-Key: {secret}"])
    assert answer.value("access-control-allow-origin") == "https://own.example" and answer.values("vary") == ["X-Own"]
    assert allowed(ask(running.port, "/items/7", [f"Origin: {APP}"]), "*")
    assert preflight(running.port).status == 405
    config = items(origin.port, record)
    config["routes"][0]["cors"] = "upstream"
    running = gateway(config)
    assert allowed(ask(running.port, "/items/7", [f"Origin: {APP}"]))
    assert says_nothing(ask(running.port, "/items/7", ["Origin: https://own.example"]))


def test_a_preflight_in_plaintext_is_refused_where_the_request_would_be(gateway: Start, upstream: Origin, protocol) -> None:  # noqa: ANN001
    running = gateway(items(upstream().port, api_key()[1], https_only=True))
    answer = preflight(running.port)
    assert answer.status == (204 if protocol.is_tls else 403)
    answer = preflight(running.port, target="/nowhere")
    assert answer.status == (204 if protocol.is_tls else 404)


def test_a_route_in_shadow_mode_takes_nothing_away(gateway: Start, upstream: Origin) -> None:
    own = ["Access-Control-Allow-Origin: https://own.example"]
    running = gateway(policy(upstream(answering(lambda _: ok(b"", *own))).port, cors=RULE, routes=[open_route(mode="shadow")]))
    assert allowed(preflight(running.port))
    answer = preflight(running.port, origin="https://own.example")
    assert answer.status == 200 and answer.value("access-control-allow-origin") == "https://own.example"
    record = running.access_records(2)[1]
    assert record["would_have"] == [{"rule": "route", "reason": "origin_not_allowed"}]
    answer = ask(running.port, fields=["Origin: https://own.example"])
    assert answer.value("access-control-allow-origin") == "https://own.example"
    assert allowed(ask(running.port, fields=[f"Origin: {APP}"]))


def test_refusals_of_grpc_web_can_be_read(gateway: Start, upstream: Origin) -> None:
    running = gateway(items(upstream().port, api_key()[1]))
    answer = ask(running.port, "/items/7", [f"Origin: {APP}", "Content-Type: application/grpc-web+proto"], method="PUT")
    assert answer.status == 200 and answer.value("grpc-status") == "16" and allowed(answer)
    assert answer.value("access-control-expose-headers") == f"{RATES}, grpc-status, grpc-message"


def test_the_admin_listener_says_nothing_to_pages(gateway: Start, upstream: Origin) -> None:
    running = gateway(items(upstream().port, api_key()[1], {"origins": ["*"]}))
    page = ["Origin: https://any.example"]
    for answer in (
        ask(running.admin_port, "/metrics", page), ask(running.admin_port, "/nowhere", page),
        ask(running.admin_port, "/explain", [*page, "Access-Control-Request-Method: POST"], method="OPTIONS"),
        ask(running.admin_port, "/%zz", page), ask(running.admin_port, "/" + "a" * 9000, page),
    ):  # fmt: skip
        assert says_nothing(answer), answer.fields


def explained(running: Gateway, method: str, path: str, fields: Json) -> Json:
    document = {"method": method, "url": f"http://gw.test{path}", "headers": fields}
    answer = ask(running.admin_port, "/explain", method="POST", body=json.dumps(document).encode())
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_explain_says_what_became_of_a_preflight(gateway: Start, upstream: Origin) -> None:
    running = gateway(items(upstream().port, api_key()[1]))
    asked = {"Origin": APP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key, x-other"}
    told = explained(running, "OPTIONS", "/items/7", asked)
    assert (told["outcome"], told["status"], told["route"]) == ("answered", 204, "items")
    steps = {step["step"]: step for step in told["steps"]}
    texts = [check["text"] for check in steps["cors"]["checks"]]
    assert texts[0] == f'pages of "{APP}" may read the answer' and texts[1] == "a preflight for PUT, which is allowed"
    assert texts[2] == 'request fields that are not allowed: "x-other": browsers do not send the request'
    assert steps["credential"]["verdict"] == "not_reached"
    told = explained(running, "OPTIONS", "/items/7", asked | {"Origin": "https://evil.example"})
    assert (told["outcome"], told["reason"]) == ("refused", "origin_not_allowed")
    assert told["rule"]["path"] == "cors"
    told = explained(running, "GET", "/items/7", {"Origin": "https://evil.example"})
    steps = {step["step"]: step for step in told["steps"]}
    assert steps["cors"]["checks"][0]["text"] == 'pages of "https://evil.example" may not read the answer'
    assert told["reason"] == "credential_missing"


def test_thousands_of_request_fields_are_not_reflected(gateway: Start, upstream: Origin) -> None:
    running = gateway(items(upstream().port, api_key()[1]))
    names = ",".join(["xxx", "", "bad name", "y"] * 700)
    answer = preflight(running.port, fields=[f"Access-Control-Request-Headers: {names}"])
    assert answer.status == 204
    assert answer.value("access-control-allow-headers") == "Authorization, Content-Type, X-API-Key"
