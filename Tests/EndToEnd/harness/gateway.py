"""The gateway under test as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

from .certificates import shelf
from .client import ask
from .protocols import HTTP1, ClientProtocol, offered, operators, spoken
from .waiting import until

REPOSITORY = Path(__file__).resolve().parents[3]
#: A build with a sanitizer on a busy machine takes this long; a gateway that ends by itself is noticed at once.
START_SECONDS = 40
STOP_SECONDS = 10
#: A launcher whose program may do with files what their modes say; root may do more.
BOUND_BY_MODES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


def binary() -> Path:
    """The program under test: $PORTCULLIS, or the newest build."""
    if named := os.environ.get("PORTCULLIS"):
        return Path(named).resolve()
    built = [REPOSITORY / ".build" / kind / "portcullis" for kind in ("release", "debug")]
    found = [path for path in built if path.exists()]
    assert found, "no portcullis is built; run scripts/test, or name one in PORTCULLIS"
    return max(found, key=lambda path: path.stat().st_mtime)


def run_portcullis(
    *arguments: str, folder: Path | None = None, given: str | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [str(binary()), *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **(environment or {})},
    )


def with_tls(config: dict) -> dict:
    """The policy with TLS on every listener that says nothing of it."""
    listeners = [{"tls": shelf().listener} | listener for listener in config["listeners"]]
    return config | {"listeners": listeners}


def with_offered(config: dict) -> dict:
    """The policy with each upstream spoken with as its servers want it."""
    upstreams = {}
    for name, upstream in config.get("upstreams", {}).items():
        ports = [int(found[1]) for found in re.finditer(r"http://127\.0\.0\.1:(\d+)", json.dumps(upstream.get("servers", [])))]
        wanted = {offered[port] for port in ports if port in offered}
        for protocol in wanted:
            servers = json.dumps(upstream["servers"]).replace("http://127.0.0.1", f"{protocol.name}://127.0.0.1")
            upstream = upstream | {"servers": json.loads(servers)}
            if protocol.is_tls:
                upstream = {"tls": {"ca": f"file:{shelf().authority.path}"}} | upstream
        upstreams[name] = upstream
    return config | {"upstreams": upstreams}


class Gateway:
    """`protocol` is what clients are to speak with its listeners."""

    def __init__(
        self,
        config: dict | str,
        folder: Path,
        environment: dict[str, str] | None = None,
        access_log: str | None = None,
        protocol: ClientProtocol = HTTP1,
        launcher: tuple[str, ...] = (),
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.protocol = protocol
        self.path = folder / "gateway.json"
        self.write(config)
        self.lines: list[str] = []
        self.condition = threading.Condition()
        self.said_all = False
        #: By its test, so that its end is no crash.
        self.was_killed = False
        self.access_path = Path(access_log) if access_log else folder / "access.jsonl"
        with open(self.access_path, "ab") as access:
            self.process = subprocess.Popen(
                [*launcher, str(binary()), "serve", "--config", str(self.path), *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=access,
                stderr=subprocess.PIPE,
                env={**os.environ, **(environment or {})},
            )
        self.reader = threading.Thread(target=self.read_lines, daemon=True)
        self.reader.start()
        try:
            self.wait_for_line(r"\bready\b", START_SECONDS)
        except AssertionError:
            self.kill()
            raise
        self.ports = [
            int(found[1]) for line in self.lines if (found := re.search(r"listening on https?://\S+:(\d+)", line))
        ]
        admin = [int(found[1]) for line in self.lines if (found := re.search(r"admin on https?://\S+:(\d+)", line))]
        self.admin_port = admin[0] if admin else 0
        operators.update(admin)
        spoken.update(dict.fromkeys(self.ports, protocol) | dict.fromkeys(admin, HTTP1))

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def url(self) -> str:
        return ("https://localhost:" if self.protocol.is_tls else "http://127.0.0.1:") + str(self.port)

    def read_lines(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self.condition:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.condition.notify_all()
        with self.condition:
            self.said_all = True
            self.condition.notify_all()

    def wait_for_line(self, pattern: str, timeout: float = 5, after: int = 0) -> str:
        """The first line of the gateway's own messages, from number `after` on, in which `pattern` is found."""

        def find() -> str | None:
            return next((line for line in self.lines[after:] if re.search(pattern, line)), None)

        def settled() -> bool:
            return find() is not None or self.said_all

        with self.condition:
            self.condition.wait_for(settled, timeout)
            found = find()
        assert found is not None, f"no line with {pattern!r} in {timeout} s; lines: {self.lines[-20:]}"
        return found

    def text(self, config: dict | str) -> str:
        if isinstance(config, str):
            return config
        if offered:
            config = with_offered(config)
        return json.dumps(with_tls(config) if self.protocol.is_tls else config, indent=2)

    def write(self, config: dict | str) -> None:
        """Writes the policy in place, as an editor may."""
        self.path.write_text(self.text(config))

    def replace(self, config: dict | str) -> None:
        """Writes beside the policy and renames over it, as most tools do."""
        beside = self.folder / ".gateway.json.new"
        beside.write_text(self.text(config))
        beside.rename(self.path)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, timeout: float = STOP_SECONDS) -> int:
        """SIGTERM and the exit status; a gateway that does not end is killed and fails the test."""
        if self.is_alive():
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the gateway did not end within {timeout} s of SIGTERM") from None

    def kill(self) -> None:
        self.was_killed = True
        self.process.kill()
        self.process.wait()

    def forget_ports(self) -> None:
        for port in [*self.ports, self.admin_port]:
            spoken.pop(port, None)
        operators.discard(self.admin_port)

    def resident_bytes(self) -> int:
        return self.status_bytes("VmRSS")

    def forget_peak(self) -> None:
        """From now on the peak is that of now on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_bytes(self) -> int:
        """The most that was resident at any time since `forget_peak`."""
        return self.status_bytes("VmHWM")

    def status_bytes(self, member: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{member}:")[1].split()[0]) * 1024

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def admin(self, path: str) -> str:
        answer = ask(self.admin_port, path)
        assert answer.status == 200, f"{path}: {answer.status}"
        return answer.body.decode()

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples of this name whose labels contain these."""
        total = 0.0
        for line in self.admin("/metrics").splitlines():
            found = re.fullmatch(r"([a-zA-Z_:]+)(\{.*\})? (\S+)", line)
            if (
                found
                and found[1] == name
                and all(f'{key}="{value}"' in (found[2] or "") for key, value in labels.items())
            ):
                total += float(found[3])
        return total

    def access_text(self) -> str:
        return self.access_path.read_text()

    def access_records(self, count: int = 1, timeout: float = 5) -> list[dict]:
        """The access records once there are at least `count`."""

        def read() -> list[dict]:
            records = [json.loads(line) for line in self.access_text().splitlines()]
            return records if len(records) >= count else []

        return until(read, timeout, f"{count} access records")
