"""How a question set is scored: the JSON of `question_sets.scheme`, checked and as exact numbers.

`{}` is a plain tryout. All numbers but abilities are decimals: JSON numbers, or strings (`"-0.25"`).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from worker.models.base import Level, Skill
from worker.tryouts.errors import MalformedScheme

Kind = Literal["plain", "weighted", "deduction"]
Credit = Literal["partial", "exact"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
DEFAULT_CUTS: Final[Mapping[str, float]] = {"A2": -1.0, "B1": 0.0, "B2": 1.0}
"""Ability from which a level begins, where a set says nothing: thirds of the reference group's usual range, to be
replaced by a standard setting of the platform's own (docs/tryouts.md)."""

_LARGEST: Final = Decimal(1_000)


class PassMarks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Percent of the points that can be had, 0–100, below which a sitting is not passed; each one must be reached."""

    total: Decimal | None = None
    sections: dict[str, Decimal] = {}
    skills: dict[Skill, Decimal] = {}

    def __bool__(self) -> bool:
        """Tell whether there is any mark."""
        return self.total is not None or bool(self.sections) or bool(self.skills)


class Scheme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scoring scheme.

    Attributes:
        kind: `plain`: a point a question. `weighted`: the question's own points in the set. `deduction`: `right`,
            `wrong` and `blank`, each times the question's points.
        credit: `partial`: a partly right answer earns its share. `exact`: it counts as wrong.
        right: for a right answer, above 0.
        wrong: for a wrong one; 0 or below.
        blank: for none at all; 0 or below.
        weights: what a section's points are multiplied by; 1 where nothing is said.
        pass_marks: see `PassMarks`; in JSON the field is called `pass`.
        levels: ability from which each CEFR level begins; A1 lies below them.
    """

    kind: Kind = "plain"
    credit: Credit = "partial"
    right: Decimal = Decimal(1)
    wrong: Decimal = Decimal(0)
    blank: Decimal = Decimal(0)
    weights: dict[str, Decimal] = {}
    pass_marks: PassMarks = msgspec.field(name="pass", default_factory=PassMarks)
    levels: dict[str, Annotated[float, msgspec.Meta(ge=-10, le=10)]] = {}

    @property
    def cuts(self) -> Mapping[str, float]:
        """The ability from which A2, B1 and B2 begin."""
        return self.levels or DEFAULT_CUTS


def read_scheme(value: Any) -> Scheme:
    """Return the scheme that a JSON value describes.

    Raises:
        MalformedScheme: it is none; the message names the field.
    """
    try:
        scheme = msgspec.convert(value, Scheme)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        raise MalformedScheme(f"scheme{path.rstrip('`')}", text) from None
    except InvalidOperation:
        raise MalformedScheme("scheme", "holds a number that is none") from None
    _check(scheme)
    return scheme


def _check(scheme: Scheme) -> None:
    for name, number in (("right", scheme.right), ("wrong", scheme.wrong), ("blank", scheme.blank)):
        _check_number(f"scheme.{name}", number)
        if scheme.kind != "deduction" and number != getattr(Scheme(), name):
            raise MalformedScheme(f"scheme.{name}", "is only for the kind deduction")
    if scheme.right <= 0:
        raise MalformedScheme("scheme.right", "must be above 0")
    for name, number in (("wrong", scheme.wrong), ("blank", scheme.blank)):
        if number > 0:
            raise MalformedScheme(f"scheme.{name}", "must be 0 or below: it is deducted")
    for section, weight in scheme.weights.items():
        _check_number(f"scheme.weights.{section}", weight)
        if weight <= 0:
            raise MalformedScheme(f"scheme.weights.{section}", "must be above 0")
    _check_marks(scheme)
    cuts = [scheme.cuts.get(level) for level in LEVELS[1:]]
    if len(scheme.cuts) != len(cuts) or None in cuts or cuts != sorted(cuts, key=lambda cut: cut or 0.0):
        raise MalformedScheme("scheme.levels", "must give A2, B1 and B2, each not below the one before")


def _check_marks(scheme: Scheme) -> None:
    marks = [("total", scheme.pass_marks.total or Decimal(0))]
    marks += [(f"sections.{name}", mark) for name, mark in scheme.pass_marks.sections.items()]
    marks += [(f"skills.{name}", mark) for name, mark in scheme.pass_marks.skills.items()]
    for name, mark in marks:
        if not mark.is_finite() or not 0 <= mark <= 100:  # noqa: PLR2004  percent
            raise MalformedScheme(f"scheme.pass.{name}", "must be a percentage from 0 to 100")


def _check_number(where: str, number: Decimal) -> None:
    if not number.is_finite() or abs(number) > _LARGEST:
        raise MalformedScheme(where, f"must lie between -{_LARGEST} and {_LARGEST}")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:  # noqa: PLR2004  scores have four decimals
        raise MalformedScheme(where, "must have at most four decimals")
