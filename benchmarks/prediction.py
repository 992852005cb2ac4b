"""How well schedulers foresee reviews: `python -m benchmarks.prediction [reviews.csv]`.

SM-2, FSRS with its default parameters and FSRS fitted to the learner, on the same reviews: fitted to the earlier 80 %,
measured on the later 20 %. First the real reviews of one learner (tests/data/reviews, or the file given), then learners
who forget by a model of which FSRS knows nothing: recall after t days is 2^(−t / h), where the half-life h starts at
1.5–12 days by learner and card; each recalled review multiplies it by 1.6–2.6 (by card), each forgotten one by 0.6, not
below 2 days. They review on the due days that SM-2 gives or up to two days late, five new cards a day for 60 days.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from worker.srs import sm2
from worker.srs.card import CardState
from worker.srs.fitting import Fit, fit
from worker.srs.prediction import Review

REAL: Final = Path(__file__).parents[1] / "tests" / "data" / "reviews" / "reviews_2024_first_9000.csv"
DAY_START: Final = timedelta(hours=4)
"""The file's learner is taken to live in UTC."""


def read_reviews(path: Path) -> list[Review]:
    """Return the reviews of a file with columns card_id, review_rating and review_time, in the order of time."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["review_time"])
    return [
        Review(
            int(row["card_id"]),
            int(row["review_rating"]),  # type: ignore[arg-type]
            (datetime.fromisoformat(row["review_time"]) - DAY_START).date().toordinal(),
        )
        for row in rows
    ]


@dataclass
class _Memory:
    """One made-up card."""

    card: CardState
    half_life: float
    growth: float
    last: int = 0


def simulate_learner(seed: int, *, cards: int = 300, days: int = 200) -> list[Review]:
    """Return the reviews of a made-up learner; `seed` tells learners apart."""
    generator = Random(seed)
    first = date(2026, 1, 1).toordinal()
    skill = generator.uniform(3, 8)
    deck = [
        _Memory(
            sm2.new_card(date.fromordinal(first + number // 5)),
            skill * generator.uniform(0.5, 1.5),
            generator.uniform(1.6, 2.6),
        )
        for number in range(cards)
    ]
    reviews: list[Review] = []
    for day in range(first, first + days):
        for number, memory in enumerate(deck):
            late = generator.randint(0, 2)
            if memory.card.due_on.toordinal() + late > day:
                continue
            is_new = memory.card.state == "new"
            recalled = is_new or generator.random() < 2 ** (-(day - memory.last) / memory.half_life)
            reviews.append(Review(number, 3 if recalled else 1, day))
            if not is_new:
                memory.half_life = max(memory.half_life * (memory.growth if recalled else 0.6), 2.0)
            memory.card = sm2.review(memory.card, 4 if recalled else 1, date.fromordinal(day))
            memory.last = day
    return reviews


def lines(name: str, found: Fit | None) -> Iterator[str]:
    """Return the table of one learner."""
    if found is None:
        yield f"{name}: too few reviews"
        return
    yield f"{name}: {found.trained_on:,} reviews learnt from, {found.fitted.reviews:,} foreseen"
    for label, quality in (("SM-2", found.sm2), ("FSRS, default", found.current), ("FSRS, fitted", found.fitted)):
        yield (
            f"  {label:14} log-loss {quality.log_loss:.4f}  RMSE(bins) {quality.rmse_bins:.4f}  AUC {quality.auc:.4f}"
        )
    yield f"  the fit is {'accepted' if found.is_accepted else 'not accepted'}"


def main() -> None:
    """Print the tables."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else REAL
    for line in lines(path.name, fit([read_reviews(path)])):
        print(line)
    for line in lines("20 simulated learners together", fit([simulate_learner(seed) for seed in range(20)])):
        print(line)
    for line in lines("simulated learner 1", fit([simulate_learner(1)])):
        print(line)


if __name__ == "__main__":
    main()
