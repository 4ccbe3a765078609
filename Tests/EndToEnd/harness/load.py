"""wrk as a load generator whose numbers can be trusted."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass


@dataclass
class Load:
    """What one run of wrk saw."""

    requests: int
    seconds: float
    #: Answers that were not 2xx or 3xx.
    refused: int
    #: Connections refused, broken or timed out.
    errors: int
    text: str


UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


def parse(text: str) -> Load:
    count = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", text)
    assert count, text
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return Load(
        int(count[1]),
        float(count[2]) * UNITS[count[3]],
        int(refused[1]) if refused else 0,
        sum(map(int, errors.groups())) if errors else 0,
        text,
    )


def start(url: str, seconds: int, connections: int = 64, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *options, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Load:
    text, _ = process.communicate(timeout=60)
    return parse(text)


def run(url: str, seconds: int, connections: int = 64, *options: str) -> Load:
    return finish(start(url, seconds, connections, *options))
