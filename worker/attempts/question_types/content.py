"""Reading a question's own content: each function returns a checked value or raises MalformedQuestion."""

from typing import Any

from worker.attempts.errors import MalformedQuestion


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return `value` if it is a JSON object."""
    if not isinstance(value, dict):
        raise MalformedQuestion(where, "must be an object")
    return value


def items(value: Any, where: str) -> list[Any]:
    """Return `value` if it is a JSON array with at least one entry."""
    if not isinstance(value, list) or not value:
        raise MalformedQuestion(where, "must be a list with at least one entry")
    return value


def string(value: Any, where: str) -> str:
    """Return `value` if it is a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise MalformedQuestion(where, "must be a text that is not empty")
    return value


def required(content: dict[str, Any], name: str, where: str) -> Any:
    """Return a field of an object."""
    if name not in content:
        raise MalformedQuestion(f"{where}.{name}", "is missing")
    return content[name]


def options(value: Any, where: str = "options") -> dict[str, str]:
    """Return the options as id → what the learner sees of it, in their order. Ids are unique.

    An option without a text (an image, a sound) stands for itself: it is seen as its id.
    """
    seen: dict[str, str] = {}
    for number, entry in enumerate(items(value, where)):
        option = mapping(entry, f"{where}[{number}]")
        option_id = string(option.get("id"), f"{where}[{number}].id")
        if option_id in seen:
            raise MalformedQuestion(f"{where}[{number}].id", "occurs twice")
        text = option.get("text")
        seen[option_id] = f"text:{' '.join(text.split())}" if isinstance(text, str) and text else f"id:{option_id}"
    return seen


def option_id(value: Any, known: dict[str, str], where: str) -> str:
    """Return `value` if it is the id of a known option."""
    if not isinstance(value, str) or value not in known:
        raise MalformedQuestion(where, "is not the id of an option")
    return value


def is_exact(answer_key: dict[str, Any]) -> bool:
    """Return whether the key asks for all or nothing (`"credit": "exact"`)."""
    credit = answer_key.get("credit", "partial")
    if credit not in ("partial", "exact"):
        raise MalformedQuestion("answer_key.credit", "must be partial or exact")
    return bool(credit == "exact")
