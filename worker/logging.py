"""Structured logs: one event a line, ids as fields, never personal data or secrets."""

import logging
import re
import sys
from typing import Final

import structlog

from worker.settings import Settings

_SECRETS: Final = re.compile(
    r"""(://[^:/@\s"']*:)[^@\s"']+(?=@)|(\bBearer\s+)[A-Za-z0-9._~+/=-]+|(\bel[ps]_)[A-Za-z0-9_-]{43,}|"""
    r"""(\bgAAAAA)[A-Za-z0-9_=-]{60,}|(\$2[aby]\$[0-9]{2}\$)[./A-Za-z0-9]{53}""",
    re.IGNORECASE,
)
"""Passwords in addresses, bearer tokens, tokens and sessions of ours, encrypted columns, hashes of passwords."""


class MaskingFormatter(structlog.stdlib.ProcessorFormatter):
    """Masks what looks like a secret in the finished line: also in tracebacks, and whoever logged it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return masked(super().format(record))


def masked(text: str) -> str:
    """Return a text without what `_SECRETS` names; what each begins with stays."""
    return _SECRETS.sub(lambda found: f"{next(filter(None, found.groups()))}********", text)


def configure(process: str, settings: Settings) -> None:
    """Send structlog and the standard library's logging of this process to stderr, in one shape.

    Args:
        process: the process's name in the Procfile (api, worker, beat …), bound to every line.
        settings: gives the level and the format (json for machines, console for people).
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        MaskingFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
