"""Key documents and claims as issuers write them, and what operators learn of those that cannot be used."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from harness.client import ask, reason
from harness.gateway import Gateway, run_portcullis
from harness.issuer import KeySetServer, SigningKey, jwt_authenticator, key_set
from harness.messages import Message
from harness.policy import Json, open_route, policy
from harness.protocols import HTTP1_ONLY
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]
Server = Callable[..., KeySetServer]

pytestmark = pytest.mark.clients(*HTTP1_ONLY)


def keyed(port: int, key_set: Json, **authenticator: object) -> Json:
    return policy(
        port,
        key_sets={"issuer": key_set},
        failure_budget="off",
        authenticators={"jwt": jwt_authenticator("ES256", "RS256", "Ed25519", **authenticator)},
        routes=[open_route(authenticate=["jwt"])],
    )


def show(running: Gateway, token: str) -> Message:
    return ask(running.port, fields=[f"Authorization: Bearer {token}"])


def signed(key: SigningKey, header: Json | None = None, **claims: object) -> str:
    """A token with what no library writes: claims of any type, and no header but this one."""
    content = jwt.decode(key.token(), options={"verify_signature": False}) | claims
    return jwt.PyJWS().encode(json.dumps(content).encode(), key.private, key.algorithm, header)


def without_kid(key: SigningKey, **members: object) -> Json:
    return {name: value for name, value in key.jwk().items() if name != "kid"} | members


def test_every_key_of_a_pem_file_verifies(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    keys = [SigningKey("ES256"), SigningKey("ES256"), SigningKey("EdDSA"), SigningKey("RS256")]
    file = tmp_path / "keys.pem"
    file.write_bytes(b"\n".join(key.public_pem for key in keys))
    running = gateway(keyed(upstream().port, {"pem": str(file)}))
    assert [show(running, key.token()).status for key in keys] == [200] * 4
    assert reason(show(running, SigningKey("ES256").token())) == "token_signature_invalid"


def test_keys_and_tokens_without_a_kid(gateway: Start, upstream: Origin) -> None:
    named, bare = [SigningKey("ES256"), SigningKey("ES256")], SigningKey("ES256")
    running = gateway(keyed(upstream().port, {"keys": [key.jwk() for key in named] + [without_kid(bare, kid=None)]}))
    for key in [*named, bare]:
        assert show(running, signed(key)).status == 200
    assert show(running, bare.token(header={"kid": "any"})).status == 200
    assert reason(show(running, named[0].token(header={"kid": "any"}))) == "token_key_unknown"


def test_an_ed25519_token_under_both_names(gateway: Start, upstream: Origin) -> None:
    key = SigningKey("EdDSA")
    running = gateway(keyed(upstream().port, {"keys": [key.jwk() | {"alg": "Ed25519"}]}))
    assert show(running, key.token()).status == 200
    header = base64.urlsafe_b64encode(json.dumps({"alg": "Ed25519", "kid": key.kid}).encode()).rstrip(b"=")
    message = header + b"." + key.token().split(".")[1].encode()
    signature = base64.urlsafe_b64encode(key.private.sign(message)).rstrip(b"=")
    assert show(running, (message + b"." + signature).decode()).status == 200


def test_a_private_key_is_skipped_and_reported(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    good, bad = SigningKey("ES256"), SigningKey("ES256")
    document = {"keys": [bad.jwk(private=True), good.jwk(), bad.jwk()]}
    running = gateway(keyed(upstream().port, {"url": key_set_server("\ufeff" + json.dumps(document)).url}))
    assert show(running, good.token()).status == 200
    assert reason(show(running, bad.token())) == "token_key_unknown"
    skipped = json.loads(running.admin("/status"))["key_sets"][0]["skipped"]
    assert [key["index"] for key in skipped] == [0, 2]
    assert all("private key" in key["reason"] for key in skipped)


@pytest.mark.parametrize(
    ("claims", "header", "member"),
    [({"jti": []}, {}, "jti"), ({"iat": "now"}, {}, "iat"), ({"iss": 7}, {}, "iss"), ({}, {"zip": "DEF"}, "header zip")],
)
def test_the_malformed_member_is_named_in_the_log_and_not_to_the_client(
    gateway: Start, upstream: Origin, claims: Json, header: Json, member: str
) -> None:
    key = SigningKey("ES256")
    running = gateway(keyed(upstream().port, {"keys": [key.jwk()]}))
    answer = show(running, signed(key, {"kid": key.kid} | header, **claims))
    assert reason(answer) == "token_malformed"
    assert member.encode() not in answer.body
    assert running.access_records(1)[0]["token_member"] == member


def test_ready_waits_for_keys_where_the_policy_says_so(gateway: Start, upstream: Origin, key_set_server: Server) -> None:
    key = SigningKey("ES256")
    server = key_set_server("<html>not yet</html>")
    config = keyed(upstream().port, {"url": server.url})
    config["admin"] = {"address": "127.0.0.1:0", "ready_when": "keys"}
    running = gateway(config)
    assert ask(running.admin_port, "/healthz").status == 200
    assert ask(running.admin_port, "/readyz").status == 503
    server.publish(key_set(key))
    # A first fetch that failed is tried again long before the cool-down of 30 s is over.
    until(lambda: ask(running.admin_port, "/readyz").status == 200)
    assert show(running, key.token()).status == 200
    server.publish("rubbish")
    assert ask(running.admin_port, "/key_sets/issuer/refresh", method="POST").status == 202
    until(lambda: json.loads(running.admin("/status"))["key_sets"][0]["last_error"])
    assert ask(running.admin_port, "/readyz").status == 200


def online(folder: Path, config: Json, *options: str):
    (folder / "gateway.json").write_text(json.dumps(config, indent=2))
    return run_portcullis("check", "--config", "gateway.json", "--online", *options, folder=folder)


def test_check_online_fetches_what_the_file_names(tmp_path: Path, key_set_server: Server) -> None:
    good, bad = SigningKey("ES256"), SigningKey("RS256")
    server = key_set_server(json.dumps({"keys": [good.jwk(), bad.jwk() | {"use": "enc"}]}))
    done = online(tmp_path, keyed(9000, {"url": server.url}))
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert f"key set issuer: {server.url}: 1 key" in done.stdout
    assert 'warning: key_sets.issuer: ' in text and f'keys[1] "{bad.kid}" is not used: not for verifying signatures' in text
    assert online(tmp_path, keyed(9000, {"url": server.url}), "--strict").returncode == 1


@pytest.mark.parametrize("document", ["<html></html>", '{"keys":[]}', '{"jwks_uri":"http://127.0.0.1/"}'])
def test_check_online_refuses_a_file_whose_keys_cannot_be_had(tmp_path: Path, key_set_server: Server, document: str) -> None:
    server = key_set_server(document)
    done = online(tmp_path, keyed(9000, {"url": server.url}), "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert not report["valid"]
    assert [one["code"] for one in report["diagnostics"] if one["severity"] == "error"] == ["key_set_unfetchable"]
    discovered = online(tmp_path, keyed(9000, {"issuer": server.url}))
    assert discovered.returncode == 1 and "metadata" in discovered.stderr
    server.stop()
    assert online(tmp_path, keyed(9000, {"url": server.url})).returncode == 1
