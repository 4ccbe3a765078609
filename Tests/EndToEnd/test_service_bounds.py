"""What strangers and key holders can make the token service do is bounded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness.gateway import Gateway
from harness.upstream import Upstream, answering, ok
from test_issued_tokens import EMAIL, KEY, Issuer, reason

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]
FLOOD = "{" + ",".join(f'"{number:x}":0' for number in range(7200)) + "}"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def issuer(gateway: Start, upstream: Origin, tmp_path: Path) -> Issuer:
    budget = {"failures": 1, "per": "1h", "burst": 3}
    return Issuer(gateway, tmp_path, upstream(answering(lambda _: ok(b"{}"))), failure_budget=budget)


def post(issuer: Issuer, path: str, content: str, key: str | None = None) -> tuple[int, str]:
    fields = JSON | ({"X-API-Key": key} if key else {})
    answer = issuer.session.post(issuer.gateway.url + path, content, headers=fields, timeout=20)
    return answer.status_code, reason(answer)


@pytest.mark.parametrize("path", ["/login", "/refresh"])
@pytest.mark.parametrize(("content", "expected"), [
    (FLOOD, (422, "parameters_invalid")), ("{", (400, "content_malformed")), ("{}", (422, "parameters_invalid")),
], ids=["members", "cut", "empty"])
def test_content_of_strangers_that_cannot_be_read_is_a_failure(
    path: str, content: str, expected: tuple[int, str], issuer: Issuer
) -> None:
    # The same again is no other guess; white space makes another one of it.
    assert [post(issuer, path, content) for _ in range(5)] == [expected] * 5
    assert [post(issuer, path, content + " " * count) for count in (1, 2)] == [expected] * 2
    assert post(issuer, path, content) == (429, "too_many_failures")
    assert post(issuer, "/login", f'{{"email":"{EMAIL}","password":"x"}}') == (429, "too_many_failures")


def test_content_of_a_caller_that_cannot_be_read_is_no_failure(issuer: Issuer) -> None:
    assert [post(issuer, "/mint", FLOOD, KEY) for _ in range(8)] == [(422, "parameters_invalid")] * 8
    assert issuer.call("/mint", KEY).status_code == 200
