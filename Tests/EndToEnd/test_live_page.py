"""The live page of the admin listener, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from harness.browser import Browser
from harness.client import ask
from harness.gateway import Gateway
from harness.policy import Json, api_key, keyed_policy
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


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, False), (1280, True)], ids=["phone", "desktop", "dark"])
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
