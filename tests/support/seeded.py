"""What no log may say: secrets and persons that tests make up, looked for in all that the code under test logs.

`watch_this_process` sees each event and record as it is logged here, whatever becomes of it afterwards; `Program` has
what its process printed searched when it ends. What is found fails the test at hand (tests/conftest.py).
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog

from worker.logging import masked
from worker.settings import Settings

NAME = "Siti Rahayu"
API_TOKEN = "a-token-for-tests"
PASSWORD = "correct horse battery"
PAYMENT_TOKENS = {"midtrans": "card:{}", "xendit": "pm-{}", "stripe": "cus_1/pm_{}"}
"""By gateway; `{}` is how the sandbox shall behave."""

_SEEDED = re.compile(
    rf"{NAME}|{API_TOKEN}|{PASSWORD}|[\w.+-]+@example\.(?:org|com|net)|\bcard:[a-z_]+|\bpm-[a-z_]+|\bcus_1/pm_\w+",
    re.IGNORECASE,
)
_MASKED_BY_CELERY = re.compile(r":\*+@")
_SHORTEST = 12
"""Shorter secrets of settings (`x`, `t0ken`) would be found everywhere."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that was logged: what, by which logger or process, in which line, during which test."""

    secret: str
    logger: str
    line: str
    test: str

    def __str__(self) -> str:
        """Return what somebody needs to mend it."""
        return f"{self.secret!r} logged by {self.logger}, during {self.test}:\n    {self.line[:2_000]}"


_leaks: list[Leak] = []
_secrets: set[str] = set()


@cache
def _secret_settings() -> frozenset[str]:
    fields = Settings.model_fields.items()
    return frozenset(f"ELP_{name.upper()}" for name, field in fields if "SecretStr" in str(field.annotation))


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of secret settings (tokens, encryption keys, gateways' keys) in an environment."""
    values = (environment.get(name, "") for name in _secret_settings())
    parts = (part.strip() for value in values for part in value.split(","))
    return frozenset(part for part in parts if len(part) >= _SHORTEST)


def seed(secrets: Iterable[str]) -> None:
    """Have this process's logs searched for these, too, until the end of the test."""
    _secrets.update(secrets)


def search(text: str, logger: str, secrets: Iterable[str]) -> None:
    """Keep what a text that was logged should not have held."""
    found = {match[0] for match in _SEEDED.finditer(text)} | {secret for secret in secrets if secret in text}
    test = os.environ.get("PYTEST_CURRENT_TEST", "no test")
    for secret in sorted(found):
        line = next((line for line in text.splitlines() if secret in line), text)
        _leaks.append(Leak(secret, logger, line, test))


def search_output(text: str, program: str, secrets: Iterable[str], *, masks: bool = True) -> None:
    """The same for what a process printed; unless it is said not to mask, nothing may be left of what logs mask."""
    search(text, program, secrets)
    if not masks:
        return
    text = _MASKED_BY_CELERY.sub(":********@", text)
    if masked(text) != text:
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test")
        lines = (line for line in text.splitlines() if masked(line) != line)
        _leaks.extend(Leak("a token, hash or password", program, masked(line), test) for line in lines)


def take() -> list[Leak]:
    """Return what was found since the last call, and forget it along with the test's own secrets."""
    found = list(dict.fromkeys(_leaks))
    _leaks.clear()
    _secrets.clear()
    return found


def watch_this_process() -> None:
    """See everything that is logged in this process from now on, by structlog and the standard library."""
    make_record = logging.getLogRecordFactory()

    def watched(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = f"{record.msg} {record.args}"
        fields = record.msg if isinstance(record.msg, dict) else {}
        search(masked(f"{text}{_traceback(record.exc_info or fields.get('exc_info'))}"), record.name, _secrets)
        return record

    logging.setLogRecordFactory(watched)
    structlog.configure(processors=[_watch_event, *structlog.get_config()["processors"]])


def _watch_event(logger: Any, _: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # Until a process configures its logs, structlog prints for itself: the standard library sees nothing of it.
    search(masked(f"{dict(event)}{_traceback(event.get('exc_info'))}"), f"structlog ({event.get('event')})", _secrets)
    return event


def _traceback(exc_info: Any) -> str:
    if not exc_info:
        return ""
    error = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1]
    if isinstance(exc_info, tuple):
        error = exc_info[1]
    return "" if error is None else "\n" + "".join(traceback.format_exception(error))
