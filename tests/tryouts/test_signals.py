"""Signals: copied answers and impossible speed are found, honest sittings are not, and nothing is decided by it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.factories_tryouts import RIGHT, WRONG, make_form, make_sitting
from worker.tryouts import signal_store
from worker.tryouts.score import ScoreReport, score_batch
from worker.tryouts.signals import similar_pairs

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def wrong_answers(sittings: int, questions: int, seed: int, share_wrong: float = 0.5) -> np.ndarray:
    """Sittings × questions: 0 right, else which of three wrong answers; the first one is the usual mistake."""
    random = np.random.default_rng(seed)
    wrong = random.choice([1, 2, 3], p=[0.6, 0.3, 0.1], size=(sittings, questions))
    return np.where(random.random((sittings, questions)) < share_wrong, wrong, 0)


def triples(table: np.ndarray):
    return [(int(row), int(column), int(column * 3 + table[row, column] - 1)) for row, column in np.argwhere(table)]


@pytest.mark.parametrize("seed", range(5))
def test_honest_sittings_are_not_reported(seed):
    assert similar_pairs(1_500, triples(wrong_answers(1_500, 60, seed))) == []


def test_copied_sitting_is_found_and_no_other():
    table = wrong_answers(1_500, 60, seed=2)
    table[1_400] = table[3]
    (pair,) = similar_pairs(1_500, triples(table))
    assert (pair.first, pair.second) == (3, 1_400)
    assert pair.identical == pair.both_wrong == np.count_nonzero(table[3])
    assert pair.expected < pair.identical


def test_few_identical_mistakes_are_never_a_signal():
    table = np.zeros((50, 10), dtype=int)
    table[0, :7] = table[1, :7] = 3
    assert similar_pairs(50, triples(table)) == []


def test_no_mistakes_no_pairs():
    assert similar_pairs(10, []) == []


def test_impossible_speed_is_reported_and_changes_no_score(database):
    set_id, ids = make_form(database, 10)
    fast = make_sitting(database, set_id, [(each, RIGHT) for each in ids], time_spent_ms=400)
    make_sitting(database, set_id, [(each, RIGHT) for each in ids], time_spent_ms=9_000)
    make_sitting(database, set_id, [(each, WRONG) for each in ids], time_spent_ms=400)  # giving up fast is no cheating
    score_batch(database, ScoreReport(), 10, NOW)
    (found,) = signal_store.fast_findings(database, NOW - DAY, NOW)
    assert (found["session_id"], found["strength"]) == (fast, 1.0)
    assert signal_store.save(database, [found], NOW) == 1
    assert signal_store.save(database, [found], NOW + DAY) == 1
    rows = database.execute("SELECT kind, strength, found_at FROM tryout_signals").fetchall()
    assert rows == [("impossible_speed", 1.0, NOW)]
    assert database.execute("SELECT raw_score FROM tryout_sessions WHERE id = %s", [fast]).fetchone() == (10,)


def test_similar_sittings_of_a_set_are_reported_as_one_pair(database):
    random = np.random.default_rng(4)
    set_id, ids = make_form(database, 30)
    choices = [{"choice": letter} for letter in "acd"]
    sheets = [
        [(each, choices[random.choice(3, p=[0.5, 0.3, 0.2])] if random.random() < 0.6 else RIGHT) for each in ids]
        for _ in range(40)
    ]
    copied = [{"choice": "d"}] * 25
    for sheet in (sheets[0], sheets[1]):
        sheet[:25] = zip(ids[:25], copied, strict=True)
    pair = sorted(make_sitting(database, set_id, sheet) for sheet in sheets[:2])
    for sheet in sheets[2:]:
        make_sitting(database, set_id, sheet)
    score_batch(database, ScoreReport(), 100, NOW)
    assert signal_store.sets_scored(database, NOW - DAY, NOW) == [set_id]
    found = signal_store.similar_findings(database, set_id, NOW - DAY, NOW)
    assert [[each["session_id"], each["other_id"]] for each in found] == [pair]
    assert found[0]["evidence"]["identical_wrong_answers"] >= 25
    signal_store.save(database, found, NOW)
    assert database.execute("SELECT kind FROM tryout_signals").fetchall() == [("similar_answers",)]
