"""Published numbers of FSRS come out as published."""

import json
from datetime import date, timedelta
from pathlib import Path

import fsrs_rs_python as rust
import pytest

from worker.srs import conversion, fsrs
from worker.srs.card import CardState
from worker.srs.fsrs import Scheduler, next_step, retrievability, review
from worker.srs.sm2 import new_card

_FILE = json.loads((Path(__file__).parents[1] / "data" / "srs_vectors.json").read_text(encoding="utf-8"))
_VECTORS = {vector["id"]: vector for vector in _FILE["vectors"]}
_DAY = date(2026, 11, 24)
_DEFAULT = Scheduler()


def _steps(vector, **more):
    steps = {name: vector["input"].get(f"{name}_min") for name in ("learning_steps", "relearning_steps")}
    given = {f"{name}_s": tuple(minutes * 60 for minutes in each) for name, each in steps.items() if each is not None}
    return Scheduler(**given, **more)


def _replay(ratings, scheduler=_DEFAULT, days_since_previous=None):
    """Return (card, delay in seconds) after each rating; without days given each review comes when the card is due."""
    card, seen, elapsed = new_card(_DAY), [], 0
    for number, rating in enumerate(ratings):
        delays = []
        if days_since_previous is not None:
            elapsed = days_since_previous[number]
        card = review(
            card,
            rating,
            _DAY,
            elapsed_days=elapsed,
            scheduler=scheduler,
            day_after=lambda delay, into=delays: into.append(delay) or _DAY,
        )
        elapsed = card.interval
        seen.append((card, delays[0] if delays else card.interval * 86_400))
    return seen


def _published_model(vector):
    weights = vector["input"]["w"]
    return rust.FSRS(weights)


def test_default_parameters_are_those_published():
    assert list(fsrs.DEFAULT_PARAMETERS) == _FILE["fsrs6_default_parameters"]
    assert list(fsrs.DEFAULT_PARAMETERS) == pytest.approx(rust.DEFAULT_PARAMETERS, rel=1e-6)


@pytest.mark.parametrize("name", ["pyfsrs-ivl-history", "tsfsrs6-ivl-history"])
def test_the_published_ratings_give_the_published_intervals(name):
    vector = _VECTORS[name]
    expected = vector["expected"].get("interval_whole_days") or vector["expected"]["scheduled_days"]
    assert [card.interval for card, _ in _replay(vector["input"]["ratings"])] == expected


@pytest.mark.parametrize("name", ["pyfsrs-memo-state", "tsfsrs6-memory-short", "fsrsrs-memory-short"])
def test_the_published_history_gives_the_published_memory_state(name):
    vector = _VECTORS[name]
    card, _ = _replay(vector["input"]["ratings"], days_since_previous=vector["input"]["days_since_previous"])[-1]
    assert card.stability == pytest.approx(vector["expected"]["stability"], abs=1e-4)
    assert card.difficulty == pytest.approx(vector["expected"]["difficulty"], abs=1e-4)


@pytest.mark.parametrize("name", ["tsfsrs6-memory-long", "fsrsrs-memory-long"])
def test_weights_17_to_19_of_nought_switch_short_term_memory_off(name):
    vector = _VECTORS[name]
    weights = (*vector["input"]["w"][:17], 0.0, 0.0, 0.0, vector["input"]["w"][20])
    card, _ = _replay(
        vector["input"]["ratings"], Scheduler(parameters=weights), vector["input"]["days_since_previous"]
    )[-1]
    assert card.stability == pytest.approx(vector["expected"]["stability"], abs=1e-4)


def test_each_first_rating_gives_the_published_state():
    vector = _VECTORS["tsfsrs6-first-repeat"]
    cards = [_replay([rating])[0][0] for rating in vector["input"]["ratings_each_tried"]]
    expected = vector["expected"]
    assert [card.stability for card in cards] == pytest.approx(expected["stability"], rel=1e-6)
    assert [card.difficulty for card in cards] == pytest.approx(expected["difficulty"], rel=1e-6)
    assert [card.interval for card in cards] == expected["scheduled_days"]
    assert [card.state.capitalize() for card in cards] == expected["state"]


