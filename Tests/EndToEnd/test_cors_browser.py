"""A page of another origin in a real browser: what it may send, and what it reads of answers and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from harness.browser import Browser
from harness.gateway import Gateway
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.upstream import Upstream, answering, ok

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients("h1"), pytest.mark.upstreams("http")]

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<!doctype html>"
#: One call: its status, content and some fields as the page reads them, or what became of it.
CALL = """(async () => {
  const names = ["x-request-id", "retry-after", "x-ratelimit-remaining", "etag", "x-secret", "access-control-allow-origin"];
  try {
    const answer = await fetch(URL, OPTIONS);
    const text = await answer.text();
    return {status: answer.status, text, fields: Object.fromEntries(names.map(name => [name, answer.headers.get(name)]))};
  } catch (error) { return {error: error.name}; }
})()"""


class Page:
    """A page of one origin that asks a gateway of another one."""

    def __init__(self, browser: Browser, gateway: Gateway, key: str) -> None:
        self.browser, self.gateway, self.key = browser, gateway, key

    def call(self, path: str, method: str = "GET", fields: Json | None = None, **options: object) -> Json:
        options |= {"method": method, "headers": fields or {}}
        script = CALL.replace("URL", json.dumps(self.gateway.url + path), 1).replace("OPTIONS", json.dumps(options), 1)
        return self.browser.evaluate(script)


@pytest.fixture
def page(gateway: Start, upstream: Origin) -> Iterator[Callable[..., Page]]:
    site = upstream(answering(lambda _: PAGE))
    secret, record = api_key()
    with Browser() as browser:

        def opened(cors: Json | None = None, **members: object) -> Page:
            origin = f"http://127.0.0.1:{site.port}"
            own = ['ETag: "e"', "X-Secret: s", "Access-Control-Allow-Origin: x"]
            api = upstream(answering(lambda request: ok(request.body or b"read", *own)))
            config = policy(
                api.port,
                authenticators={"keys": key_authenticator(record)},
                limits={"one": {"requests": 1, "per": "1h", "by": "identity"}},
                cors={"origins": [origin], "expose": ["ETag"]} | (cors or {}),
                routes=[
                    open_route(name="items", match={"path": "/items/**", "methods": ["GET", "PUT"]}, authenticate=["keys"]),
                    open_route(name="limited", match={"path": "/limited"}, authenticate=["keys"], limits=["one"]),
                    open_route(name="shut", match={"path": "/shut"}, cors=None),
                ],
                **members,
            )
            running = gateway(config)
            browser.open(origin + "/")
            return Page(browser, running, secret)

        yield opened


def test_a_page_reads_answers_and_refusals(page: Callable[..., Page]) -> None:
    one = page()
    keyed = {"Authorization": f"Bearer {one.key}"}
    answer = one.call("/items/7", "PUT", keyed | {"Content-Type": "application/json"}, body='{"a": 1}')
    assert (answer["status"], answer["text"]) == (200, '{"a": 1}')
    assert answer["fields"]["etag"] == '"e"' and answer["fields"]["x-request-id"] and answer["fields"]["x-secret"] is None
    answer = one.call("/items/7")
    assert answer["status"] == 401 and json.loads(answer["text"])["reason"] == "credential_missing"
    assert json.loads(answer["text"])["request_id"] == answer["fields"]["x-request-id"]
    assert one.call("/limited", fields=keyed)["status"] == 200
    answer = one.call("/limited", fields={"X-API-Key": one.key})
    assert answer["status"] == 429 and json.loads(answer["text"])["reason"] == "rate_limited"
    assert int(answer["fields"]["retry-after"]) > 0 and answer["fields"]["x-ratelimit-remaining"] == "0"
    assert one.call("/nowhere", fields=keyed)["status"] == 404


def test_a_page_uploads(page: Callable[..., Page]) -> None:
    one = page()
    content = "x" * 300_000
    answer = one.call("/items/7", "PUT", {"X-API-Key": one.key}, body=content)
    assert answer["status"] == 200 and answer["text"] == content


def test_what_is_not_allowed_is_not_sent(page: Callable[..., Page]) -> None:
    one = page()
    keyed = {"X-API-Key": one.key}
    failed = {"error": "TypeError"}
    assert one.call("/items/7", "PUT", keyed | {"X-Other": "1"}) == failed
    assert one.call("/items/7", "DELETE", keyed) == failed
    assert one.call("/shut", "PUT") == failed
    assert one.call("/shut") == failed
    assert one.call("/items/7", credentials="include") == failed
    assert [record["method"] for record in one.gateway.access_records(5)] == ["OPTIONS", "OPTIONS", "OPTIONS", "GET", "GET"]


def test_a_page_of_an_origin_that_is_not_listed(page: Callable[..., Page]) -> None:
    one = page({"origins": ["http://127.0.0.1:1"]})
    assert one.call("/items/7", "PUT", {"X-API-Key": one.key}) == {"error": "TypeError"}
    assert one.call("/items/7") == {"error": "TypeError"}
    first, second = one.gateway.access_records(2)
    assert (first["method"], first["reason"], second["reason"]) == ("OPTIONS", "origin_not_allowed", "credential_missing")


def test_every_page_and_any_field(page: Callable[..., Page]) -> None:
    one = page({"origins": ["*"], "headers": ["*"], "methods": ["*"], "expose": ["*"]})
    answer = one.call("/items/7", "PUT", {"Authorization": f"Bearer {one.key}", "X-Any": "1"}, body="a")
    assert answer["status"] == 200 and answer["fields"]["x-secret"] == "s"


def test_cookies_are_sent_where_credentials_are_allowed(page: Callable[..., Page]) -> None:
    one = page({"credentials": True})
    assert one.call("/items/7", "PUT", {"X-API-Key": one.key}, credentials="include", body="a")["status"] == 200
    assert one.call("/items/7", credentials="include")["status"] == 401


def test_a_preflight_is_kept(page: Callable[..., Page]) -> None:
    one = page({"max_age": "10m"})
    for _ in range(3):
        assert one.call("/items/7", "PUT", {"X-API-Key": one.key}, body="a")["status"] == 200
    assert [record["method"] for record in one.gateway.access_records(4)] == ["OPTIONS", "PUT", "PUT", "PUT"]
