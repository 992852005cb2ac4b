"""How well schedulers foresee reviews: `make bench ARGS=prediction`.

SM-2, FSRS with its default parameters and FSRS fitted to the learner, on the same reviews, split by time: fitted to the
earlier part, measured on the later one. First the real reviews of one learner (tests/data/reviews), then learners who
forget by a model of which FSRS knows nothing: recall after t days is 2^(−t / h), where the half-life h starts at
1.5–12 days by learner and card; each recalled review multiplies it by 1.6–2.6 (by card), each forgotten one by 0.6, not
below 2 days. They review on the due days that SM-2 gives or up to two days late, five new cards a day for 60 days.

`python -m benchmarks.prediction LOG.csv [LATER.csv]` does the same for a log of one's own; with two files the second
holds later reviews of the same cards and is foreseen from the first.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from benchmarks.report import Report, Table
from worker.srs import sm2
from worker.srs.card import CardState
from worker.srs.fitting import fit, optimise, split_at
from worker.srs.fsrs import DEFAULT_PARAMETERS
from worker.srs.prediction import Quality, Review, fsrs_predictor, measure, predict_sm2, predictions

REAL: Final = Path(__file__).parents[1] / "tests" / "data" / "reviews" / "reviews_2024_first_9000.csv"
DAY_START: Final = timedelta(hours=4)
"""The file's learner is taken to live in UTC."""
SIMULATED: Final = 20
"""Made-up learners."""
WINDOWS: Final = 5
"""Parts of the log that are foreseen, each from all before it."""


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


class Compared(NamedTuple):
    """The measures of the three on the same reviews."""

    learnt_from: str
    sm2: Quality
    default: Quality
    fitted: Quality


def one_split(learners: Sequence[Sequence[Review]]) -> Compared:
    """Return the measures on the newest fifth of each learner's reviews, fitted to what came before, all together."""
    found = fit(learners)
    assert found is not None, "too few reviews"
    return Compared(f"{found.trained_on:,} earlier reviews", found.sm2, found.current, found.fitted)


def own_fits(learners: Sequence[Sequence[Review]]) -> Compared:
    """Return the same with parameters of each learner's own, taken only where they are accepted, as the job does."""
    sm2, default, fitted = [], [], []
    trained_on = 0
    for reviews in learners:
        split = split_at(len(reviews))
        trained_on += split
        own = _validated(reviews[:split])
        sm2 += list(predictions(reviews, predict_sm2, split))
        default += list(predictions(reviews, fsrs_predictor(DEFAULT_PARAMETERS), split))
        fitted += list(predictions(reviews, fsrs_predictor(own), split))
    return Compared(
        f"{trained_on:,} earlier reviews, each learner's own", measure(sm2), measure(default), measure(fitted)
    )


def _validated(reviews: Sequence[Review]) -> tuple[float, ...]:
    """Return a learner's own parameters if they foresee the newest of these reviews better, else the published ones."""
    found = fit([reviews])
    return found.parameters if found is not None and found.is_accepted else DEFAULT_PARAMETERS


def growing_windows(reviews: Sequence[Review]) -> Compared:
    """Return the measures over five sixths of a learner's reviews: each sixth foreseen by a fit to all before it."""
    edges = [len(reviews) * part // (WINDOWS + 1) for part in range(1, WINDOWS + 2)]
    sm2, default, fitted = [], [], []
    for begin, end in pairwise(edges):
        known = reviews[:end]
        sm2 += list(predictions(known, predict_sm2, begin))
        default += list(predictions(known, fsrs_predictor(DEFAULT_PARAMETERS), begin))
        fitted += list(predictions(known, fsrs_predictor(optimise([reviews[:begin]])), begin))
    return Compared(f"{edges[0]:,} to {edges[-2]:,} earlier reviews", measure(sm2), measure(default), measure(fitted))


def later_part(known: Sequence[Review], later: Sequence[Review]) -> Compared:
    """Return the measures on reviews that came after `known`, fitted to `known` alone."""
    whole = [*known, *later]
    predictors = (predict_sm2, fsrs_predictor(DEFAULT_PARAMETERS), fsrs_predictor(optimise([known])))
    found = [measure(list(predictions(whole, predict, len(known)))) for predict in predictors]
    return Compared(f"{len(known):,} earlier reviews", *found)


def table(compared: Mapping[str, Compared]) -> Table:
    """Return the table of everything compared."""
    return Table(
        "Reviews foreseen: smaller log-loss and RMSE(bins), larger AUC are better",
        ("reviews of", "learnt from", "foreseen", "by", "log-loss", "RMSE(bins)", "AUC"),
        [
            (name, one.learnt_from, quality.reviews, by, *(round(each, 4) for each in _measures(quality)))
            for name, one in compared.items()
            for by, quality in (("SM-2", one.sm2), ("FSRS, default", one.default), ("FSRS, fitted", one.fitted))
        ],
    )


def _measures(quality: Quality) -> tuple[float, float, float]:
    return quality.log_loss, quality.rmse_bins, quality.auc


def run(report: Report, *, quick: bool = False) -> None:
    """Compare on the real reviews and on made-up learners; needs no server."""
    real = read_reviews(REAL)
    simulated = [simulate_learner(seed) for seed in range(4 if quick else SIMULATED)]
    compared = {"one real learner, newest fifth": one_split([real])}
    if not quick:
        compared["one real learner, five growing windows"] = growing_windows(real)
    compared[f"{len(simulated)} simulated learners, newest fifth, one fit for all"] = one_split(simulated)
    compared[f"{len(simulated)} simulated learners, newest fifth, a fit each"] = own_fits(simulated)
    report.tables.append(table(compared))
    report.note("split by time: nothing is fitted to a review that is foreseen, nor to any later one")
    report.note(
        "simulated learners forget by 2^(−t / half-life), of which FSRS knows nothing; see benchmarks/prediction.py"
    )
    report.note(
        "an own fit is taken only if it foresees the newest fifth of what it may know better than the published"
        " parameters do; else the published ones stand in the row 'FSRS, fitted'"
    )


def main() -> None:
    """Compare on files given: one alone by its newest fifth; a later part of the same log by the first file."""
    report = Report("prediction")
    paths = [Path(each) for each in sys.argv[1:]]
    if not paths:
        run(report)
    elif len(paths) == 1:
        reviews = read_reviews(paths[0])
        report.tables.append(
            table({"newest fifth": one_split([reviews]), "five growing windows": growing_windows(reviews)})
        )
    else:
        report.tables.append(table({paths[1].name: later_part(read_reviews(paths[0]), read_reviews(paths[1]))}))
    report.print()


if __name__ == "__main__":
    main()
