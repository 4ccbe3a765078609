"""The cases of Http11Probe (Tests/Vectors/HTTP1/http11probe) against a gateway: the suite's own runner and judge in Python."""

from __future__ import annotations

import re
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from . import vectors
from .messages import Message
from .upstream import ok

Json = dict[str, Any]

#: How long the suite waits for the head of an answer.
READ_SECONDS = 5
#: How long it lets content come, and then whether the connection ends.
SETTLE_SECONDS = 0.15
#: Of the one representation that the upstream has.
ETAG = '"probe"'
MODIFIED = "Wed, 01 Jan 2025 00:00:00 GMT"
#: Connections at once: most of a case is waiting.
WORKERS = 16


def cases() -> list[Json]:
    return vectors.load("http11probe/cases.json")["cases"]


def answer_as_suite_wants(request: Message) -> bytes:
    """The endpoints that the suite asks its servers to have (AGENTS.md, task B)."""
    path = request.target.partition("?")[0]
    if path == "/echo":
        return ok("".join(f"{name}: {value}\n" for name, value in request.fields).encode("latin-1"))
    if path == "/cookie":
        pairs = [pair.lstrip(" ") for value in request.values("cookie") for pair in value.split(";")]
        return ok("".join(f"{name}={value}\n" for name, _, value in (pair.partition("=") for pair in pairs) if name).encode("latin-1"))
    if request.method == "OPTIONS":
        return ok(b"", "Allow: GET, HEAD, POST, OPTIONS")
    if request.method == "POST":
        return ok(request.body)
    if is_unchanged(request):
        return b"HTTP/1.1 304 Not Modified\r\nETag: " + ETAG.encode() + b"\r\n\r\n"
    return ok(b"OK", f"ETag: {ETAG}", f"Last-Modified: {MODIFIED}")


def is_unchanged(request: Message) -> bool:
    """What If-None-Match and, without it, If-Modified-Since say of the one representation (RFC 9110 §13.1)."""
    tags = request.value("if-none-match")
    if tags is not None:
        return tags == "*" or ETAG in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    return request.value("if-modified-since") == MODIFIED


