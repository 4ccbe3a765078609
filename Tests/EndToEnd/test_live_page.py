"""The live page of the admin listener, in a real browser."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.browser import Browser
from harness.certificates import shelf
from harness.client import ask
from harness.gateway import Gateway
from harness.issuer import KeySetServer, SigningKey, jwt_authenticator, key_set
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.server import free_ports
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

LIMIT = {"requests": 5, "per": "1h", "burst": 5, "by": "identity"}


@pytest.fixture
def busy(gateway: Start, upstream: Origin) -> Gateway:
    """A gateway that has answered, limited and refused."""
    secret, record = api_key(id="ci")
    config: Json = keyed_policy(
        upstream().port, records=[record], route={"limits": ["slow", "tried"]},
        limits={"slow": LIMIT, "tried": LIMIT | {"burst": 2, "mode": "shadow"}},
        admin={"address": "127.0.0.1:0"},
    )  # fmt: skip
    running = gateway(config)
    for _ in range(8):
        ask(running.port, fields=[f"X-API-Key: {secret}"])
    for _ in range(3):
        ask(running.port, fields=["X-API-Key: <img src=x onerror=alert(1)>"])
    return running


@pytest.fixture
def furnished(gateway: Start, upstream: Origin, key_set_server: Callable[..., KeySetServer]) -> Gateway:
    """A gateway with a key set that is fetched and one that cannot be, a certificate, and a server that is not there."""
    issuer = key_set_server(key_set(SigningKey("ES256", "k")))
    [closed] = free_ports(1)
    config = policy(
        upstream().port,
        listeners=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0", "tls": shelf().listener}],
        routes=[
            open_route(),
            open_route(name="gone", match={"path": "/gone"}, upstream="gone"),
            open_route(name="tokens", match={"path": "/tokens"}, authenticate=["tokens", "others"]),
        ],
        key_sets={"fetched": {"url": issuer.url}, "missing": {"url": f"http://127.0.0.1:{closed}/keys"}},
        authenticators={
            "tokens": jwt_authenticator("ES256", key_set="fetched"),
            "others": jwt_authenticator("ES256", key_set="missing", issuer="https://other.example"),
        },
    )
    config["upstreams"]["gone"] = {"servers": [f"http://127.0.0.1:{closed}"]}
    running = gateway(config)
    assert ask(running.port, "/").status == 200
    assert ask(running.port, "/gone").status == 502
    return running


def section(browser: Browser, name: str) -> str:
    return browser.evaluate(f"document.getElementById('{name}').innerText")


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)], ids=["phone", "desktop"])
def test_every_section_is_filled(furnished: Gateway, width: int, dark: bool) -> None:
    with Browser(width, 900, dark=dark) as browser:
        browser.open(f"http://127.0.0.1:{furnished.admin_port}/")
        browser.wait_until("document.getElementById('keysets').innerText.includes('not usable')")
        keys = section(browser, "keysets")
        assert "fetched" in keys and "missing" in keys and re.search(r"fetched\s+ok\s+1\s+\d+ s ago\s+\d+ s", keys), keys
        certificates = section(browser, "certificates")
        assert "listener" in certificates and "localhost" in certificates and re.search(r"in \d\d d", certificates), certificates
        upstreams = section(browser, "upstreams")
        assert re.search(r"gone\s+\S+\s+failing, \d+ s ago", upstreams) and re.search(r"up\s+\S+\s+ok", upstreams), upstreams
        assert "upstream_unreachable" in section(browser, "refusals") and "in force" in section(browser, "reload")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        # Nothing of a route is to be looked for at the side.
        places = browser.evaluate(
            "[...document.querySelectorAll('#routes td')].map(c => { const b = c.getBoundingClientRect(); "
            "return [c.dataset.label, b.left, b.right]; })"
        )
        assert {"p50", "p99", "5xx"} <= {label for label, _, _ in places}
        assert all(0 <= left and right <= width for _, left, right in places), places
        assert not browser.problems
        picture = browser.screenshot()
        assert len(picture) > 10_000
        if folder := os.environ.get("PICTURES"):
            Path(folder, f"live-{width}.png").write_bytes(picture)


@pytest.mark.parametrize(
    ("width", "dark"), [(390, False), (390, True), (1280, False), (1280, True)], ids=["phone", "dark-phone", "desktop", "dark"]
)
def test_the_page_tells_what_goes_on(busy: Gateway, width: int, dark: bool) -> None:
    with Browser(width, 900, dark=dark) as browser:
        browser.open(f"http://127.0.0.1:{busy.admin_port}/")
        browser.wait_until("document.getElementById('state').textContent === 'live'")
        text = browser.evaluate("document.body.innerText")
        for part in ("rate_limited", "credential_unknown", "ci", "slow", "in force", "fingerprint "):
            assert part in text, part
        assert browser.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the window"
        background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3
        assert (brightness < 80) == dark
        assert len(browser.screenshot()) > 10_000
        assert not browser.problems
        outside = [url for url in browser.requested if not url.startswith(f"http://127.0.0.1:{busy.admin_port}/")]
        assert not [url for url in outside if not url.startswith("about:")]


def test_the_page_tells_whom_tried_rules_would_refuse(busy: Gateway) -> None:
    with Browser() as browser:
        browser.open(f"http://127.0.0.1:{busy.admin_port}/")
        browser.wait_until("document.querySelectorAll('#shadow tbody tr').length === 1")
        row = browser.evaluate("[...document.querySelectorAll('#shadow tbody tr > *')].map(c => c.textContent)")
        assert row[1:] == ["limits.tried", "rate_limited", "3", "ci (3)"]
        assert not browser.problems


def test_the_page_moves(busy: Gateway) -> None:
    with Browser() as browser:
        browser.open(f"http://127.0.0.1:{busy.admin_port}/")
        browser.wait_until("document.querySelectorAll('#routes polyline').length >= 2")
        before = browser.evaluate("document.querySelector('#refusals td.number').textContent")
        for _ in range(20):
            ask(busy.port)
        browser.wait_until(f"document.querySelector('#refusals td.number').textContent !== '{before}'")
        browser.wait_until("document.querySelector('#routes polyline').getAttribute('points').split(' ').length >= 2")
        assert not browser.problems


def test_a_pasted_curl_line_is_explained(busy: Gateway) -> None:
    with Browser() as browser:
        browser.open(f"http://127.0.0.1:{busy.admin_port}/")

        def explain(line: str, said: str) -> str:
            browser.evaluate(f"document.getElementById('curl').value = {json.dumps(line)}")
            browser.evaluate("document.querySelector('#question button').click()")
            shown = "document.getElementById('answer').textContent"
            browser.wait_until(f"{shown}.includes({json.dumps(said)})")
            return browser.evaluate(shown)

        secret = "<b>no key</b>"
        text = explain(f"curl -H 'X-API-Key: {secret}' http://127.0.0.1:{busy.port}/", "refused: 401 credential_unknown by ")
        assert secret not in text and "gateway.json:" in text
        assert browser.evaluate("document.querySelectorAll('#answer *').length") == 0, "text is never made markup"
        explain("curl --frobnicate http://a/", "--frobnicate is not known here")
        assert not [problem for problem in browser.problems if "400" not in problem]


def test_keyboard_and_screen_reader(busy: Gateway) -> None:
    with Browser() as browser:
        browser.open(f"http://127.0.0.1:{busy.admin_port}/")
        browser.wait_until("document.getElementById('state').textContent === 'live'")
        assert browser.evaluate("document.documentElement.lang") == "en"
        unnamed = "[...document.querySelectorAll('section')].filter(s => !document.getElementById(s.getAttribute('aria-labelledby')))"
        assert browser.evaluate(f"{unnamed}.length") == 0
        assert browser.evaluate("[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-label'))")
        assert browser.evaluate("[...document.querySelectorAll('th')].every(h => h.getAttribute('scope'))")
        assert browser.evaluate("document.getElementById('curl').labels.length") == 1
        focused = []
        for _ in range(40):
            for kind in ("keyDown", "keyUp"):
                browser.command("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            focused.append(browser.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert {"curl", "BUTTON", "answer"} <= set(focused)


def test_the_page_may_load_nothing_and_be_framed_by_nobody(busy: Gateway) -> None:
    answer = ask(busy.admin_port, "/")
    assert answer.status == 200
    assert answer.value("content-type") == "text/html; charset=utf-8"
    policy = answer.value("content-security-policy")
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "connect-src 'self'" in policy
    page = answer.body.decode()
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "innerHTML" not in page, "text from outside is never made markup"


def test_a_page_of_another_origin_changes_nothing(busy: Gateway) -> None:
    host = f"127.0.0.1:{busy.admin_port}"
    curl = b"curl http://127.0.0.1/"

    def explained(origin: str) -> int:
        return ask(busy.admin_port, "/explain", [f"Origin: {origin}"], "POST", curl, host=host).status

    assert explained(f"http://{host}") == 200
    for origin in ("http://evil.test", "null", "http://127.0.0.1", f"http://evil.test/{host}", f"http://{host}.evil.test", ""):
        assert explained(origin) == 403, origin
