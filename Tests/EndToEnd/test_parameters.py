"""Parameters that parsers read differently: names in other spellings, other separators, other encodings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from harness.client import ask
from harness.gateway import Gateway
from harness.messages import Message
from harness.policy import Json, api_key, key_authenticator, keyed_policy, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL)]

FORM = "application/x-www-form-urlencoded"


class Realms:
    """A route that reads realms from header, query and content, and a key that is locked to `blue`."""

    def __init__(self, gateway: Start, origin: Upstream) -> None:
        self.origin = origin
        self.secret, record = api_key(realm="blue")
        config = keyed_policy(origin.port, records=[record])
        config["routes"][0] |= {
            "realm": {"header": "X-Realm", "parameter": "realm", "content": True, "required": False},
            "request_headers": {"set": {"X-Realm-Out": "{realm}"}},
        }
        self.gateway = gateway(config)

    def ask(self, target: str = "/", fields: list[str] | None = None, body: bytes = b"", method: str = "POST") -> Message:
        return ask(self.gateway.port, target, [f"X-API-Key: {self.secret}", *(fields or [])], method=method, body=body)

    def refusal(self, *asked: object, **more: object) -> tuple[int, str]:
        answer = self.ask(*asked, **more)  # type: ignore[arg-type]
        assert answer.status >= 400, f"let through: {asked} {more}"
        assert not self.origin.requests
        return answer.status, json.loads(answer.body)["reason"]


@pytest.fixture
def realms(gateway: Start, upstream: Origin) -> Realms:
    return Realms(gateway, upstream())


NAMES = [
    "Realm", "REALM", "realm[]", "realm[0]", "realm%5Bx%5D", "realm.x", "[realm]", "+realm", "realm%20", "realm%00", "realm%00x",
    "%2572ealm", "%u0072ealm", "re%E2%80%8Balm", "%C1%B2ealm", "%EF%BD%92ealm", "a=1;realm", ";realm", "a;b=2;realm", "__proto__[realm]",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_realm_by_another_spelling_in_the_query(realms: Realms, name: str) -> None:
    for query in (f"{name}=green", f"x=1&{name}=green", f"realm=blue&{name}=green"):
        assert realms.refusal(f"/?{query}", method="GET") == (400, "realm_ambiguous")


@pytest.mark.parametrize("name", NAMES)
def test_a_realm_by_another_spelling_in_a_form(realms: Realms, name: str) -> None:
    for form in (f"{name}=green", f"realm=blue&{name}=green"):
        status, reason = realms.refusal("/", [f"Content-Type: {FORM}"], form.encode())
        assert (status, reason) == (400, "content_malformed" if "%u" in name or "%C1" in name else "realm_ambiguous")


@pytest.mark.parametrize(
    "member",
    [b'"Realm":"green"', b'"realm":"blue","REALM":"green"', b'"realm[]":"green"', b'"\\u0052ealm":"green"', b'"realm\\u0000":"green"',
     b'" realm":"green"', b'"__proto__":{"realm":"green"}', b'"\\uff52ealm":"green"'],
)  # fmt: skip
def test_a_realm_by_another_spelling_in_json(realms: Realms, member: bytes) -> None:
    assert realms.refusal("/", ["Content-Type: application/json"], b"{%s}" % member) == (400, "realm_ambiguous")


@pytest.mark.parametrize(
    ("body", "refused"),
    [(b'{"realm":"green","realm":"blue"}', (400, "content_malformed")), (b'{"\\u0072ealm":"green"}', (403, "realm_not_allowed")),
     (b'\xef\xbb\xbf{"realm":"green"}', (400, "content_malformed")), ('{"realm":"green"}'.encode("utf-16"), (400, "content_malformed")),
     ('{"realm":"green"}'.encode("utf-16-le"), (400, "content_malformed")), (b'{"realm":"green",}', (400, "content_malformed")),
     (b"{'realm':'green'}", (400, "content_malformed")), (b'{"realm":["green"]}', (400, "realm_missing"))],
)  # fmt: skip
def test_json_that_parsers_disagree_about(realms: Realms, body: bytes, refused: tuple[int, str]) -> None:
    assert realms.refusal("/", ["Content-Type: application/json"], body) == refused


@pytest.mark.parametrize(
    "parameters",
    ["charset=cp037", "charset=utf-7", "charset=UTF-16", 'charset="cp037"', "Charset=nonsense", "charset=utf-8; charset=cp037", "charset",
     "charset*=UTF-8''cp037", 'x="; charset=cp037"', "charset =cp037", "x=y, charset=cp037", "charset=utf-8 cp037"],
)  # fmt: skip
def test_content_in_another_charset(realms: Realms, parameters: str) -> None:
    for media_type, body in ((FORM, "realm=green".encode("cp037")), ("application/json", b'{"realm":"blue"}')):
        fields = [f"Content-Type: {media_type}; {parameters}"]
        assert realms.refusal("/", fields, body) == (415, "content_type_not_supported")


@pytest.mark.parametrize(
    "fields",
    [[], ["Content-Type: multipart/form-data; boundary=x"], ["Content-Type: application/xml"], ["Content-Type: text/json"],
     ["Content-Type:"], ["Content-Type: application/vnd.api+json"], ["Content-Type: application/x-ndjson"],
     ["Content-Type: application/json, text/plain"],
     ["Content-Type: application/json", "Content-Type: application/json"], ["Content-Type: application/json", "Content-Encoding: gzip"],
     ["Content-Type: application/json", "Content_Encoding: gzip"], [f"Content-Type: {FORM}", "Content-Encoding: identity, br"]],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_content_that_is_not_read(realms: Realms, fields: list[str], method: str) -> None:
    assert realms.refusal("/", fields, b'{"realm":"blue"}', method) == (415, "content_type_not_supported")


@pytest.mark.parametrize("form", [b"_charset_=cp037&x=1", b"realm=blue&_CHARSET_=utf-7"])
def test_a_form_that_names_its_own_charset(realms: Realms, form: bytes) -> None:
    assert realms.refusal("/", [f"Content-Type: {FORM}"], form) == (415, "content_type_not_supported")


@pytest.mark.parametrize("field", ["X-Realm: blue, green", "X-Realm: green"])
def test_a_realm_header_that_names_another(realms: Realms, field: str) -> None:
    assert realms.refusal("/", [field], method="GET")[0] in (400, 403)
    assert realms.refusal("/", ["X-Realm: blue", field], method="GET")[1] == "realm_conflict"


def test_a_realm_header_in_another_spelling_does_not_go_on(realms: Realms) -> None:
    assert realms.ask("/", ["X-Realm: blue", "X_Realm: green", "x.realm: green"], method="GET").status == 200
    received = realms.origin.requests[-1]
    assert received.value("x-realm-out") == "blue"
    assert not [value for name, value in received.fields if value == "green"]


@pytest.mark.parametrize(
    ("target", "fields", "body"),
    [("/?realm=blue&realms=1&x[realms]=2&surrealm=3", [], b""),
     ("/", [f"Content-Type: {FORM}; charset=UTF-8"], b"x=%C3%A9&realm=blue&y=;"),
     ("/", ['Content-Type: application/json;charset="utf-8"'], b'{"realm":"blue","user":{"realms":"x","surrealm":"y"}}'),
     ("/?x=1;y=2", ["X-Realm: blue"], b"")],
)  # fmt: skip
def test_what_all_parsers_read_alike_goes_on(realms: Realms, target: str, fields: list[str], body: bytes) -> None:
    assert realms.ask(target, fields, body).status == 200
    received = realms.origin.requests[-1]
    assert (received.target, received.body, received.value("x-realm-out")) == (target, body, "blue")


# Parameters that the gateway sets


def setting(gateway: Start, origin: Upstream, **members: object) -> tuple[Gateway, str]:
    """The gateway, and a key that is shown in query or cookie."""
    secret, record = api_key("k")
    config: Json = policy(
        origin.port, routes=[open_route(authenticate=["keys"]) | members],
        authenticators={"keys": key_authenticator(record) | {"from": ["query:api_key", "cookie:sid"], "allow_query": True}},
    )
    return gateway(config), secret


@pytest.mark.parametrize(
    ("query", "left"),
    [("User=root", ""), ("user[]=root", ""), ("user%5B0%5D=root", ""), ("a=1;user=root&b=%32", "b=%32&"), (";user=root", ""),
     ("+user=root", ""),
     ("%2575ser=root", ""), ("user%00=root", ""), ("user.x=root", ""), ("users=1&user_id=2&x[user]=;", "users=1&user_id=2&x[user]=;&"),
     ("page=2", ""), ("Page[size]=2&x", "x&"), ("%F0%80%81%B5ser=1&c=%ff", "c=%ff&")],
)  # fmt: skip
def test_no_parser_sees_the_clients_parameter_beside_the_gateways(gateway: Start, upstream: Origin, query: str, left: str) -> None:
    origin = upstream()
    running, secret = setting(gateway, origin, request_query={"set": {"user": "{subject}"}, "remove": ["page"]})
    for target in (f"/?{query}&api_key={secret}", f"/?API_KEY[]=x&api_key={secret}&{query}"):
        assert ask(running.port, target).status == 200
        assert origin.requests[-1].target == f"/?{left}user=k%40acme"


@pytest.mark.parametrize(
    ("cookie", "left"),
    [("a=1; sid=K; SID=x; b=2", "a=1; b=2"), ("sid=K; b=%20", "b=%20"), ("sid=K; sid[0]=x; c", "c"),
     ("a=1, SID=x; sid=K; b=\"2\"", 'b="2"'),
     ('sid="K"; "sid"=x', None)],
)  # fmt: skip
def test_no_parser_sees_a_cookie_beside_the_credentials(gateway: Start, upstream: Origin, cookie: str, left: str | None) -> None:
    origin = upstream()
    running, secret = setting(gateway, origin)
    assert ask(running.port, "/", ["Cookie: " + cookie.replace("K", secret)]).status == 200
    assert origin.requests[-1].value("cookie") == left
