"""The store: nothing that was answered is lost, and what becomes of requests while it cannot be used."""

from __future__ import annotations

import concurrent.futures
import json
import resource
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask, reason
from harness.gateway import BOUND_BY_MODES, Gateway
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

ENCRYPTION_KEY = {"STORE_KEY": "0123456789abcdef" * 4}


def storing_policy(port: int, record: Json, database: Path) -> Json:
    """One key of the file; `/token` gives its holder tokens and refresh tokens, `/refresh` takes those."""
    terms = {"key_set": "own", "refresh_tokens": {"lifetime": "1h"}}
    return policy(
        port,
        store={"sqlite": str(database), "encryption_key": "env:STORE_KEY"},
        key_sets={"own": {"stored": True}},
        authenticators={"keys": key_authenticator(record, stored=True)},
        failure_budget="off",
        routes=[
            {
                "name": "token",
                "match": {"path": "/token", "methods": ["POST"]},
                "authenticate": ["keys"],
                "action": {"mint_token": terms},
            },
            {
                "name": "refresh",
                "match": {"path": "/refresh", "methods": ["POST"]},
                "authenticate": "none",
                "action": {"refresh_token": terms},
            },
            open_route(name="rest", authenticate=["keys"]),
        ],
    )


def add_key(running: Gateway, database: Path, name: str = "stored") -> str:
    """Puts a key into the store, as another process does, and waits until the gateway takes it."""
    secret, record = api_key(name)
    store = sqlite3.connect(database, isolation_level=None)
    store.execute("BEGIN IMMEDIATE")
    store.execute("INSERT INTO keys VALUES (?, 'keys', 'Stored', ?, NULL, '[]', '[]', '[]', NULL, 1, 0)", [name, name])
    store.execute("INSERT INTO key_secrets VALUES (?, 0, ?, 0, NULL)", [name, bytes.fromhex(record["sha256"])])
    store.execute("UPDATE revision SET number = number + 1")
    store.execute("COMMIT")
    store.close()
    until(lambda: ask(running.port, "/", [f"X-API-Key: {secret}"]).status == 200, 5, "the key of another process")
    return secret


def contents(database: Path) -> list[str]:
    with sqlite3.connect(database) as store:
        lines = list(store.iterdump())
    store.close()
    return lines


def refresh(port: int, token: str) -> int:
    body = f"grant_type=refresh_token&refresh_token={token}"
    fields = ["Content-Type: application/x-www-form-urlencoded"]
    return ask(port, "/refresh", fields, "POST", body.encode()).status


def mint(port: int, secret: str) -> str:
    answer = ask(port, "/token", [f"X-API-Key: {secret}"], "POST")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["refresh_token"]