_CHAINS = [
    "pyfsrs-step-good",
    "pyfsrs-step-again",
    "pyfsrs-step-hard",
    "pyfsrs-step-easy",
    "pyfsrs-step-hard-one-step",
    "pyfsrs-step-hard-second-step",
    "pyfsrs-review-again",
    "pyfsrs-relearn-hard-one",
    "pyfsrs-relearn-hard-two",
    "pyfsrs-no-learning-steps",
]


@pytest.mark.parametrize("name", _CHAINS)
def test_steps_are_those_of_py_fsrs(name):
    vector = _VECTORS[name]
    seen = _replay(vector["input"]["ratings"], _steps(vector))
    expected = vector["expected"]
    if not any(key.startswith("after_") for key in expected):
        expected = {f"after_{len(seen)}": expected}
    for key, wanted in expected.items():
        card, due_in_s = seen[int(key.removeprefix("after_")) - 1]
        assert card.state == wanted["state"].lower()
        assert card.step == (wanted.get("step", card.step) or 0)
        for exact in ("due_in_s", "due_in_s_after_last"):
            assert due_in_s == wanted.get(exact, due_in_s)
        assert due_in_s >= wanted.get("due_in_s_at_least", 0)
        assert card.interval >= wanted.get("interval_days_at_least", 0)


def test_without_relearning_steps_a_forgotten_card_stays_in_review():
    vector = _VECTORS["pyfsrs-no-relearning-steps"]
    cards = [card for card, _ in _replay(vector["input"]["ratings"], _steps(vector))]
    assert [card.state.capitalize() for card in cards] == vector["expected"]["states"]
    assert cards[-1].interval >= vector["expected"]["last_interval_days_at_least"]


@pytest.mark.parametrize("number", [1, 3, 4, 6, 7, 9, 10])
def test_steps_of_ts_fsrs_are_ours_but_for_its_hard(number):
    """`Hard` differs by design (the data's README): ts-fsrs rounds to minutes and repeats the first delay."""
    vector = _VECTORS[f"tsfsrs-steps-{number}"]
    given, expected = vector["input"], vector["expected"]
    steps = tuple(minutes * 60 for minutes in given["steps_min"])
    if given["state"] == "Review":
        card = CardState("review", 9, 250, 1, 0, _DAY, 0, 9.0, 5.0)
        scheduler = Scheduler(relearning_steps_s=steps)
        after = review(card, 1, _DAY, elapsed_days=9, scheduler=scheduler)
        assert (after.state, after.step) == ("relearning", expected["again"]["next_step"])
        return
    for rating, name in ((1, "again"), (3, "good"), (4, "easy")):
        wanted = expected.get(name)
        assert next_step(steps, given["current_step"], rating) == (
            None if wanted is None else (wanted["next_step"], wanted["minutes"] * 60)
        )


@pytest.mark.parametrize("number", [5, 8, 11])
def test_card_beyond_the_last_step_graduates_as_in_ts_fsrs(number):
    given = _VECTORS[f"tsfsrs-steps-{number}"]["input"]
    steps = tuple(minutes * 60 for minutes in given["steps_min"])
    assert [next_step(steps, given["current_step"], rating) for rating in (2, 3, 4)] == [None, None, None]


def test_intervals_end_at_the_maximum():
    vector = _VECTORS["pyfsrs-max-interval"]
    scheduler = Scheduler(maximum_interval=vector["input"]["maximum_interval"])
    cards = [card for card, _ in _replay(vector["input"]["ratings"], scheduler)]
    assert max(card.interval for card in cards) <= vector["expected"]["every_interval_days_at_most"]
    given = _VECTORS["tsfsrs-max-interval"]
    limited = Scheduler(maximum_interval=given["input"]["maximum_interval"])
    assert fsrs.bounded_interval(given["input"]["stability"], limited) == given["expected"]["interval_days"]


def test_repeated_easy_answers_end_at_difficulty_one():
    vector = _VECTORS["pyfsrs-repeated-easy"]
    ratings = vector["input"]["ratings"]
    assert _replay(ratings, days_since_previous=[0] * len(ratings))[-1][0].difficulty == 1.0


def test_stability_has_a_floor():
    card = new_card(_DAY)
    for _ in range(1000):
        card = review(card, 1, _DAY, elapsed_days=2, scheduler=_DEFAULT)
    assert card.stability >= _VECTORS["pyfsrs-stability-floor"]["expected"]["stability_at_least"] * (1 - 1e-6)


