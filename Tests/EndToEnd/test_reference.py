"""The operator's pages against the schema, the program and its sources: nothing is left out, and every example holds."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from harness.certificates import Authority
from harness.gateway import REPOSITORY, run_portcullis

PAGES = {
    str(path.relative_to(REPOSITORY)): path.read_text()
    for path in [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
}
README, REFERENCE = PAGES["README.md"], PAGES["docs/reference.md"]
SCHEMA = json.loads((REPOSITORY / "docs" / "gateway.schema.json").read_text())
SOURCES = REPOSITORY / "Sources"


def resolved(node: dict) -> dict:
    return SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else node


def members(path: str, node: dict) -> Iterator[tuple[str, dict, bool]]:
    """Every member below a node of the schema: its path as the reference spells it, its schema, whether it must be there."""
    node = resolved(node)
    for name, member in node.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        yield inner, member, name in node.get("required", [])
        yield from members(inner, member)
    if isinstance(node.get("items"), dict):
        yield from members(f"{path}[]", node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        yield from members(f"{path}.NAME", node["additionalProperties"])
    choices = [*node.get("anyOf", []), *node.get("oneOf", [])]
    for choice in choices:
        if "items" in choice and choice["items"] in [{"$ref": other.get("$ref")} for other in choices]:
            continue  # One, or a list of such.
        if "required" not in choice or "properties" in choice:
            yield from members(path, choice)


MEMBERS = list(members("", SCHEMA))
#: First cells and whole lines of the tables of members.
ROWS = re.findall(r"^(\| `([^`]+)` \|.*)$", REFERENCE.split("### Top level")[1].split("## Reasons")[0], re.MULTILINE)


def raw_strings(path: str, pattern: str) -> set[str]:
    found = set(re.findall(pattern, next(SOURCES.rglob(path)).read_text()))
    assert found, f"{path} has none; has it moved?"
    return found


def test_every_member_of_the_schema_has_a_row() -> None:
    named = {name for _, name in ROWS}
    assert len(MEMBERS) > 100
    assert not {path for path, _, _ in MEMBERS} - named


def test_every_row_is_a_member_of_the_schema() -> None:
    paths = {path for path, _, _ in MEMBERS}
    tables = REFERENCE.split("### Top level")[1].split("## Reasons")[0]
    rows = re.findall(r"\| member \| meaning \|.*\n\|[-|]+\n((?:\|.*\n)+)", tables)
    named = {name for table in rows for name in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)}
    assert named and not named - paths


def test_rows_tell_the_default() -> None:
    for path, member, is_required in MEMBERS:
        expected = "required" if is_required else f"`{json.dumps(member['default'])}`" if "default" in member else None
        if expected:
            assert any(line.endswith(f"| {expected} |") for line, name in ROWS if name == path), f"{path}: {expected}"


def test_the_readme_lists_the_top_level() -> None:
    listed = set(re.findall(r"^\| \[`([^`]+)`\]\(docs/reference\.md#", README, re.MULTILINE))
    assert listed == set(SCHEMA["properties"])


REASON_SOURCES = [
    ("Denial.swift", r'case \.\w+: "([a-z0-9_]+)"'),
    ("RequestFault.swift", r'case \.\w+: "([a-z0-9_]+)"'),
    ("FramingFault.swift", r'case \.\w+: "([a-z0-9_]+)"'),
    ("PathFault.swift", r'case \w+ = "([a-z_]+)"'),
    ("TokenFault.swift", r'case \.\w+(?:, \.\w+)*: "([a-z_]+)"'),
    ("ExchangeFault.swift", r'case \w+ = "([a-z_]+)"'),
]


@pytest.mark.parametrize(("path", "pattern"), REASON_SOURCES)
def test_every_reason_is_explained(path: str, pattern: str) -> None:
    section = REFERENCE.split("\n## Reasons")[1].split("\n## ")[0]
    assert not {reason for reason in raw_strings(path, pattern) if f"| `{reason}` |" not in section}


def test_every_diagnostic_code_is_named() -> None:
    assert not {code for code in raw_strings("DiagnosticCode.swift", r'= "(\w+)"') if f"`{code}`" not in REFERENCE}


def test_every_metric_is_named() -> None:
    text = "".join(path.read_text() for path in (SOURCES / "Gateway").rglob("*.swift"))
    names = set(re.findall(r'"(portcullis_[a-z_]+)"', text))
    assert len(names) > 20
    assert names == set(re.findall(r"^\| `(portcullis_[a-z_]+)` \|", REFERENCE, re.MULTILINE))


def test_every_member_of_the_access_log_is_named() -> None:
    section = REFERENCE.split("\n## Access log")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", " ".join(cells)))
    assert named == raw_strings("AccessRecordText.swift", r'\\"(\w+)\\":')


@pytest.mark.parametrize("command", [
        ["serve"], ["check"], ["test"], ["explain"], ["diff"],
        ["key", "new"], ["key", "hash"], ["key", "create"], ["key", "list"], ["key", "rotate"],
        ["user", "create"], ["user", "member", "add"], ["token", "mint"], ["token", "inspect"],
    ])
def test_every_option_is_named(command: list[str]) -> None:
    shown = run_portcullis(*command, "--help")
    assert shown.returncode == 0
    section = REFERENCE.split("\n## Commands")[1].split("\n## ")[0]
    row = next(line for line in section.splitlines() if line.startswith(f"| `portcullis {' '.join(command)}"))
    options = set(re.findall(r"^  (--[a-z-]+)", shown.stdout, re.MULTILINE)) - {"--version"}
    assert not {option for option in options if option not in row}


def shows_answers(page: str) -> bool:
    """The page of a file under examples/, which a test of its own runs: what it shows in JSON is what commands answer."""
    return (REPOSITORY / "examples" / Path(page).with_suffix(".json").name).exists()


def blocks() -> list[tuple[str, str]]:
    return [
        (f"{page} {number}", text)
        for page, content in PAGES.items()
        if not shows_answers(page)
        for number, text in enumerate(re.findall(r"```json\n(.*?)```", content, re.DOTALL), 1)
    ]


#: What fragments are laid over: the reader's policy of the README with its second step taken.
BASE = json.loads(re.findall(r"```json\n(.*?)```", README, re.DOTALL)[0])
STEP = json.loads(re.findall(r"```json\n(.*?)```", README, re.DOTALL)[1])


@pytest.mark.parametrize(("name", "text"), blocks())
def test_every_example_is_a_policy(name: str, text: str, tmp_path: Path, authority: Authority) -> None:
    """Whole or as a fragment: valid by the schema, and taken by the program."""
    fragment = json.loads(text)
    whole = copy.deepcopy(BASE)
    for member, value in STEP.items():
        whole[member] = {**whole.get(member, {}), **value}
    for member, value in fragment.items():
        whole[member] = {**whole.get(member, {}), **value} if isinstance(value, dict) else value
    jsonschema.Draft202012Validator(SCHEMA).validate(whole)
    (tmp_path / "gateway.json").write_text(json.dumps(whole, indent=2))
    (tmp_path / "certs").mkdir()
    shutil.copy(authority.path, tmp_path / "certs" / "internal-ca.pem")
    done = run_portcullis("check", "--config", "gateway.json", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (REPOSITORY / page).parent
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", PAGES[page]):
        path = (folder / target).resolve() if target else REPOSITORY / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text()), f"{target}#{anchor}"
