"""What a client sends comes back in the gateway's own answers as text, whatever the answer's type."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote

import pytest
from harness.client import ask
from harness.gateway import Gateway
from harness.messages import Message
from harness.policy import Json, policy
from harness.protocols import ALL

Start = Callable[..., Gateway]

pytestmark = [pytest.mark.clients(*ALL)]

TRICKS = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "</script><script>alert(1)//",
    "&lt;script&gt;",
    "a\r\nSet-Cookie: x=1", "\u2028alert(1)", "+ADw-script+AD4-", "${7*7}{{7*7}}<%= 7 %>", "=cmd|' /C calc'!A0", "\u202etxt.exe", "\\",
]  # fmt: skip


def login(gateway: Start, profile: Json) -> Gateway:
    """A gateway with a login route, whose refusals look like this."""
    route = {"name": "login", "match": {"path": "/login"}, "authenticate": "none", "action": {"login": {"key_set": "own"}}}
    return gateway(
        policy(
            9, routes=[route], failure_budget="off", responses="own", profiles={"own": profile},
            store={"sqlite": "store.db", "encryption_key": "env:SECRET"}, key_sets={"own": {"stored": True, "algorithms": ["HS256"]}},
        ),
        environment={"SECRET": "e" * 40},
    )  # fmt: skip


def refused(running: Gateway, trick: str) -> Message:
    """The answer to a login with a member of this name."""
    answer = ask(running.port, "/login", ["Content-Type: application/json"], method="POST", body=json.dumps({trick: 1}).encode())
    assert answer.status == 422
    return answer


def shown(trick: str) -> str:
    """The part of a trick that is readable text."""
    return "".join(letter if letter.isprintable() else " " for letter in trick)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("media_type", ["text/html", "text/html; charset=utf-7", "application/xhtml+xml", "image/svg+xml", "x/unknown"])
def test_a_script_in_a_member_name_on_a_page(gateway: Start, media_type: str) -> None:
    body = "<p title=\"{errors}\" lang='{errors}'>{errors}</p>"
    running = login(gateway, {"default": {"body": body, "content_type": media_type}})
    for trick in TRICKS:
        answer = refused(running, trick)
        assert answer.body.isascii()
        page = Page(answer.body.decode())
        assert page.tags == ["p"] and [name for name, _ in page.attributes] == ["title", "lang"], answer.body
        assert shown(trick) in page.text and page.attributes[0][1] == page.attributes[1][1] == page.text
        assert answer.value("x-content-type-options") == "nosniff"


def test_a_script_in_a_member_name_in_json_and_scripts(gateway: Start) -> None:
    body = '{"a": {errors}, "b": "{errors}", "c": {detail}}'
    for media_type in ("application/json", "application/javascript"):
        running = login(gateway, {"default": {"body": body, "content_type": media_type}})
        for trick in TRICKS:
            answer = refused(running, trick)
            members = json.loads(answer.body)
            assert list(members) == ["a", "b", "c"] and isinstance(members["a"], list) and " ".join(members["a"]) == members["b"]
            assert trick in members["b"]
            if media_type != "application/json":
                assert not any(letter in answer.body.decode() for letter in "<>&'\u2028")


def test_a_line_end_in_a_member_name_in_plain_text(gateway: Start) -> None:
    running = login(gateway, {"default": {"body": "refused: {errors}"}})
    for trick in TRICKS:
        answer = refused(running, trick)
        text = answer.body.decode()
        assert answer.value("content-type") == "text/plain; charset=utf-8" and answer.value("x-content-type-options") == "nosniff"
        assert text.isprintable() and shown(trick) in text


def test_a_separator_in_a_member_name_in_a_form(gateway: Start) -> None:
    body = "error={reason}&text={errors}"
    running = login(gateway, {"default": {"body": body, "content_type": "application/x-www-form-urlencoded"}})
    for trick in TRICKS:
        fields = parse_qs(refused(running, trick).body.decode(), strict_parsing=True)
        assert list(fields) == ["error", "text"] and trick in fields["text"][0]


def test_a_line_end_or_a_quotation_mark_in_a_header(gateway: Start) -> None:
    headers = {
        "X-Errors": "{errors}", "X-Quoted": 'e="{errors}", f=1', "Location": "/sign-in?e={errors}", "Set-Cookie": "e={errors}; Secure",
    }  # fmt: skip
    running = login(gateway, {"default": {"body": "x", "headers": headers}})
    plain = sorted(name.lower() for name, _ in refused(running, "plain").fields)
    for trick in TRICKS:
        answer = refused(running, trick)
        assert sorted(name.lower() for name, _ in answer.fields) == plain
        quoted = answer.value("x-quoted") or ""
        assert quoted.endswith('", f=1') and quoted[3:-6].replace("\\\\", "").replace('\\"', "").count('"') == 0
        encoded = quote(trick, safe="")
        assert encoded in (answer.value("location") or "") and encoded in (answer.value("set-cookie") or "")


def test_an_answer_of_one_reason_is_escaped_by_its_own_type(gateway: Start) -> None:
    """The type may come from the default, the status or the reason."""
    profile = {
        "default": {"body": "<p>{errors}</p>", "content_type": "text/html"},
        "statuses": {"422": {"content_type": "text/plain"}},
        "reasons": {"content_type_not_supported": {"body": "<b>{detail}</b>"}},
    }
    running = login(gateway, profile)
    assert b"<script>" in refused(running, "<script>").body
    malformed = ask(running.port, "/login", ["Content-Type: application/json"], method="POST", body=b'{"<script>')
    assert malformed.status == 400 and b"<script>" not in malformed.body and malformed.value("content-type") == "text/html"
    assert html.unescape(malformed.body.decode()).startswith("<p>")


def test_a_profile_may_say_itself_whether_types_are_guessed(gateway: Start) -> None:
    running = login(gateway, {"default": {"body": "x", "headers": {"X-Content-Type-Options": "own"}}})
    assert [value for name, value in refused(running, "a").fields if name.lower() == "x-content-type-options"] == ["own"]