@pytest.mark.parametrize("name", ["tsfsrs6-forgetting-curve", "fsrsrs-retrievability"])
def test_forgetting_curve_is_the_published_one(name):
    vector = _VECTORS[name]
    decay = vector["input"].get("decay", fsrs.DEFAULT_PARAMETERS[20])
    seen = [retrievability(vector["input"]["stability"], days, decay) for days in vector["input"]["elapsed_days"]]
    assert seen == pytest.approx(vector["expected"]["retrievability"], abs=1e-6)


@pytest.mark.parametrize("name", ["tsfsrs6-next-interval", "fsrsrs-next-interval"])
def test_interval_for_a_desired_retention_is_the_published_one(name):
    vector = _VECTORS[name]
    seen = [
        max(1, round(_DEFAULT.model.next_interval(vector["input"]["stability"], retention, 3)))
        for retention in vector["input"]["desired_retention"]
    ]
    assert seen == pytest.approx(vector["expected"]["interval_days"], abs=3)
    assert seen[1:] == vector["expected"]["interval_days"][1:]


def test_next_difficulty_is_the_published_one():
    vector = _VECTORS["tsfsrs6-next-difficulty"]
    card = CardState("review", 5, 250, 1, 0, _DAY, 0, 5.0, vector["input"]["difficulty"])
    seen = [
        review(card, rating, _DAY, elapsed_days=5, scheduler=_DEFAULT).difficulty
        for rating in vector["input"]["ratings_each_tried"]
    ]
    assert seen == pytest.approx(vector["expected"]["difficulty"], rel=1e-6)


def test_parameters_of_fsrs_5_give_the_published_states():
    vector = _VECTORS["fsrsrs-next-states"]
    history = zip(vector["input"]["ratings"], vector["input"]["days_since_previous"], strict=True)
    model = _published_model(vector)
    before = model.memory_state(rust.FSRSItem([rust.FSRSReview(*each) for each in history]))
    states = model.next_states(before, vector["input"]["desired_retention"], vector["input"]["then_elapsed_days"])
    after = [states.again, states.hard, states.good, states.easy]
    assert [each.memory.stability for each in after] == pytest.approx(vector["expected"]["stability"], abs=1e-4)
    assert [each.memory.difficulty for each in after] == pytest.approx(vector["expected"]["difficulty"], abs=1e-4)
    assert [each.interval for each in after] == pytest.approx(vector["expected"]["interval"], abs=1e-4)


def test_sm2_cards_get_the_published_memory_state():
    vector = _VECTORS["fsrsrs-from-sm2"]
    for (ease, interval, retention), stability, difficulty in zip(
        vector["input"]["cases"], vector["expected"]["stability"], vector["expected"]["difficulty"], strict=True
    ):
        card = CardState("review", interval, round(ease * 100), 3, 0, _DAY)
        converted = conversion.from_sm2(card, _DEFAULT, sm2_retention=retention)
        assert converted.stability == pytest.approx(stability, rel=1e-5)
        assert converted.difficulty == pytest.approx(difficulty, rel=1e-5)


def test_fuzz_leaves_short_intervals_alone():
    for case, interval in zip(
        _VECTORS["tsfsrs-fuzz-off"]["input"]["cases"],
        _VECTORS["tsfsrs-fuzz-off"]["expected"]["interval_days"],
        strict=True,
    ):
        assert fsrs.bounded_interval(case["interval"], _DEFAULT) == interval
    assert fsrs.fuzz_range(2, _DEFAULT) == (2, 2)


@pytest.mark.parametrize("name", [name for name in _VECTORS if "fsrs" in name])
def test_each_vector_names_its_source(name):
    assert {"repo", "commit", "licence", "path", "test"} <= _VECTORS[name]["source"].keys()


def test_a_review_three_days_later_counts_three_days():
    """The published pairs of instants, as whole days of 24 hours: py-fsrs' measure, which the comparison uses."""
    from datetime import datetime  # noqa: PLC0415

    vector = _VECTORS["tsfsrs-elapsed-days"]
    pairs = [[datetime.fromisoformat(each) for each in pair] for pair in vector["input"]["pairs"]]
    assert [(later - earlier) // timedelta(1) for earlier, later in pairs] == vector["expected"]["elapsed_days"]
