"""A page of docs/ run as its reader would run it: every `sh` block in one shell, in a folder like the repository, and
every `python` block with the ports it finds there.

What a page promises is checked: a command's comment `# 201 ...` is the status that curl -i showed last, and a `json` block
that follows a block of commands is the last line's answer. There a text ending in "…" stands for what begins like it, and
"…" alone for anything.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .gateway import REPOSITORY, binary
from .server import free_ports
from .shipped import TESTS
from .waiting import until

COMMAND_SECONDS = 30
#: Until a gateway has seen what the command line has changed.
SEEN_SECONDS = 2
END = "--end-of-command--"
#: What pages and examples are written with: gateways in plaintext and over TLS, the upstream, the admin listeners.
PORTS = ("8080", "8081", "8443", "9000", "9901", "9902")
#: What a reader finds in a clone and a page may name.
LINKED = ("docs", "scripts")


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of the page's fenced blocks."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[str]:
    """Whole commands: lines that end with a backslash, open a quotation or a here-document go on."""
    found: list[str] = []
    for line in block.splitlines():
        is_open = found and (found[-1].endswith("\\") or found[-1].count("'") % 2 == 1)
        if is_open:
            found[-1] += "\n" + line
        elif line.strip() and not line.startswith("#"):
            found.append(line)
    return found


def fits(shown: Any, answer: Any) -> bool:
    """Whether an answer is what the page shows."""
    if shown == "…":
        return True
    if isinstance(shown, str) and shown.endswith("…"):
        return isinstance(answer, str) and answer.startswith(shown[:-1])
    if isinstance(shown, dict):
        return isinstance(answer, dict) and list(shown) == list(answer) and all(fits(shown[key], answer[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(answer, list) and len(shown) == len(answer) and all(map(fits, shown, answer))
    return type(shown) is type(answer) and shown == answer


class Shell:
    """A bash that keeps its variables between commands, in a folder with a clone's files."""

    def __init__(self, folder: Path, system: str) -> None:
        self.folder = folder
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS)))))
        for name in LINKED:
            (folder / name).symlink_to(REPOSITORY / name)
        (folder / "examples").mkdir()
        # A system may have a policy for each of its sides.
        for path in [*(REPOSITORY / "examples").glob(f"{system}*.json"), *TESTS]:
            (folder / "examples" / path.name).write_text(self.moved(path.read_text()))
        (folder / "bin").mkdir()
        (folder / "bin" / "portcullis").symlink_to(binary())
        (folder / "bin" / "python3").symlink_to(sys.executable)
        (folder / "bin" / "rbtk").symlink_to(Path(sys.executable).parent / "rbtk")
        self.said = folder / "said.txt"
        self.process = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said.open("wb"),
            env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}, text=True, start_new_session=True,
        )

    def moved(self, text: str) -> str:
        """The text with free ports in place of those that pages and examples are written with."""
        for port, free in self.ports.items():
            text = re.sub(rf"(?<=[ :]){port}\b", free, text)
        return text

    def run(self, text: str) -> str:
        """What a command prints to standard output; one that goes on in the background is waited for until it listens."""
        assert self.process.stdin and self.process.stdout
        bare = re.sub(r"\s+# [^'\"]*$", "", text)
        goes_on = bare.rstrip().endswith("&")
        redirected = re.sub(r"&\s*$", ">/dev/null &", bare) if goes_on else bare
        self.process.stdin.write(f"{self.moved(redirected)}\necho\necho {END}$?\n")
        self.process.stdin.flush()
        lines: list[str] = []
        while not (line := self.process.stdout.readline()).startswith(END):
            assert line, f"the shell ended at {text!r}: {self.said.read_text()}"
            lines.append(line)
        output = "".join(lines).removesuffix("\n")
        status = int(line.removeprefix(END))
        assert status == 0, f"{text!r} ended with {status}: {output}{self.said.read_text()}"
        if goes_on:
            self.wait_for_listener(text)
        return output

    def run_until(self, status: str, line: str, output: str) -> str:
        """The output of a command once it shows the status. What was changed by another process is seen a moment later by the
        gateway, so that a question is asked again; nothing else is."""
        asks_only = not re.search(r" (-X|-d|--data\S*) ", line)

        def shows() -> bool:
            return re.findall(r"^HTTP/\S+ (\d{3})", output, re.MULTILINE)[-1:] == [status]

        deadline = time.monotonic() + SEEN_SECONDS
        while not shows() and asks_only and time.monotonic() < deadline:
            output = self.run(line)
        assert shows(), f"{line}\n{output}"
        return output

    def wait_for_listener(self, text: str) -> None:
        port = self.ports["9000"]
        if config := re.search(r"--config (\S+)", text):
            port = json.loads((self.folder / config[1]).read_text())["admin"]["address"].rpartition(":")[2]

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", int(port))) == 0

        until(listens, 10, f"{text!r} listening")

    def python(self, text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", self.moved(text)], capture_output=True, text=True, timeout=COMMAND_SECONDS,
            env=self.environment(),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        """What the shell has exported by now."""
        lines = self.run("env -0 | tr '\\n' ' ' | tr '\\0' '\\n'").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def stop(self) -> None:
        """Ends the shell and everything it has started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run_page(name: str, folder: Path) -> list[str]:
    """Runs docs/NAME.md, whose examples are examples/NAME*.json; what its Python blocks printed."""
    page = (REPOSITORY / "docs" / f"{name}.md").read_text()
    printed: list[str] = []
    output = ""
    shell = Shell(folder, name)
    try:
        for language, text in blocks(page):
            if language == "sh":
                for line in commands(text):
                    output = shell.run(line)
                    if expected := re.search(r"\s# (\d{3})\b.*$", line):
                        output = shell.run_until(expected[1], line, output)
            elif language == "json":
                answer = output[output.index("{") :]
                assert fits(json.loads(text), json.loads(answer)), f"the page shows {text}\nthe answer is {answer}"
            elif language == "python":
                printed.append(shell.python(text))
    finally:
        shell.stop()
    return printed
