"""How the code reads, as far as a program can judge it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.gateway import REPOSITORY

#: The widest a line may be; 120 is what to aim at.
COLUMNS = 140
FILE_LINES = 500
#: Not used in names: they say nothing of what a thing is.
BANNED = ["manager", "handler", "helper", "util", "utils", "utility", "data", "info"]
TEXT = {".swift", ".py", ".md", ".json", ".yaml", ".c", ".h", ".lua", ".modulemap", ""}


def tracked(*suffixes: str) -> list[Path]:
    """Files of the repository with these endings, vectors left out: they are others' bytes."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = (REPOSITORY / name for name in listed if not re.match(r"Tests/(Vectors|Fuzz/Corpus)/", name))
    return sorted(path for path in found if path.suffix in suffixes and path.is_file() and path.name != "LICENSE")


def swift_sources() -> list[Path]:
    return [path for path in tracked(".swift") if path.is_relative_to(REPOSITORY / "Sources")]


def places(paths: list[Path], pattern: str, flags: int = 0) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, line, flags):
                yield f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"


def test_lines_fit() -> None:
    too_long = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in swift_sources() + tracked(".py", ".c", ".h")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > COLUMNS
    ]
    assert not too_long


def test_files_fit() -> None:
    too_long = [
        str(path.relative_to(REPOSITORY)) for path in swift_sources() if path.read_text().count("\n") > FILE_LINES
    ]
    assert not too_long


def test_no_white_space_at_the_end_of_lines() -> None:
    assert not list(places(tracked(*TEXT), r"[ \t]+$"))


def test_files_end_with_one_line_break() -> None:
    wrong = []
    for path in tracked(*TEXT):
        content = path.read_text()
        if content and (not content.endswith("\n") or content.endswith("\n\n")):
            wrong.append(str(path.relative_to(REPOSITORY)))
    assert not wrong


def test_nothing_is_left_for_later() -> None:
    words = "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"])
    assert not list(places(tracked(".swift", ".py", ".c", ".h", ".md", ""), rf"\b({words})\b"))


def test_no_foundation_in_sources() -> None:
    assert not list(places(swift_sources(), r"^\s*(\w+ )?import Foundation\b"))


def test_middle_modules_do_not_know_each_other() -> None:
    allowed = {
        "Core": set(),
        "HTTP1": {"Core"},
        "HTTP2": {"Core", "CNghttp2"},
        "Crypto": {"Core", "COpenSSL"},
        "Policy": {"Core"},
        "IO": {"Core", "CLinux", "Dispatch"},
    }
    own = {"Core", "HTTP1", "HTTP2", "Crypto", "Policy", "IO", "Gateway", "CLinux", "COpenSSL", "CNghttp2", "Dispatch"}
    wrong = []
    for path in swift_sources():
        module = path.relative_to(REPOSITORY / "Sources").parts[0]
        if module not in allowed:
            continue
        imported = set(re.findall(r"^(?:\w+ )?import (\w+)", path.read_text(), re.MULTILINE))
        wrong += [f"{path.relative_to(REPOSITORY)} imports {name}" for name in (imported & own) - allowed[module]]
    assert not wrong


def words_of(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def test_names_say_what_things_are() -> None:
    declared = re.compile(r"\b(?:func|var|let|class|struct|enum|actor|protocol|typealias|case)\s+`?([A-Za-z_]\w*)")
    wrong = []
    for path in swift_sources():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = line.split("//")[0]
            for name in declared.findall(code):
                if set(words_of(name)) & set(BANNED) and name not in ALLOWED:
                    wrong.append(f"{path.relative_to(REPOSITORY)}:{number}: {name}")
        if set(words_of(path.stem)) & set(BANNED):
            wrong.append(str(path.relative_to(REPOSITORY)))
    assert not wrong


#: Given by protocols and libraries of others.
ALLOWED = {"info"}


@pytest.mark.parametrize("path", [path for path in tracked("") if path.parent.name in ("scripts", ".ci")], ids=str)
def test_commands_can_be_run(path: Path) -> None:
    assert path.stat().st_mode & 0o111


def test_nothing_names_the_machine_it_was_written_on() -> None:
    assert not list(places(tracked(*TEXT), r"(?<![\w.])/(work|root|home/\w+)/"))
