"""Waiting for a condition with a deadline, for what can only be looked at from outside."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.01


def until(condition: Callable[[], object], timeout: float = 5, what: str = "the condition") -> object:
    """The first true value of `condition`; fails when there is none within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {timeout} s")
        time.sleep(POLL_SECONDS)


def stays_false(condition: Callable[[], object], seconds: float) -> bool:
    """Whether `condition` was false for all of `seconds`, where no event says that nothing more will arrive."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return False
        time.sleep(POLL_SECONDS)
    return True
