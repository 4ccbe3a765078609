"""Bearer tokens over the wire: every attack case, every algorithm from two independent minters, and K01 to K07."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from harness import vectors
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway
from harness.issuer import ALGORITHMS, SigningKey, jwt_authenticator, key_set
from harness.messages import Message
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

ATTACKS = vectors.load("jwt-attacks.json")


def token_policy(port: int, *keys: SigningKey, authenticator: Json | None = None, **members: object) -> Json:
    algorithms = sorted({key.algorithm for key in keys})
    return policy(
        port,
        key_sets={"issuer": {"keys": [key.jwk() for key in keys]}},
        authenticators={"jwt": jwt_authenticator(*algorithms, **(authenticator or {}))},
        routes=[open_route(authenticate=["jwt"])],
        **members,
    )


def show(port: int, token: str, *fields: str, target: str = "/") -> Message:
    return ask(port, target, fields=[f"Authorization: Bearer {token}", *fields])


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory):
    """One gateway for all cases, as an attacker meets it: a cache filled by one case must not help the next."""
    origin = Upstream()
    config = policy(
        origin.port,
        key_sets={"issuer": {"keys": ATTACKS["jwks"]["keys"]}},
        authenticators={
            "jwt": jwt_authenticator(*ATTACKS["algorithms"], issuer=ATTACKS["issuer"], audiences=[ATTACKS["audience"]])
        },
        routes=[open_route(authenticate=["jwt"])],
        failure_budget="off",
    )
    running = Gateway(config, tmp_path_factory.mktemp("attacks"))
    yield running, origin
    running.kill()
    origin.stop()


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("case", ATTACKS["cases"], ids=lambda case: f"{case['id']} {case['title']}")
def test_attack(case: dict, again: bool, attacked: tuple[Gateway, Upstream]) -> None:
    running, origin = attacked
    before = len(origin.requests)
    with RawClient(running.port) as client:
        try:
            client.send(request(fields=[f"Authorization: Bearer {case['token']}"]))
        except OSError:
            pass  # a token of 88 kB may be refused before it was sent
        answer = client.response()
    if case["verdict"] == "accept":
        assert answer.status == 200, answer.body
        assert origin.requests[-1].value("x-auth-subject") == "alice"
    elif case["verdict"] == "reject":
        assert answer.status in (401, 400, 431), answer.status
        assert answer.status != 401 or answer.value("www-authenticate").startswith("Bearer")
        assert len(origin.requests) == before, "the upstream was touched"
    else:
        assert answer.status in (200, 401)
    assert running.is_alive()


@pytest.mark.clients("h1", "h2-tls")
@pytest.mark.parametrize("library", ["pyjwt", "joserfc"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_minted_elsewhere(gateway: Start, upstream: Origin, algorithm: str, library: str) -> None:
    origin = upstream()
    key = SigningKey(algorithm)
    running = gateway(token_policy(origin.port, key))
    token = key.token(library, sub="bob", scope="a b")
    for _ in range(2):  # the second time from the cache
        assert show(running.port, token).status == 200
    seen = origin.requests[-1]
    assert seen.value("x-auth-subject") == "bob"
    assert seen.value("x-auth-method") == "jwt"
    assert seen.value("x-auth-scopes") == "a b"
    assert "authorization" not in seen.names()
    head, body, signature = token.split(".")
    flipped = "A" if signature[10] != "A" else "B"
    bad = ".".join([head, body, signature[:10] + flipped + signature[11:]])
    assert reason(show(running.port, bad)) == "token_signature_invalid"


def test_a_key_of_another_algorithm_is_not_used(gateway: Start, upstream: Origin) -> None:
    """The key set says RS256 for this key; the same RSA key must not verify PS256."""
    listed, other = SigningKey("RS256", "k"), SigningKey("PS256", "k")
    config = token_policy(upstream().port, listed, authenticator={"algorithms": ["RS256", "PS256"]})
    port = gateway(config).port
    assert show(port, listed.token()).status == 200
    assert show(port, other.token()).status == 401


TIMES = {
    "expired": ({"exp": -60}, "token_expired"),
    "expired within leeway": ({"exp": -10}, None),
    "not yet valid": ({"nbf": 60}, "token_not_yet_valid"),
    "not yet valid within leeway": ({"nbf": 10}, None),
    "issued in the future": ({"iat": 600}, "token_not_yet_valid"),
}


@pytest.mark.clients("h1", "h2-tls")
@pytest.mark.parametrize(("offsets", "expected"), TIMES.values(), ids=TIMES.keys())
def test_times(gateway: Start, upstream: Origin, offsets: dict[str, int], expected: str | None) -> None:
    key = SigningKey("ES256")
    port = gateway(token_policy(upstream().port, key)).port
    answer = show(port, key.token(**{name: int(time.time()) + offset for name, offset in offsets.items()}))
    assert answer.status == (401 if expected else 200)
    if expected:
        assert reason(answer) == expected


def test_a_cached_token_dies_with_its_exp(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("ES256")
    port = gateway(token_policy(upstream().port, key, authenticator={"leeway": "0s"})).port
    expiry = int(time.time()) + 2
    token = key.token(exp=expiry)
    assert show(port, token).status == 200
    while time.time() < expiry - 0.2:
        assert show(port, token).status == 200
        time.sleep(0.1)
    while time.time() < expiry + 0.05:
        time.sleep(0.05)
    assert reason(show(port, token)) == "token_expired"


CLAIMS = {
    "other issuer": ({"iss": "https://other.test"}, 401),
    "other audience": ({"aud": "someone-else"}, 401),
    "one of several audiences": ({"aud": ["x", "gateway"]}, 200),
    "no exp": ({"exp": None}, 401),
    "no subject": ({"sub": None}, None),
    "address list that fits": ({"ips": ["127.0.0.0/8"]}, 200),
    "address list that does not": ({"ips": ["10.0.0.1"]}, 403),
    "address list that is broken": ({"ips": ["nonsense"]}, 401),
    "subject with a line break": ({"sub": "a\r\nX-Auth-Scopes: root"}, 401),
}


@pytest.mark.clients("h1", "h2-tls")
@pytest.mark.parametrize(("claims", "status"), CLAIMS.values(), ids=CLAIMS.keys())
def test_claims(gateway: Start, upstream: Origin, claims: dict, status: int | None) -> None:
    origin = upstream()
    key = SigningKey("ES256")
    policy = token_policy(origin.port, key, authenticator={"addresses_claim": "/ips"})
    answer = show(gateway(policy).port, key.token(**claims))
    assert answer.status in ((status,) if status else (200, 401))
    assert len(origin.requests) == (answer.status == 200)


def test_max_lifetime(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("ES256")
    port = gateway(token_policy(upstream().port, key, authenticator={"max_lifetime": "1h"})).port
    now = int(time.time())
    assert show(port, key.token(iat=now, exp=now + 3600)).status == 200
    assert reason(show(port, key.token(iat=now, exp=now + 3700))) == "token_lifetime_too_long"


def test_required_claims(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("ES256")
    required = {"/tenant/id": "7", "/https:~1~1x.test~1role": True}
    port = gateway(token_policy(upstream().port, key, authenticator={"required_claims": required})).port
    good = {"tenant": {"id": "7"}, "https://x.test/role": "any"}
    assert show(port, key.token(**good)).status == 200
    assert reason(show(port, key.token(**good | {"tenant": {"id": "8"}}))) == "token_claim_missing"
    assert reason(show(port, key.token(tenant={"id": "7"}))) == "token_claim_missing"


def test_types(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("ES256")
    port = gateway(token_policy(upstream().port, key, authenticator={"types": ["at+jwt"]})).port
    assert show(port, key.token(header={"typ": "at+jwt"})).status == 200
    assert show(port, key.token(header={"typ": "application/AT+JWT"})).status == 200
    assert reason(show(port, key.token())) == "token_type_wrong"


@pytest.mark.clients(*ALL)
def test_two_issuers_on_one_route(gateway: Start, upstream: Origin) -> None:
    """Told apart by `iss`; the key of one never opens the other."""
    origin = upstream()
    one, two = SigningKey("ES256", "same"), SigningKey("ES256", "same")
    config = policy(
        origin.port,
        key_sets={"one": {"keys": [one.jwk()]}, "two": {"keys": [two.jwk()]}},
        authenticators={
            "one": jwt_authenticator("ES256", issuer="https://one.test", key_set="one"),
            "two": jwt_authenticator("ES256", issuer="https://two.test", key_set="two"),
        },
        routes=[open_route(authenticate=["one", "two"])],
    )
    port = gateway(config).port
    assert show(port, one.token(iss="https://one.test")).status == 200
    assert origin.requests[-1].value("x-auth-issuer") == "https://one.test"
    assert show(port, two.token(iss="https://two.test")).status == 200
    assert show(port, one.token(iss="https://two.test")).status == 401
    assert reason(show(port, one.token(iss="https://three.test"))) == "token_issuer_unknown"


def test_a_flood_of_one_bad_token_is_cheap_and_never_turns_good(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("RS256")
    origin = upstream()
    port = gateway(token_policy(origin.port, key, failure_budget="off")).port
    token = key.token()
    bad = token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    with RawClient(port) as client:
        for _ in range(200):
            assert client.send(request(fields=[f"Authorization: Bearer {bad}"])).response().status == 401
        assert client.send(request(fields=[f"Authorization: Bearer {token}"])).response().status == 200
    assert len(origin.requests) == 1


def test_pem_and_file_key_sets(gateway: Start, upstream: Origin, tmp_path) -> None:
    first, second = SigningKey("RS256", "pem-key"), SigningKey("ES256", "file-key")
    (tmp_path / "key.pem").write_bytes(first.public_pem)
    (tmp_path / "jwks.json").write_text(key_set(second))
    config = policy(
        upstream().port,
        key_sets={
            "pem": {"pem": str(tmp_path / "key.pem"), "kid": "pem-key", "algorithm": "RS256"},
            "file": {"file": str(tmp_path / "jwks.json")},
        },
        authenticators={
            "pem": jwt_authenticator("RS256", issuer="https://pem.test", key_set="pem"),
            "file": jwt_authenticator("ES256", issuer="https://file.test", key_set="file"),
        },
        routes=[open_route(authenticate=["pem", "file"])],
    )
    port = gateway(config).port
    assert show(port, first.token(iss="https://pem.test")).status == 200
    assert show(port, second.token(iss="https://file.test")).status == 200


@pytest.mark.clients(*ALL)
def test_scopes_and_claims_of_a_route(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("ES256")
    config = token_policy(upstream().port, key)
    config["routes"] = [
        open_route(
            match={"path": "/orgs/{org}/devices"},
            authenticate=["jwt"],
            authorize={"scopes": ["devices:read"], "claims": {"/org": "{path.org}"}},
        )
    ]
    port = gateway(config).port

    def status(place: str, **claims: object) -> Message:
        return show(port, key.token(**claims), target=f"/orgs/{place}/devices")

    assert status("acme", org="acme", scope="x devices:read").status == 200
    assert status("acme", org=["other", "acme"], scope="devices:read").status == 200
    assert reason(status("acme", org="acme", scope="devices:readx")) == "scope_missing"
    assert status("acme", org="evil", scope="devices:read").status == 403
    assert status("acme", scope="devices:read").status == 403
    assert status("acm%65", org="acme", scope="devices:read").status in (200, 400)
    refused = status("acme", org="acme", scope="other")
    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.value("www-authenticate")


# Around the token.


@pytest.fixture
def mixed(gateway: Start, upstream: Origin) -> tuple[Gateway, Upstream, SigningKey, str]:
    """A route that takes an API key or a token."""
    origin = upstream()
    key = SigningKey("ES256")
    secret, record = api_key()
    config = token_policy(origin.port, key)
    config["authenticators"]["keys"] = key_authenticator(record)
    config["routes"] = [open_route(authenticate=["keys", "jwt"])]
    return gateway(config), origin, key, secret


@pytest.mark.clients(*ALL)
def test_k01_two_authorization_fields(mixed) -> None:
    running, origin, key, _ = mixed
    token = key.token()
    for second in (token, "x.y.z"):
        answer = ask(running.port, fields=[f"Authorization: Bearer {token}", f"Authorization: Bearer {second}"])
        assert answer.status in (400, 401)
    assert not origin.requests


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_k02_scheme_in_any_case(mixed, scheme: str) -> None:
    running, _, key, _ = mixed
    assert ask(running.port, fields=[f"Authorization: {scheme} {key.token()}"]).status == 200


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "", "Basic eDp5", "Bearer a b"])
def test_k03_nothing_usable_behind_bearer(mixed, value: str) -> None:
    running, origin, _, _ = mixed
    answer = ask(running.port, fields=[f"Authorization: {value}"])
    assert answer.status in (400, 401)
    if answer.status == 401:
        assert answer.values("www-authenticate")
    assert not origin.requests


@pytest.mark.clients(*ALL)
def test_k04_a_token_in_the_query_does_not_count_and_is_not_logged(mixed) -> None:
    running, origin, key, _ = mixed
    token = key.token()
    assert ask(running.port, f"/?access_token={token}").status == 401
    assert not origin.requests
    assert running.access_records(1)[0]["status"] == 401
    assert token.split(".")[2] not in running.access_text() + "\n".join(running.lines)


@pytest.mark.clients(*ALL)
def test_k05_a_token_and_another_credential(mixed) -> None:
    """The first source in the configured order decides: the key. A bad key is not rescued by a good token."""
    running, origin, key, secret = mixed
    token = key.token()
    good = ask(running.port, fields=[f"X-API-Key: {secret}", f"Authorization: Bearer {token}"])
    assert good.status in (200, 400)
    if good.status == 200:
        assert origin.requests[-1].value("x-auth-method") == "api_key"
        assert not {"authorization", "x-api-key"} & origin.requests[-1].names()
    count = len(origin.requests)
    assert ask(running.port, fields=["X-API-Key: rbtk_bad", f"Authorization: Bearer {token}"]).status in (400, 401)
    assert len(origin.requests) == count


def test_k06_two_keys_of_one_kid(gateway: Start, upstream: Origin) -> None:
    first, second = SigningKey("ES256", "twin"), SigningKey("ES256", "twin")
    config = token_policy(upstream().port, first)
    config["key_sets"]["issuer"]["keys"] = [first.jwk(), second.jwk()]
    try:
        running = gateway(config)
    except AssertionError:
        return  # the key set is refused as a whole
    statuses = [show(running.port, key.token()).status for key in (first, second)]
    assert statuses in ([200, 200], [401, 401], [503, 503])


def test_k07_an_oct_key_from_a_url_is_ignored(gateway: Start, upstream: Origin, key_set_server) -> None:
    shared, proper = SigningKey("HS256"), SigningKey("ES256")
    server = key_set_server(key_set(shared, proper))
    config = token_policy(upstream().port, shared, proper)
    config["key_sets"]["issuer"] = {"url": server.url}
    port = gateway(config).port
    assert show(port, proper.token()).status == 200
    assert show(port, shared.token()).status == 401


@pytest.mark.clients(*ALL)
def test_tokens_do_not_reach_the_upstream_nor_the_log(mixed) -> None:
    running, origin, key, _ = mixed
    token = key.token(jti="visible-id")
    show(running.port, token)
    record = running.access_records(1)[0]
    assert record["credential"] == "visible-id" and record["subject"] == "alice"
    for part in token.split("."):
        assert part not in running.access_text()
        assert part.encode() not in origin.raw
    assert json.loads(running.access_text().splitlines()[0])["auth"] == "jwt"
