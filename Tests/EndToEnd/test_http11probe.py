"""Http11Probe, a public suite of 215 cases for servers of HTTP/1.1: each against the gateway, and the same bytes as answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from harness import http11probe, vectors
from harness.client import RawClient, request
from harness.gateway import REPOSITORY, Gateway
from harness.http11probe import Json, Result
from harness.messages import Broken
from harness.policy import open_route, policy
from harness.upstream import Connection, Upstream, answering

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

OWS = "white space around a value is valid (RFC 9110 §5.5); what is forwarded is written anew"
DIGITS = "1*DIGIT allows leading zeros (RFC 9110 §8.6); the number is decimal, and forwarded without them"
TRAILERS = "trailers that frame, route or authenticate are dropped, and the request is served (RFC 9110 §6.5.1)"
CONTENT = "content is valid with any method; it is read by its length, so that no byte of it is taken for a request"

#: The cases that do not pass: the verdict, and why the gateway does what it does.
DEVIATIONS: dict[str, tuple[str, str]] = {
    # Counted.
    "COMP-LEADING-CRLF": ("warn", "RFC 9112 §2.2: a server SHOULD ignore an empty line before a request"),
    "COMP-UPGRADE-INVALID-VER": ("warn", "the route allows no upgrade, so the field is ignored (RFC 9110 §7.8)"),
    "COMP-NO-CL-IN-204": ("warn", "the upstream answers 200, as the suite asks; test_duties.py has one that answers 204"),
    "COMP-DUPLICATE-CT": ("warn", "they frame nothing and are the upstream's to judge; where the realm is in the content they are refused"),
    "SMUG-CL-LEADING-ZEROS": ("warn", DIGITS),
    "SMUG-CL-DOUBLE-ZERO": ("warn", DIGITS),
    "SMUG-CL-LEADING-ZEROS-OCTAL": ("warn", DIGITS),
    "SMUG-CL-TRAILING-SPACE": ("warn", OWS),
    "SMUG-CL-EXTRA-LEADING-SP": ("warn", OWS),
    "MAL-CL-TAB-BEFORE-VALUE": ("warn", OWS),
    "MAL-LONG-METHOD": ("fail", "answered 501: RFC 9112 §3 has it so for a method longer than any the server implements"),
    # Not counted.
    "COMP-GET-WITH-CL-BODY": ("warn", CONTENT),
    "COMP-HTTP10-NO-HOST": ("warn", "HTTP/1.0 has no Host that could be asked for"),
    "COMP-HTTP12-VERSION": ("warn", "answered 505: there is no such version, and what it would frame is not known"),
    "COMP-ACCEPT-NONSENSE": ("warn", "which types there are is the upstream's to know"),
    "SMUG-TRANSFER_ENCODING": ("warn", "a name that a CGI-style server could read as Transfer-Encoding does not reach the upstream"),
    "SMUG-EXPECT-100-CL": ("warn", "100 (Continue) comes first, then the content is read"),
    "SMUG-TRAILER-CL": ("warn", TRAILERS),
    "SMUG-TRAILER-TE": ("warn", TRAILERS),
    "SMUG-TRAILER-HOST": ("warn", TRAILERS),
    "SMUG-TRAILER-AUTH": ("warn", TRAILERS),
    "SMUG-TRAILER-CONTENT-TYPE": ("warn", TRAILERS),
    "SMUG-HEAD-CL-BODY": ("warn", CONTENT),
    "SMUG-OPTIONS-CL-BODY": ("warn", CONTENT),
    "SMUG-ABSOLUTE-URI-HOST-MISMATCH": ("warn", "RFC 9112 §3.2.2: the host is the target's, and the Host field is replaced"),
    "SMUG-CL0-BODY-POISON": ("warn", "what follows content of length 0 is the next request, here an unknown method"),
    "MAL-RANGE-OVERLAPPING": ("warn", "ranges are the upstream's; the field is bounded as every field is"),
}

#: Cases whose bytes mean nothing wrong when they come from an upstream.
VALID_IN_ANSWERS = {
    "RFC9110-5.4-DUPLICATE-HOST": "Host says nothing in an answer",
    "COMP-DUPLICATE-HOST-SAME": "Host says nothing in an answer",
    "COMP-GET-WITH-CL-BODY": "an answer to GET has content",
}


@pytest.mark.timeout(180)
def test_every_case_passes_or_is_named_with_the_reason(gateway: Start, upstream: Origin) -> None:
    origin = upstream(answering(http11probe.answer_as_suite_wants))
    # The suite takes the preface of HTTP/2 for a request, so the listener speaks what the suite does.
    listeners = [{"address": "127.0.0.1:0", "protocols": ["http/1.1"]}]
    methods = ["GET", "HEAD", "POST", "OPTIONS"]
    running = gateway(policy(origin.port, listeners=listeners, routes=[open_route(match={"path": "/**", "methods": methods})]))
    other = [
        f"{outcome.case['id']}: {outcome.verdict} and not {wanted}: {outcome.summary()}; the suite wants {outcome.case['expectation']}"
        for outcome in http11probe.run(running.port)
        if outcome.verdict != (wanted := DEVIATIONS.get(outcome.case["id"], ("pass", ""))[0])
    ]
    assert not other, "\n".join(other)


def test_no_case_fails_what_an_rfc_demands() -> None:
    levels = {case["id"]: case["level"] for case in http11probe.cases()}
    assert not [name for name, (verdict, _) in DEVIATIONS.items() if verdict == "fail" and levels[name] == "must"]


def test_the_documentation_has_as_many_cases_of_h2spec_as_are_run() -> None:
    count = len(vectors.load("h2spec.json")["cases"])
    assert f"| h2spec | {count} | {count} |" in (REPOSITORY / "docs" / "conformance.md").read_text()


def score() -> str:
    """The gateway's line in the suite's own table."""
    cases = http11probe.cases()
    counts = Counter(DEVIATIONS.get(case["id"], ("pass", ""))[0] for case in cases if case["scored"])
    unscored = sum(not case["scored"] for case in cases)
    return f"| Portcullis | {sum(counts.values())} | {counts['pass']} | {counts['fail']} | {counts['warn']} | {unscored} |"


def test_the_documentation_has_the_score_and_every_deviation() -> None:
    page = (REPOSITORY / "docs" / "conformance.md").read_text()
    assert score() in page, f"docs/conformance.md has to say {score()}"
    rows = dict(re.findall(r"^\| `([A-Z][\w.-]+)` \| (\w+) \|", page, re.MULTILINE))
    scored = {case["id"] for case in http11probe.cases() if case["scored"]}
    assert rows == {name: verdict for name, (verdict, _) in DEVIATIONS.items() if name in scored}


@pytest.mark.parametrize(
    "name", [name for name, (_, why) in DEVIATIONS.items() if why in (OWS, DIGITS)] + ["SMUG-TRANSFER_ENCODING"]
)
def test_what_is_let_through_is_forwarded_in_one_form(gateway: Start, upstream: Origin, name: str) -> None:
    origin = upstream(answering(http11probe.answer_as_suite_wants))
    running = gateway(policy(origin.port))
    [case] = [case for case in http11probe.cases() if case["id"] == name]
    assert http11probe.run_case(running.port, case).results[0].status == 200
    [seen] = origin.requests
    names = [name for name in seen.names() if re.fullmatch("(content|transfer).(length|encoding)", name)]
    assert names == ["content-length"] and seen.complete
    assert f"\r\nContent-Length: {len(seen.body)}\r\n".encode() in seen.head


def is_refused(case: Json) -> bool:
    """Whether a server passes with 400 and fails when it serves the request."""
    verdicts = {
        status: rule["verdict"]
        for rule in reversed(case["rules"])
        for conditions in rule.get("if", [])
        for status in conditions.get("status", [])
    }
    return verdicts.get("400") == "pass" and verdicts.get("200-299", "fail") == "fail"


def as_answers() -> dict[str, bytes]:
    """What is wrong below the request line, as answers."""
    answers = {}
    for case in http11probe.cases():
        start, _, rest = http11probe.bytes_of(case["steps"][0], Result()).partition(b"\r\n")
        host = b"Host: localhost:8080\r\n"
        if is_refused(case) and start in (b"GET / HTTP/1.1", b"POST / HTTP/1.1") and rest.startswith(host):
            answers[case["id"]] = b"HTTP/1.1 200 OK\r\n" + rest.removeprefix(host)
    return answers


def test_what_is_refused_of_clients_is_refused_of_upstreams(gateway: Start, upstream: Origin) -> None:
    answers = as_answers()
    assert len(answers) > 60

    def script(connection: Connection) -> None:
        if head := connection.read_head():
            connection.send(answers[head.target[1:]])

    running = gateway(policy(upstream(script).port))
    passed = []
    for name in answers:
        with RawClient(running.port) as client:
            client.send(request(target=f"/{name}", fields=["Connection: close"]))
            try:
                answer = client.response()
            except (Broken, AssertionError, ValueError):
                assert not client.stream.raw or client.stream.ended, name
                continue  # cut: nothing came that could be taken for an answer
            assert client.is_closed(), name
            if answer.status != 502 and answer.complete:
                passed.append(name)
    assert set(passed) == set(VALID_IN_ANSWERS)
