"""The catalogue of achievements: read from `catalogue.toml`, and refused by name where an entry cannot work."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

import msgspec

from worker.achievements.counters import Counters
from worker.achievements.errors import CatalogueError, UnknownAchievementError

_CODE: Final = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_LONGEST_CODE: Final = 100
_TEXTS: Final = ("icon", "name_id", "name_en", "description_id", "description_en")
_FIELDS: Final = {"code", *_TEXTS, "counter", "tiers", "at_least"}


class Tier(msgspec.Struct, frozen=True):
    """A step of an achievement: the code under which it is awarded, and the number to reach."""

    code: str
    threshold: int


class Achievement(msgspec.Struct, frozen=True):
    """An entry of the catalogue.

    Attributes:
        code: names it.
        icon: name in the app's icon set.
        name_id, name_en, description_id, description_en: texts, {n} standing for the tier's number.
        counter: the counter that is compared.
        tiers: by rising number.
        at_least: further counters that must have reached a number.
    """

    code: str
    icon: str
    name_id: str
    name_en: str
    description_id: str
    description_en: str
    counter: str
    tiers: tuple[Tier, ...]
    at_least: Mapping[str, int] = {}

    def text(self, field: str, tier: Tier) -> str:
        """Return one of the texts, for a tier."""
        return str(getattr(self, field)).replace("{n}", f"{tier.threshold}")


class Catalogue(msgspec.Struct, frozen=True):
    """All achievements, in the order in which they are shown."""

    achievements: tuple[Achievement, ...]

    def only(self, code: str) -> "Catalogue":
        """Return the catalogue of one achievement, named by its code or one of its tiers'.

        Raises:
            UnknownAchievementError: there is none.
        """
        for each in self.achievements:
            if each.code == code:
                return Catalogue((each,))
            for tier in each.tiers:
                if tier.code == code:
                    return Catalogue((msgspec.structs.replace(each, tiers=(tier,)),))
        raise UnknownAchievementError(code)


@cache
def load_catalogue() -> Catalogue:
    """Return this version's catalogue.

    Raises:
        CatalogueError: it cannot work; the message names the entry and the field.
    """
    return parse_catalogue(files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"))


def parse_catalogue(text: str) -> Catalogue:
    """Return the catalogue that a TOML text describes.

    Raises:
        CatalogueError: it cannot work; the message names the entry and the field.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError("the file", "syntax", str(error)) from None
    entries = document.pop("achievement", [])
    if document:
        raise CatalogueError("the file", next(iter(document)), "is unknown: each entry begins with [[achievement]]")
    if not isinstance(entries, list) or not entries:
        raise CatalogueError("the file", "achievement", "there is no entry: each begins with [[achievement]]")
    found = tuple(_achievement(entry, number) for number, entry in enumerate(entries, 1))
    _check_distinct(found)
    return Catalogue(found)


def _achievement(entry: Any, number: int) -> Achievement:
    name = f"entry {number}"
    if not isinstance(entry, dict):
        raise CatalogueError(name, "achievement", "must be a table")
    code = _checked_code(name, "code", entry.get("code"))
    name = f"entry {number} ({code})"
    for field in entry:
        if field not in _FIELDS:
            raise CatalogueError(name, field, f"is unknown: an entry has {', '.join(sorted(_FIELDS))}")
    for field in _TEXTS:
        if not isinstance(entry.get(field), str) or not entry[field].strip():
            raise CatalogueError(name, field, "must be a text that is not empty")
    achievement = Achievement(
        code=code,
        **{field: entry[field] for field in _TEXTS},
        counter=_checked_counter(name, "counter", entry.get("counter")),
        tiers=_tiers(name, entry.get("tiers")),
        at_least=_at_least(name, entry.get("at_least", {})),
    )
    if len(achievement.tiers) > 1:
        for field in ("description_id", "description_en"):
            if "{n}" not in entry[field]:
                raise CatalogueError(name, field, "must contain {n}: its tiers could not be told apart")
    return achievement


def _tiers(name: str, tiers: object) -> tuple[Tier, ...]:
    if not isinstance(tiers, dict) or not tiers:
        raise CatalogueError(name, "tiers", "must be a table of codes and numbers with at least one of them")
    found = [
        Tier(_checked_code(name, "tiers", code), _checked_number(name, f"tiers.{code}", number))
        for code, number in tiers.items()
    ]
    if any(first.threshold >= second.threshold for first, second in pairwise(found)):
        raise CatalogueError(name, "tiers", "the numbers must rise from tier to tier")
    return tuple(found)


def _at_least(name: str, conditions: object) -> dict[str, int]:
    if not isinstance(conditions, dict):
        raise CatalogueError(name, "at_least", "must be a table of counters and numbers")
    return {
        _checked_counter(name, "at_least", counter): _checked_number(name, f"at_least.{counter}", number)
        for counter, number in conditions.items()
    }


def _checked_code(name: str, field: str, code: object) -> str:
    if not isinstance(code, str) or not _CODE.fullmatch(code) or len(code) > _LONGEST_CODE:
        raise CatalogueError(
            name, field, f"{code!r} is no code: lower-case letters and digits with single - . _ between them"
        )
    return code


def _checked_counter(name: str, field: str, counter: object) -> str:
    if not isinstance(counter, str) or counter not in Counters._fields:
        raise CatalogueError(name, field, f"{counter!r} is no counter: there are {', '.join(Counters._fields)}")
    return counter


def _checked_number(name: str, field: str, number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise CatalogueError(name, field, f"{number!r} must be a whole number from 1")
    return number


def _check_distinct(achievements: tuple[Achievement, ...]) -> None:
    entries: dict[str, int] = {}
    codes: dict[str, str] = {}
    for number, each in enumerate(achievements, 1):
        name = f"entry {number} ({each.code})"
        if (first := entries.setdefault(each.code, number)) != number:
            raise CatalogueError(name, "code", f"entry {first} has it already")
        for tier in each.tiers:
            if (owner := codes.setdefault(tier.code, each.code)) != each.code:
                raise CatalogueError(name, "tiers", f"{tier.code!r} is a tier of {owner!r} already")