def test_kill_9_loses_nothing_that_was_answered(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    database = tmp_path / "var" / "store.db"
    config = storing_policy(upstream().port, api_key()[1], database)
    folder = tmp_path / "killed"
    folder.mkdir()
    answered: list[str] = []
    for victim in range(3):
        running = Gateway(config, folder, ENCRYPTION_KEY)
        try:
            # Each has its own: the oldest refresh tokens of a key end where there are more than 100.
            secret = add_key(running, database, f"stored-{victim}")
            mint_until_it_is_killed(running, secret, answered, 30 * (victim + 1))
        finally:
            running.kill()
            running.forget_ports()
        with sqlite3.connect(database) as store:
            assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        store.close()
    assert len(set(answered)) == len(answered)
    running = gateway(config, environment=ENCRYPTION_KEY)
    for token in answered:
        assert refresh(running.port, token) == 200
    assert refresh(running.port, answered[0]) in (400, 401)


def mint_until_it_is_killed(running: Gateway, secret: str, answered: list[str], count: int) -> None:
    """Asks for tokens on four connections at once, and kills the gateway amid it once `count` refresh tokens came."""
    enough = threading.Event()

    def ask_on() -> None:
        try:
            while len(answered) < count + 50:
                answered.append(mint(running.port, secret))
                if len(answered) >= count:
                    enough.set()
        except (OSError, AssertionError, ValueError, AttributeError):
            enough.set()

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(ask_on)
        came = enough.wait(30)
        running.kill()
    assert came and len(answered) >= count


def spoil_with_text(database: Path) -> None:
    database.write_text("this is no database\n" * 100)


def spoil_with_folder(database: Path) -> None:
    database.mkdir()


def spoil_with_newer_format(database: Path) -> None:
    with sqlite3.connect(database) as store:
        store.execute("PRAGMA application_id = 1346590028")
        store.execute("PRAGMA user_version = 99")
    store.close()


def spoil_by_cutting(database: Path) -> None:
    with sqlite3.connect(database) as store:
        store.execute("PRAGMA application_id = 1346590028")
        store.execute("PRAGMA user_version = 1")
        store.execute("CREATE TABLE revision (one INTEGER PRIMARY KEY, number INTEGER)")
        store.executemany("INSERT INTO revision VALUES (?, 0)", [(number,) for number in range(2000)])
    store.close()
    database.write_bytes(database.read_bytes()[:8192])


SPOILT = {
    "not a database": (spoil_with_text, "no SQLite database"),
    "a folder": (spoil_with_folder, "cannot be used"),
    "a newer format": (spoil_with_newer_format, "newer version"),
    "cut short": (spoil_by_cutting, "damaged"),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILT.values(), ids=SPOILT.keys())
def test_keys_of_files_go_on_without_a_store(
    gateway: Start, upstream: Origin, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    origin = upstream()
    secret, record = api_key()
    database = tmp_path / "store.db"
    spoil(database)
    running = gateway(storing_policy(origin.port, record, database), environment=ENCRYPTION_KEY)
    running.wait_for_line(message)
    assert ask(running.port, "/", fields=[f"X-API-Key: {secret}"]).status == 200
    unknown = ask(running.port, "/", fields=["X-API-Key: rbtk_who_knows"])
    assert (unknown.status, reason(unknown)) == (503, "store_unavailable")
    minted = ask(running.port, "/token", [f"X-API-Key: {secret}"], "POST")
    assert (minted.status, reason(minted)) == (503, "store_unavailable")


def test_a_wrong_encryption_key_is_told_and_changes_nothing(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    origin = upstream()
    secret, record = api_key()
    database = tmp_path / "store.db"
    config = storing_policy(origin.port, record, database)
    running = gateway(config, environment=ENCRYPTION_KEY)
    token = mint(running.port, add_key(running, database))
    assert running.stop() == 0
    before = contents(database)

    running = gateway(config, environment={"STORE_KEY": "f" * 64})
    running.wait_for_line("encrypted with another key than store.encryption_key")
    assert ask(running.port, "/", fields=[f"X-API-Key: {secret}"]).status == 200
    assert refresh(running.port, token) == 503
    assert running.stop() == 0
    assert contents(database) == before

    running = gateway(config, environment=ENCRYPTION_KEY)
    assert refresh(running.port, token) == 200


def test_a_full_disk_refuses_changes_until_there_is_room(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    origin = upstream()
    secret, record = api_key()
    database = tmp_path / "store.db"
    running = gateway(storing_policy(origin.port, record, database), environment=ENCRYPTION_KEY)
    stored = add_key(running, database)
    answered = [mint(running.port, stored)]
    log = Path(f"{database}-wal")
    # No file of the gateway may grow any more, which to it looks like a disk without room.
    soft, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 1000, hard))
    refused = ask(running.port, "/token", [f"X-API-Key: {stored}"], "POST")
    assert (refused.status, reason(refused)) == (503, "store_unavailable")
    running.wait_for_line("the disk is full")
    assert ask(running.port, "/", fields=[f"X-API-Key: {secret}"]).status == 200
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
    answered.append(mint(running.port, stored))
    running.wait_for_line("can be used again")
    assert running.is_alive()
    for token in answered:
        assert refresh(running.port, token) == 200


# Without the right to make files beside it SQLite does not read a database with a write-ahead log.
@pytest.mark.parametrize(("folder_mode", "is_read"), [(0o755, True), (0o555, False)])
def test_a_store_that_cannot_be_written_refuses_changes_until_it_can(
    gateway: Start, upstream: Origin, tmp_path: Path, folder_mode: int, is_read: bool
) -> None:
    origin = upstream()
    secret, record = api_key()
    folder = tmp_path / "data"
    folder.mkdir()
    database = folder / "store.db"
    config = storing_policy(origin.port, record, database)
    running = gateway(config, environment=ENCRYPTION_KEY)
    stored = add_key(running, database)
    token = mint(running.port, stored)
    assert running.stop() == 0
    before = contents(database)
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(folder_mode)

    running = gateway(config, environment=ENCRYPTION_KEY, launcher=BOUND_BY_MODES)
    for _ in range(2):
        assert ask(running.port, "/", fields=[f"X-API-Key: {secret}"]).status == 200
        assert ask(running.port, "/", fields=[f"X-API-Key: {stored}"]).status == (200 if is_read else 503)
        refused = ask(running.port, "/token", [f"X-API-Key: {stored}"], "POST")
        assert (refused.status, reason(refused)) == (503, "store_unavailable")
        assert refresh(running.port, token) == 503
    running.wait_for_line("the store cannot be written: attempt to write a readonly database")
    assert sum("the store" in line for line in running.lines) == 1
    folder.chmod(0o700)
    for path in folder.iterdir():
        path.chmod(0o600)
    # Nothing of what was refused was done: the refresh token was not used.
    assert contents(database) == before
    assert until(lambda: refresh(running.port, token) == 200, 10, "the store to be opened")
    running.wait_for_line("can be used again")
    mint(running.port, stored)


def test_what_another_process_changes_is_soon_in_force(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    origin = upstream()
    database = tmp_path / "store.db"
    running = gateway(storing_policy(origin.port, api_key()[1], database), environment=ENCRYPTION_KEY)
    secret = add_key(running, database)
    token = mint(running.port, secret)
    with sqlite3.connect(database) as store:
        store.execute("PRAGMA foreign_keys = ON")
        store.execute("DELETE FROM keys")
        store.execute("UPDATE revision SET number = number + 1")
    store.close()
    until(lambda: ask(running.port, "/", [f"X-API-Key: {secret}"]).status == 401, 5, "the end of the key")
    assert refresh(running.port, token) in (400, 401)
