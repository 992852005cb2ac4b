"""A tryout's result as a page for its learner, in Indonesian and English. Pure: a sitting in, HTML out."""

from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, Template

from worker.tryouts.result_texts import MONTHS, TEXTS
from worker.tryouts.sitting import Sitting

Language = Literal["id", "en"]

_ZONE: Final = ZoneInfo("Asia/Jakarta")
_SKILLS: Final = ("listening", "reading", "grammar", "vocabulary", "writing", "speaking")
_LEVELS: Final = ("A1", "A2", "B1", "B2")


def render(sitting: Sitting, language: Language) -> str:
    """Return the page; a sitting that is not scored yet gets one that says so and looks again by itself."""
    texts = TEXTS[language]
    result = sitting.result
    title = (sitting.title_id or sitting.title) if language == "id" else sitting.title
    return _template().render(
        language=language,
        other="en" if language == "id" else "id",
        t=texts,
        title=title,
        sitting=sitting,
        is_waiting=sitting.state in ("submitted", "expired"),
        is_scored=sitting.state == "scored",
        submitted=_instant(sitting, language),
        raw=_number(sitting.raw_score, language),
        most=_number(sitting.max_score, language),
        share=_share(sitting.raw_score, sitting.max_score),
        percentile=_number(sitting.percentile, language),
        total=result.get("total"),
        skills=[_part(texts["skills"][name], result["skills"][name], language) for name in _present(result)],
        sections=[_part(name, tally, language) for name, tally in result.get("sections", {}).items()],
        scaled=result.get("scaled"),
        level=result.get("level"),
        levels=[{"name": name, "in_interval": _between(name, result.get("level"))} for name in _LEVELS],
        left_out=result.get("questions_left_out", 0),
        cohort=_number(Decimal(sitting.cohort), language),
    )


def _present(result: dict[str, Any]) -> list[str]:
    return [name for name in _SKILLS if name in result.get("skills", {})]


def _part(name: str, tally: dict[str, Any], language: Language) -> dict[str, Any]:
    points, most = Decimal(tally["points"]), Decimal(tally["max"])
    return {
        "name": name,
        "points": _number(points, language),
        "max": _number(most, language),
        "share": _share(points, most),
        "right": tally["right"],
        "partial": tally["partial"],
        "wrong": tally["wrong"],
        "blank": tally["blank"],
    }


def _share(points: Decimal | None, most: Decimal | None) -> int | None:
    """Return whole percent for a bar: 0 for what deductions took below zero. 100 is for everything right alone."""
    if points is None or not most:
        return None
    return max(0, min(int(100 * points / most), 100))


def _number(number: Decimal | None, language: Language) -> str | None:
    """Return a number as the language writes it: 1.234,5 or 1,234.5, a minus sign that is one, no trailing zeros."""
    if number is None:
        return None
    text = f"{number.normalize():,f}".replace("-", "−")
    return text.translate(str.maketrans(",.", ".,")) if language == "id" else text


def _between(level: str, interval: dict[str, str] | None) -> bool:
    return interval is not None and interval["low"] <= level <= interval["high"]


def _instant(sitting: Sitting, language: Language) -> str | None:
    closed_at = sitting.submitted_at or sitting.deadline_at
    if closed_at is None:
        return None
    local = closed_at.astimezone(_ZONE)
    return f"{local.day} {MONTHS[language][local.month - 1]} {local.year}, {local:%H.%M} WIB"


@cache
def _template() -> Template:
    source = files("worker.tryouts").joinpath("templates", "result.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
