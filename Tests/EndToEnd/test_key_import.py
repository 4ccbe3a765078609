"""Keys that exist elsewhere come into the store by their digests."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any

import pytest
import requests
from harness.gateway import Gateway, run_portcullis
from harness.policy import open_route, policy
from harness.upstream import Upstream
from harness.waiting import until

ADMIN, PEPPER = "admin-token-of-sixteen-characters", "a pepper of more than sixteen bytes"
ENVIRONMENT = {"ADMIN_TOKEN": ADMIN, "PEPPER": PEPPER}
Json = dict[str, Any]


def importing(origin: int, **keys: Any) -> Json:
    manage = {"manage": {"resource": "api_keys", "authenticator": "keys"}}
    record = {"id": "root", "sha256": hashlib.sha256(b"root-of-all-keys").hexdigest()}
    if "pepper" in keys:
        record = {"id": "root", "hmac_sha256": hmac.new(PEPPER.encode(), b"root-of-all-keys", "sha256").hexdigest()}
    importing = {"manage": manage["manage"] | {"import": True}}
    whole = policy(
        origin,
        store={"sqlite": "store.db"},
        authenticators={"keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True, "keys": [record]} | keys},
        routes=[
            {"name": "plain", "match": {"path": "/keys/**"}, "authenticate": ["keys"], "action": manage},
            {"name": "import", "match": {"path": "/import"}, "authenticate": ["keys"], "action": importing},
            open_route(name="app", match={"path": "/app"}, authenticate=["keys"]),
        ],
    )
    return whole | {"admin": {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}}


class System:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def admin(self, **members: Any) -> requests.Response:
        return requests.post(
            f"http://127.0.0.1:{self.gateway.admin_port}/v1/api_keys", json={"api_key": {"name": "old"} | members},
            headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10,
        )  # fmt: skip

    def route(self, path: str, **members: Any) -> requests.Response:
        return requests.post(
            f"{self.gateway.url}{path}", json={"api_key": {"name": "old"} | members},
            headers={"X-API-Key": "root-of-all-keys"}, timeout=10,
        )  # fmt: skip

    def opens(self, key: str) -> int:
        return requests.get(f"{self.gateway.url}/app", headers={"X-API-Key": key}, timeout=10).status_code


@pytest.fixture
def system(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> Callable[..., System]:
    return lambda **keys: System(gateway(importing(upstream().port, **keys), environment=ENVIRONMENT))


def test_a_key_that_exists_is_imported_and_nothing_is_shown(system: Callable[..., System]) -> None:
    one = system()
    old = secrets.token_urlsafe(24)
    assert one.opens(old) == 401
    answer = one.admin(sha256=hashlib.sha256(old.encode()).hexdigest().upper())
    assert answer.status_code == 201 and "key" not in answer.json() and old not in answer.text
    assert one.opens(old) == 200
    assert answer.json()["secrets"][0]["fingerprint"] == hashlib.sha256(old.encode()).hexdigest()[:8]
    again = one.admin(sha256=hashlib.sha256(old.encode()).hexdigest())
    assert again.status_code == 422 and again.json()["errors"] == ["Sha256 has already been taken"]


@pytest.mark.parametrize("digest", ["", "ab", "g" * 64, "a" * 63, "a" * 65, None, 7, ["a" * 64], " " + "a" * 63])
def test_what_is_not_a_digest_makes_no_key(system: Callable[..., System], digest: Any) -> None:
    one = system()
    answer = one.admin(sha256=digest)
    assert answer.status_code == 422 and answer.json()["errors"][0].startswith("Sha256"), answer.text


def test_a_route_imports_only_where_the_policy_says_so(system: Callable[..., System]) -> None:
    one = system()
    old = secrets.token_urlsafe(24)
    digest = hashlib.sha256(old.encode()).hexdigest()
    # The answer is the same for a digest that is taken: callers who may not import learn nothing of others' keys.
    assert one.admin(sha256=digest).status_code == 201
    other = hashlib.sha256(b"another").hexdigest()
    for tried in (digest, other):
        refused = one.route("/keys", sha256=tried)
        assert refused.status_code == 422 and refused.json()["errors"] == ["sha256 is not a known parameter"]
    assert one.route("/import", sha256=other).status_code == 201 and one.opens("another") == 200
    assert one.route("/import", sha256=digest).status_code == 422
    assert one.route("/import", sha256=hashlib.sha256(b"x").hexdigest(), scopes=["root"]).status_code == 403
    assert one.opens("x") == 401


def test_with_a_pepper_the_digest_is_keyed(system: Callable[..., System]) -> None:
    one = system(pepper="env:PEPPER")
    old = secrets.token_urlsafe(24)
    plain = one.admin(sha256=hashlib.sha256(old.encode()).hexdigest())
    assert plain.status_code == 422 and "it takes hmac_sha256" in plain.json()["errors"][0]
    keyed = hmac.new(PEPPER.encode(), old.encode(), "sha256").hexdigest()
    assert one.admin(hmac_sha256=keyed).status_code == 201 and one.opens(old) == 200
    assert one.opens(keyed) == 401


@pytest.mark.parametrize("pepper", [None, "env:PEPPER"])
def test_the_command_line_imports_what_it_hashes(system: Callable[..., System], pepper: str | None) -> None:
    one = system(**({"pepper": pepper} if pepper else {}))
    old = secrets.token_urlsafe(24)

    def command(*words: str, given: str | None = None) -> str:
        done = run_portcullis(*words, folder=one.gateway.folder, given=given, environment=ENVIRONMENT)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    digest = command("key", "hash", "--bare", *(["--pepper", pepper] if pepper else []), given=old)
    option = "--hmac-sha256" if pepper else "--sha256"
    shown = command("key", "create", "--name", "old", option, digest, "--json", "--config", str(one.gateway.path))
    assert '"key":' not in shown.replace(" ", "")
    until(lambda: one.opens(old) == 200, 10, "the key to be taken")
