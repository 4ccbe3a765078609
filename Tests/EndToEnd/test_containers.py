"""docker/: what can be judged without a container engine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from harness.gateway import REPOSITORY, run_portcullis

DOCKER = REPOSITORY / "docker"
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of the Dockerfile, continued lines joined."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.strip().split(" ", 1)) for line in joined.splitlines() if line.strip()]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest))
    return found


def test_every_instruction_is_known() -> None:
    assert {name for name, _ in instructions()} <= INSTRUCTIONS


def test_two_stages_with_pinned_releases() -> None:
    build, final = stages()
    assert re.fullmatch(r"swift:6\.3\S* AS build", build[0][1])
    assert re.fullmatch(r"debian:12-slim", final[0][1])


def test_the_final_stage_is_not_root_and_is_checked() -> None:
    final = stages()[1]
    users = [rest for name, rest in final if name == "USER"]
    assert users and users[-1].split(":")[0].isdigit() and users[-1].split(":")[0] != "0"
    order = [name for name, _ in final]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert any(name == "HEALTHCHECK" and "/healthz" in rest for name, rest in final)


def test_commands_are_lists_so_that_signals_arrive() -> None:
    for name, rest in instructions():
        if name in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(rest), list)
        if name == "HEALTHCHECK":
            assert isinstance(json.loads(rest.split(" CMD ", 1)[1]), list)


def test_what_is_copied_exists() -> None:
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            assert all(list(REPOSITORY.glob(source)) or source.endswith("*") for source in sources), rest


def test_package_lists_do_not_stay_in_the_image() -> None:
    for _, rest in instructions():
        if "apt-get install" in rest:
            assert "--no-install-recommends" in rest and "rm -rf /var/lib/apt/lists" in rest


def test_compose() -> None:
    composed = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    gateway, upstream = composed["services"]["gateway"], composed["services"]["upstream"]
    assert (DOCKER / gateway["build"]["context"] / gateway["build"]["dockerfile"]).resolve() == DOCKER / "Dockerfile"
    for service in (gateway, upstream):
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
        for volume in service.get("volumes", []):
            assert (DOCKER / volume.split(":")[0]).exists() and volume.endswith(":ro")
    policy = json.loads((DOCKER / "gateway.json").read_text())
    assert policy["upstreams"]["demo"]["servers"] == ["http://upstream:9000"]
    assert "ports" not in upstream, "the upstream must be reached through the gateway only"


def test_the_policy_of_the_container(tmp_path: Path) -> None:
    done = run_portcullis("check", "--config", str(DOCKER / "gateway.json"), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
