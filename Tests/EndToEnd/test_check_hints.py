"""What `check` warns of on this machine, and secrets that no key can be made of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from harness.gateway import REPOSITORY, run_portcullis
from harness.policy import policy


def test_a_log_in_a_missing_folder_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(json.dumps(policy(9, access_log="file:logs/access.jsonl")))
    checked = run_portcullis("check", folder=tmp_path)
    assert checked.returncode == 0
    assert "warning: access_log: the folder" in checked.stderr
    (tmp_path / "logs").mkdir()
    assert "the folder" not in run_portcullis("check", folder=tmp_path).stderr


@pytest.mark.parametrize(("count", "is_taken"), [(1024, True), (1025, False)])
def test_no_digest_is_printed_of_a_secret_that_is_too_long(count: int, is_taken: bool) -> None:
    hashed = run_portcullis("key", "hash", "--bare", given="x" * count)
    assert (hashed.returncode == 0) == is_taken
    assert bool(hashed.stdout) == is_taken
    assert is_taken or "at most 1024 bytes" in hashed.stderr


def test_the_samples_of_the_documentation_have_no_well_known_secret() -> None:
    words = ["", "test", "secret", "password", "changeme", "demo", "key", "admin"]
    digests = {hashlib.sha256(word.encode()).hexdigest() for word in words}
    for file in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")), *sorted((REPOSITORY / "examples").glob("*"))]:
        if file.is_file():
            assert not [digest for digest in digests if digest in file.read_text()], file
