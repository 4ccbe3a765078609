"""Measures Portcullis beside a relay that parses nothing, nginx, HAProxy and, where there is one, Envoy, round by round, and
prints one table.

    bench.py PORTCULLIS RELAY [--envoy ENVOY] [--quick] [--rounds N] [--seconds S]

What counts is the CPU time a process spends per request, divided by the relay's in the same round: on a small machine
requests per second also measure the load generator and the upstream, which share the cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

import fixtures
from fixtures import Fixtures, Ports

CONNECTIONS = 64
UNITS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6}


@dataclass
class Target:
    """One cell of the table: which work, done by which program, asked how."""

    work: str
    program: str
    port: int
    path: str
    options: list[str]
    script: list[str]
    #: Over TLS; by HTTP/2 instead of HTTP/1.1.
    is_secure: bool = False
    is_http2: bool = False
    connections: int = CONNECTIONS


@dataclass
class Sample:
    cpu_us: float
    rate: float
    p50_us: float
    p99_us: float
    resident_mib: float
    wrong: int


def free_ports() -> Ports:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in fields(Ports)]
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return Ports(*numbers)


def await_port(port: int, process: subprocess.Popen, name: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not listen on port {port}") from None
            time.sleep(0.002)


def start(stack: ExitStack, name: str, command: list[str], port: int, folder: Path, path: str = "") -> int:
    """Starts a program, ends it with the run, and returns its process id. With a path it says how long the first answer took."""
    begun = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        stderr=open(folder / f"{name}.err", "wb"),
    )

    def stop() -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(stop)
    await_port(port, process, name)
    if path:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10):
            print(f"{name} answers {(time.monotonic() - begun) * 1e3:.0f} ms after its start", file=sys.stderr)
    return process.pid


def cpu_us(pid: int) -> float:
    """CPU time of all threads so far, in microseconds: from the scheduler where it says, else from the ticks."""
    try:
        return (
            sum(
                int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
                for task in os.listdir(f"/proc/{pid}/task")
            )
            / 1e3
        )
    except (OSError, IndexError):
        times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(times[11]) + int(times[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def latency_us(text: str, percentile: str) -> float:
    found = re.search(rf"^\s*{percentile}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    return float(found[1]) * UNITS[found[2]] if found else float("nan")


def measure_http2(target: Target, pid: int, seconds: int) -> Sample:
    """With h2load, which says nothing of percentiles."""
    url = f"https://127.0.0.1:{target.port}{target.path}"
    command = ["h2load", "-t1", "-c32", "-m8", "-D", str(seconds), *target.options, url]
    before = cpu_us(pid)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    spent = cpu_us(pid) - before
    count = re.search(r"(\d+) done, (\d+) succeeded", done.stdout)
    rate = re.search(r"finished in \S+, ([\d.]+) req/s", done.stdout)
    if not count or not rate or int(count[1]) == 0:
        raise SystemExit(f"h2load measured nothing at {target.program}, {target.work}:\n{done.stdout}{done.stderr}")
    wrong = int(count[1]) - int(count[2])
    return Sample(spent / int(count[1]), float(rate[1]), float("nan"), float("nan"), resident_mib(pid), wrong)


def measure(target: Target, pid: int, seconds: int) -> Sample:
    if target.is_http2:
        return measure_http2(target, pid, seconds)
    command = [
        "wrk",
        "-t1",
        f"-c{target.connections}",
        f"-d{seconds}s",
        "--latency",
        *target.options,
        f"{'https' if target.is_secure else 'http'}://127.0.0.1:{target.port}{target.path}",
        *target.script,
    ]
    before = cpu_us(pid)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    spent = cpu_us(pid) - before
    count = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if not count or not rate or int(count[1]) == 0:
        raise SystemExit(f"wrk measured nothing at {target.program}, {target.work}:\n{done.stdout}{done.stderr}")
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    return Sample(
        spent / int(count[1]),
        float(rate[1]),
        latency_us(done.stdout, "50"),
        latency_us(done.stdout, "99"),
        resident_mib(pid),
        int(wrong[1]) if wrong else 0,
    )


def targets(made: Fixtures, programs: set[str]) -> list[Target]:
    ports = made.ports
    key = ["-H", f"X-API-Key: {made.api_key}"]
    script = ["-s", str(Path(__file__).with_name("tokens.lua"))]

    def bearer(algorithm: str) -> list[str]:
        return ["-H", f"Authorization: Bearer {made.token[algorithm]}"]

    def fresh(algorithm: str) -> list[str]:
        return ["--", str(made.token_files[algorithm])]

    plain, keyed = "plain proxy", "API key, bucket, headers"
    seen = {algorithm: f"{algorithm} token seen before" for algorithm in ("RS256", "ES256")}
    unseen = {algorithm: f"{algorithm} token never seen" for algorithm in ("RS256", "ES256")}
    rows = [
        Target(plain, "floor", ports.floor, "/plain", [], []),
        Target(plain, "nginx", ports.nginx_plain, "/plain", [], []),
        Target(plain, "HAProxy", ports.haproxy_plain, "/plain", [], []),
        Target(plain, "Envoy", ports.envoy_plain, "/plain", [], []),
        Target(plain, "Portcullis", ports.portcullis, "/plain", [], []),
        Target(keyed, "nginx", ports.nginx_key, "/key", key, []),
        Target(keyed, "HAProxy", ports.haproxy_key, "/key", key, []),
        Target(keyed, "Envoy", ports.envoy_key, "/key", key, []),
        Target(keyed, "Portcullis", ports.portcullis, "/key", key, []),
    ]
    for algorithm, haproxy_port, path in (("RS256", ports.haproxy_rs, "/rs"), ("ES256", ports.haproxy_es, "/es")):
        rows += [
            Target(seen[algorithm], "HAProxy", haproxy_port, path, bearer(algorithm), []),
            Target(seen[algorithm], "Envoy", ports.envoy_jwt, path, bearer(algorithm), []),
            Target(seen[algorithm], "Portcullis", ports.portcullis, path, bearer(algorithm), []),
        ]
    for algorithm, haproxy_port, path in (("RS256", ports.haproxy_rs, "/rs"), ("ES256", ports.haproxy_es, "/es")):
        rows += [
            Target(unseen[algorithm], "HAProxy", haproxy_port, path, script, fresh(algorithm)),
            Target(unseen[algorithm], "Envoy", ports.envoy_jwt, path, script, fresh(algorithm)),
            Target(unseen[algorithm], "Portcullis", ports.portcullis, path, script, fresh(algorithm)),
        ]
    over_tls = (
        ("nginx", ports.nginx_tls),
        ("HAProxy", ports.haproxy_tls),
        ("Envoy", ports.envoy_tls),
        ("Portcullis", ports.portcullis_tls),
    )
    for program, port in over_tls:
        rows.append(Target("HTTP/2 over TLS, API key", program, port, "/key", key, [], True, True))
    for program, port in over_tls:
        rows.append(Target("HTTPS/1.1, API key", program, port, "/key", key, [], True))
    for program, port in over_tls:
        closing = [*key, "-H", "Connection: close"]
        rows.append(Target("TLS handshake for each request", program, port, "/key", closing, [], True))
    return [row for row in rows if row.program in programs]


#: What the gateway keeps and issues itself, with keys and users of its store; no peer does the same.
KEPT = "stored API key among {:,}, bucket, headers"
OWN = "own token of a stored key, seen before"
MINT = "a new token for a stored key"
RENEWABLE = "a new token with a refresh token, written to SQLite"
SIGN_IN = "sign-in by password, nearly all of it scrypt"


def issued(made: Fixtures, kept_key: str, own_token: str, kept_work: str) -> list[Target]:
    port, key = made.ports.portcullis, ["-H", f"X-Kept-Key: {kept_key}"]
    script, arguments = ["-s", str(Path(__file__).with_name("login.lua"))], ["--", fixtures.EMAIL, fixtures.PASSWORD]
    return [
        Target(kept_work, "Portcullis", port, "/kept", key, []),
        Target(OWN, "Portcullis", port, "/own", ["-H", f"Authorization: Bearer {own_token}"], []),
        Target(MINT, "Portcullis", port, "/mint", key, []),
        Target(RENEWABLE, "Portcullis", port, "/renewable", key, []),
        # One at a time: of more, some would still be computed after wrk has gone, and be counted for nobody.
        Target(SIGN_IN, "Portcullis", port, "/login", script, arguments, connections=1),
    ]


def command_line(portcullis: str, folder: Path, *words: str, given: str | None = None) -> str:
    command = [portcullis, *words, "--config", str(folder / "gateway.json")]
    return subprocess.run(command, cwd=folder, input=given, text=True, check=True, stdout=subprocess.PIPE).stdout


def make_key_and_user(portcullis: str, folder: Path) -> str:
    """Puts both into the store; the key."""
    command_line(portcullis, folder, "user", "create", fixtures.EMAIL, given=fixtures.PASSWORD)
    made = command_line(portcullis, folder, "key", "create", "--authenticator", "kept", "--name", "bench", "--json")
    return json.loads(made)["key"]


def fill_store(folder: Path, count: int) -> None:
    """Puts so many more keys into it, as nobody would one by one."""
    names = [f"other-{number}" for number in range(count)]
    with sqlite3.connect(folder / "store.db") as store:
        store.executemany(
            "INSERT INTO keys VALUES (?1, 'kept', ?1, ?1, NULL, '[\"orders:read\"]', '[]', '[]', NULL, 1, 0)", [(name,) for name in names]
        )
        store.executemany(
            "INSERT INTO key_secrets VALUES (?, 0, ?, 0, NULL)", [(name, hashlib.sha256(name.encode()).digest()) for name in names]
        )
        store.execute("UPDATE revision SET number = number + 1")
    store.close()


def own_token(made: Fixtures, kept_key: str) -> str:
    url = f"http://127.0.0.1:{made.ports.portcullis}/mint"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"X-Kept-Key": kept_key}), timeout=5) as answer:
        return json.load(answer)["access_token"]


def cache_hits(admin_port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/metrics", timeout=5) as page:
        found = re.search(r"^portcullis_token_cache_hits_total\S* (\S+)$", page.read().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def run(options: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
    print("making keys, tokens and configurations", file=sys.stderr)
    made = fixtures.make(folder, free_ports(), options.tokens)
    ports = made.ports
    kept_work = KEPT.format(options.stored_keys)
    issues = any(not options.only or options.only in work for work in (kept_work, OWN, MINT, RENEWABLE, SIGN_IN))
    kept_key = make_key_and_user(options.portcullis, folder) if issues else ""
    if issues:
        fill_store(folder, options.stored_keys - 1)
    start(stack, "upstream", ["nginx", "-c", str(folder / "upstream.conf")], ports.upstream, folder)
    pids = {
        "floor": start(stack, "relay", [options.relay, str(ports.floor), str(ports.upstream)], ports.floor, folder),
        "nginx": start(stack, "nginx", ["nginx", "-c", str(folder / "nginx.conf")], ports.nginx_key, folder),
        "HAProxy": start(
            stack, "haproxy", ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], ports.haproxy_es, folder
        ),
        "Portcullis": start(
            stack,
            "portcullis",
            [options.portcullis, "serve", "--config", str(folder / "gateway.json")],
            ports.portcullis,
            folder,
            "/plain",
        ),
    }
    if options.envoy:
        command = [options.envoy, "-c", str(folder / "envoy.json"), "--concurrency", "1", "-l", "error", "--disable-hot-restart"]
        pids["Envoy"] = start(stack, "envoy", command, ports.envoy_tls, folder)
    work = targets(made, set(pids)) + (issued(made, kept_key, own_token(made, kept_key), kept_work) if issues else [])
    rows = [row for row in work if not options.only or options.only in row.work or row.program == "floor"]
    samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    notes: list[str] = []
    for row in rows:  # warm connections, caches and code
        measure(row, pids[row.program], 1)
    for number in range(options.rounds):
        floor = 0.0
        for row in rows:
            print(
                f"\rround {number + 1} of {options.rounds}: {row.work}, {row.program}".ljust(78),
                end="",
                file=sys.stderr,
                flush=True,
            )
            hits = cache_hits(ports.admin) if "never" in row.work and row.program == "Portcullis" else None
            sample = measure(row, pids[row.program], options.seconds)
            if hits is not None:
                share = (cache_hits(ports.admin) - hits) / max(1.0, sample.rate * options.seconds)
                if share > 0.02:
                    notes.append(f"round {number + 1}, {row.work}: {share:.0%} of the tokens were still remembered")
            if sample.wrong:
                notes.append(f"round {number + 1}, {row.work}, {row.program}: {sample.wrong} answers were not 2xx")
            floor = sample.cpu_us if row.program == "floor" else floor
            samples[row.work, row.program].append(sample)
            ratios[row.work, row.program].append(sample.cpu_us / floor)
    print("\r".ljust(79) + "\r", end="", file=sys.stderr)
    print_table(rows, samples, ratios)
    if any(row.work == SIGN_IN for row in rows):
        print(f"\nOf a sign-in, one scrypt of the same cost is {scrypt_us():,.0f} µs by itself.")
    for note in notes:
        print(f"\nNote: {note}.")


def scrypt_us() -> float:
    """CPU time of one scrypt with the cost of stored passwords, as OpenSSL does it: the median of five."""
    taken = []
    for _ in range(5):
        before = time.thread_time()
        hashlib.scrypt(b"password", salt=b"0123456789abcdef", n=2**15, r=8, p=1, maxmem=2**26)
        taken.append((time.thread_time() - before) * 1e6)
    return statistics.median(taken)


def milliseconds(microseconds: float) -> str:
    return "–" if math.isnan(microseconds) else f"{microseconds / 1e3:.2f}"


def print_table(
    rows: list[Target], samples: dict[tuple[str, str], list[Sample]], ratios: dict[tuple[str, str], list[float]]
) -> None:
    print("| work | program | CPU per request, µs | ÷ floor | requests/s | p50, ms | p99, ms | resident, MiB |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        taken = samples[row.work, row.program]

        def median(name: str) -> float:
            return statistics.median(getattr(sample, name) for sample in taken)

        ratio = statistics.median(ratios[row.work, row.program])
        print(
            f"| {row.work} | {row.program} | {median('cpu_us'):.2f} | {ratio:.2f} | {median('rate'):,.0f} "
            f"| {milliseconds(median('p50_us'))} | {milliseconds(median('p99_us'))} | {median('resident_mib'):.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portcullis")
    parser.add_argument("relay")
    parser.add_argument("--envoy", help="Envoy's binary; the table goes without it when it is not given")
    parser.add_argument("--quick", action="store_true", help="one short round: whether it works, not how fast it is")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="length of each measurement")
    parser.add_argument("--tokens", type=int, help="distinct tokens per algorithm; more than the gateway remembers")
    parser.add_argument("--stored-keys", type=int, default=100_000, help="API keys in the gateway's store")
    parser.add_argument("--only", help="only the rows whose work contains this, and the floor")
    options = parser.parse_args()
    options.portcullis, options.relay = (str(Path(path).resolve()) for path in (options.portcullis, options.relay))
    # Not resolved: what a virtual environment has may be a link.
    options.envoy = options.envoy and str(Path(options.envoy).absolute())
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (2 if options.quick else 4)
    options.tokens = options.tokens or (12_000 if options.quick else 40_000)
    with tempfile.TemporaryDirectory(prefix="portcullis-bench-") as name, ExitStack() as stack:
        run(options, Path(name), stack)


if __name__ == "__main__":
    main()