@dataclass
class Result:
    """What came back for one step."""

    executed: bool = False
    raw: bytes = b""
    connection: str = "open"

    @property
    def status(self) -> int | None:
        found = re.match(rb"HTTP/\S+ (\d+)", self.raw)
        return int(found[1]) if found else None

    @property
    def fields(self) -> dict[str, str]:
        """Names in small letters; values of one name joined."""
        fields: dict[str, str] = {}
        for line in self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return fields

    @property
    def body(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[2].decode("latin-1")

    @property
    def content(self) -> str:
        if "chunked" not in self.fields.get("transfer-encoding", ""):
            return self.body.rstrip("\r\n")
        content, rest = "", self.body
        while rest:
            size, _, rest = rest.partition("\r\n")
            count = int(size.partition(";")[0], 16)
            content, rest = content + rest[:count], rest[count + 2 :]
            if count == 0:
                break
        return content


@dataclass
class Outcome:
    case: Json
    results: list[Result] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        return next(rule["verdict"] for rule in self.case["rules"] if all(self.holds(it) for it in rule.get("if", [])))

    def holds(self, conditions: Json) -> bool:
        result = self.results[conditions.get("step", 1) - 1]
        return all(holds(result, name, wanted) for name, wanted in conditions.items() if name != "step")

    def summary(self) -> str:
        """Status and connection after each step."""
        return ", then ".join(f"{it.status or 'no answer'} {it.connection}" if it.executed else "not sent" for it in self.results)


def in_ranges(status: int | None, ranges: list[str]) -> bool:
    bounds = [(int(first), int(last or first)) for first, _, last in (it.partition("-") for it in ranges)]
    return status is not None and any(first <= status <= last for first, last in bounds)


def is_date(value: str) -> bool:
    """The preferred form of RFC 9110 §5.6.7."""
    shape = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    return bool(re.fullmatch(shape, value)) and parsedate_to_datetime(value) is not None


def is_echoed(body: str, wanted: Json) -> bool:
    """Whether the field came with this value under this name; where the sent name is another, in letters that differ from it."""
    for line in body.splitlines():
        name, _, value = line.partition(":")
        if value.strip().lower() != wanted["value"].lower():
            continue
        if name == wanted["as"] or ("sent" in wanted and name != wanted["sent"] and name.lower() == wanted["as"].lower()):
            return True
    return False


def holds(result: Result, name: str, wanted: Any) -> bool:
    body = result.body.lower()
    match name:
        case "answer":
            return (result.status is not None) == wanted
        case "connection":
            return result.connection in wanted
        case "executed":
            return result.executed == wanted
        case "status":
            return in_ranges(result.status, wanted)
        case "unless_status":
            return not in_ranges(result.status, wanted)
        case "field":
            return wanted.lower() in result.fields
        case "no_field":
            return wanted.lower() not in result.fields
        case "date":
            return is_date(result.fields.get(wanted.lower(), ""))
        case "body":
            return result.body == wanted
        case "content":
            return result.content == wanted
        case "contains":
            return all(it.lower() in body for it in wanted)
        case "contains_any":
            return any(it in body for it in wanted)
        case "echoed":
            return is_echoed(result.body, wanted)
        case "answers":
            return len(re.findall(rb"HTTP/\d\.\d \d{3}", result.raw)) >= wanted
    raise AssertionError(f"unknown condition {name}")


def bytes_of(pieces: list[Any], first: Result) -> bytes:
    text = ""
    for piece in pieces:
        match piece:
            case str():
                text += piece
            case {"text": repeated, "times": times}:
                text += repeated * times
            case {"text": numbered, "numbers": count}:
                start = piece.get("first", 0)
                text += "".join(numbered.replace("{number}", str(number)) for number in range(start, start + count))
            case {"field": name, "form": form, "otherwise": otherwise}:
                text += formed(first.fields.get(name.lower()), form, otherwise)
            case _:
                raise AssertionError(f"unknown piece {piece}")
    return text.encode("latin-1")


def formed(value: str | None, form: str, otherwise: str) -> str:
    if value is None:
        return otherwise
    if form == "weak":
        return value if value.startswith("W/") else f"W/{value}"
    return value.removeprefix("W/").strip('"') if form == "unquoted" else value


class Probe:
    """One connection on which the steps of a case are sent."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), READ_SECONDS)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def step(self, piece: bytes) -> Result:
        result = Result(executed=True)
        try:
            self.sock.sendall(piece)
        except OSError:
            pass  # refused before everything was sent: the answer may be there
        try:
            while b"\r\n\r\n" not in result.raw:
                if not self.read(result):
                    return result
        except TimeoutError:
            result.connection = "timed out"
            return result
        self.settle(result)
        return result

    def read(self, result: Result) -> bool:
        try:
            piece = self.sock.recv(65_536)
        except TimeoutError:
            raise
        except OSError:
            piece = b""
        result.raw += piece
        if not piece:
            result.connection = "closed"
        return bool(piece)

    def settle(self, result: Result) -> None:
        """Reads until nothing more comes. What says that it is the last answer is given all the time it needs to end."""
        says_close = "close" in result.fields.get("connection", "").lower()
        wait = READ_SECONDS if says_close else SETTLE_SECONDS
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.sock], [], [], left)[0] and not self.read(result):
                return


def run_case(port: int, case: Json) -> Outcome:
    outcome = Outcome(case)
    probe = Probe(port)
    with probe.sock:
        for pieces in case["steps"]:
            if outcome.results and outcome.results[-1].connection != "open":
                outcome.results.append(Result(connection=outcome.results[-1].connection))
            else:
                outcome.results.append(probe.step(bytes_of(pieces, outcome.results[0] if outcome.results else Result())))
    return outcome


def run(port: int) -> list[Outcome]:
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda case: run_case(port, case), cases()))
