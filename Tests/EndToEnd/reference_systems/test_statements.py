"""Every numbered statement about the reference systems has a test of its name and a row in docs/reference-systems.md, and every
example has a page whose commands are run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from harness.gateway import REPOSITORY

FOLDER = Path(__file__).parent
#: Statements of each system, and the files of their tests.
SYSTEMS = {
    "rk": (30, "test_rokka*.py"),
    "ro": (10, "test_rollout*.py"),
    "aa": (16, "test_authrocket*.py"),
    "aj": (14, "test_authrocket_jwt_keys.py"),
    "rb": (15, "test_roboticks*.py"),
}
IDS = [f"{system}{number}" for system, (count, _) in SYSTEMS.items() for number in range(1, count + 1)]


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions at the top of a file."""
    return {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def named(paths: list[Path], statement: str) -> list[ast.FunctionDef]:
    """The tests of a statement."""
    found = [(name, node) for path in paths for name, node in functions(path).items()]
    return [node for name, node in found if re.match(rf"test_{statement}(_|$)", name)]


@pytest.mark.parametrize("statement", IDS)
def test_every_statement_has_a_test(statement: str) -> None:
    paths = sorted(FOLDER.glob(SYSTEMS[statement[:2]][1]))
    found = named(paths, statement)
    assert found
    for test in found:
        assert any(isinstance(node, ast.Assert) for node in ast.walk(test)), f"{test.name} checks nothing"
        marks = " ".join(ast.unparse(mark) for mark in test.decorator_list)
        assert not re.search(r"mark\.(skip|xfail)", marks), f"{test.name} is not run"


def test_no_test_names_a_statement_that_is_not_there() -> None:
    for path in FOLDER.glob("test_*.py"):
        for name in functions(path):
            found = re.match(r"test_((?:rk|ro|aa|aj|rb)\d+)(?:_|$)", name)
            assert not found or found[1] in IDS, f"{path.name}: {name}"


def rows() -> list[tuple[str, str, str]]:
    """Statement, kinds and decision of each row of the page's tables."""
    page = (REPOSITORY / "docs" / "reference-systems.md").read_text()
    found = re.findall(r"^\| ((?:RK|RO|AA|AJ|RB)\d+) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    return [(identifier.lower(), kinds, decision) for identifier, kinds, decision in found]


def test_every_statement_is_on_the_page() -> None:
    assert [identifier for identifier, _, _ in rows()] == IDS
    for identifier, kinds, decision in rows():
        assert decision.strip("– "), identifier
        assert set(kinds.split(", ")) <= {"lit", "orig", "inf"}, identifier


def test_what_the_originals_do_has_tests_that_say_so() -> None:
    """A statement that is known from the original system or its client library has a test named `orig`, and no other has."""
    of_originals = {identifier for identifier, kinds, _ in rows() if "orig" in kinds.split(", ")}
    names = [name for path in FOLDER.glob("test_*.py") for name in functions(path)]
    assert {found[1] for name in names if (found := re.match(r"test_((?:rk|ro|aa|aj|rb)\d+)_orig(_|$)", name))} == of_originals
    assert of_originals


@pytest.mark.parametrize("system", ["rokka", "rollout", "authrocket", "roboticks"])
def test_every_example_has_a_page_that_is_run(system: str) -> None:
    tests = FOLDER / f"test_{system}.py"
    assert (REPOSITORY / "examples" / f"{system}.json").exists()
    assert f"examples/{system}.json" in (REPOSITORY / "docs" / f"{system}.md").read_text()
    assert f'run_page("{system}"' in tests.read_text()
