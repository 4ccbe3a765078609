"""docs/gateway.schema.json by an independent validator: shipped file, README's examples, what must not pass."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import referencing
from harness.gateway import REPOSITORY
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.shipped import EXAMPLES, TESTS

SCHEMA = json.loads((REPOSITORY / "docs" / "gateway.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def documents() -> list[tuple[str, str]]:
    """JSON code blocks of the README that are whole policies."""
    text = (REPOSITORY / "README.md").read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return [
        (f"block {number}", block)
        for number, block in enumerate(blocks)
        if '"listeners"' in block and '"routes"' in block
    ]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_shipped_file() -> None:
    VALIDATOR.validate(json.loads((REPOSITORY / "gateway.json").read_text()))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples(path: Path) -> None:
    VALIDATOR.validate(json.loads(path.read_text()))


def validator_of_tests() -> jsonschema.Draft202012Validator:
    schema = json.loads((REPOSITORY / "docs" / "tests.schema.json").read_text())
    beside = referencing.Registry().with_resource("gateway.schema.json", referencing.Resource.from_contents(SCHEMA))
    return jsonschema.Draft202012Validator(schema, registry=beside)


def test_files_of_tests() -> None:
    validator = validator_of_tests()
    good = {"name": "keys only", "request": "GET /", "expect": {"status": 401}}
    for tests in [[good], {"$schema": "tests.schema.json", "tests": [good]}, *(json.loads(path.read_text()) for path in TESTS)]:
        validator.validate(tests)
    for wrong in [[{**good, "expects": {}}], {"test": [good]}, {"tests": good}, "tests", {"tests": [], "routes": []}]:
        assert list(validator.iter_errors(wrong)), wrong


def test_the_readme_has_examples() -> None:
    assert documents()


@pytest.mark.parametrize(("name", "text"), documents())
def test_examples_of_the_readme(name: str, text: str) -> None:
    VALIDATOR.validate(json.loads(text))


def test_policies_of_this_suite() -> None:
    _, record = api_key()
    VALIDATOR.validate(policy(9000))
    VALIDATOR.validate(keyed_policy(9000, records=[record]))
    pages = {"origins": ["https://*.acme.example"], "credentials": True, "max_age": "1h"}
    VALIDATOR.validate(policy(9000, cors=pages, routes=[open_route(cors=None), open_route(cors="upstream"), open_route(cors=pages)]))


WRONG: dict[str, Json] = {
    "unknown member": policy(9000, lopps=1),
    "route without authenticate": policy(9000, routes=[{"name": "a", "match": {"path": "/"}, "upstream": "up"}]),
    "duration without unit": policy(9000, upstream={"connect_timeout": "2"}),
    "number for a string": policy(9000, routes=[open_route(name=7)]),
    "burst of a window": policy(9000, limits={"fair": {"kind": "window", "requests": 1, "per": "1s", "burst": 1}}),
    "unknown member of a route": policy(9000, routes=[open_route(autenticate="none")]),
    "origins of no page": policy(9000, cors={"methods": ["GET"]}),
    "pages by another word": policy(9000, cors="downstream"),
    "no pages at the top": policy(9000, cors=None),
    "literal secret": keyed_policy(9000, records=[{"id": "a", "key": "secret"}]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_must_not_pass(name: str) -> None:
    assert list(VALIDATOR.iter_errors(WRONG[name]))


def every_object(node: object, path: str = "#"):
    if isinstance(node, dict):
        if "properties" in node:
            yield path, node
        for name, child in node.items():
            yield from every_object(child, f"{path}/{name}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from every_object(child, f"{path}/{number}")


def test_every_member_is_described() -> None:
    for path, node in every_object(SCHEMA):
        for name, member in node["properties"].items():
            described = member if isinstance(member, dict) else {}
            if "$ref" in described and "description" not in described:
                described = SCHEMA["$defs"][described["$ref"].removeprefix("#/$defs/")]
            assert described.get("description"), f"{path}/properties/{name}"
