"""Calibration finds the truth within its own errors, and agrees with published results."""

import numpy as np
import pytest

from tests.tryouts import lsat
from worker.tryouts.ability import describe, estimate_abilities, level_of
from worker.tryouts.errors import CalibrationError
from worker.tryouts.irt import NODES, Items, calibrate, probabilities
from worker.tryouts.item_quality import ItemFindings, flags_of, point_biserials
from worker.tryouts.linking import Link, components, link_scales
from worker.tryouts.scheme import DEFAULT_CUTS


def simulate(examinees: int, items: int, seed: int, mean: float = 0.0, sd: float = 1.0):
    """Return true items, abilities and the responses they gave."""
    random = np.random.default_rng(seed)
    slope, difficulty = random.lognormal(0.1, 0.3, items), random.normal(0, 1, items)
    true = Items(slope, -slope * difficulty)
    abilities = random.normal(mean, sd, examinees)
    return true, abilities, respond(random, true, abilities)


def respond(random, items: Items, abilities) -> np.ndarray:
    chances = probabilities(items, abilities)
    return (random.random(chances.shape) < chances).astype(np.int8)


class TestPublishedResults:
    found = calibrate(lsat.responses(), tolerance=1e-6, max_cycles=2_000)

    def test_log_likelihood_is_the_published_one(self):
        assert self.found.log_likelihood == pytest.approx(lsat.LOG_LIKELIHOOD, abs=5e-4)

    def test_estimates_agree_to_a_hundredth_of_their_standard_errors(self):
        slope, difficulty = self.found.items.slope, self.found.items.difficulty
        assert np.abs(slope - lsat.DISCRIMINATION).max() < 0.01 * lsat.DISCRIMINATION_ERROR.min()
        assert (np.abs(difficulty - lsat.DIFFICULTY) < 0.01 * lsat.DIFFICULTY_ERROR).all()

    def test_standard_errors_agree_within_five_percent(self):
        assert self.found.slope_error == pytest.approx(lsat.DISCRIMINATION_ERROR, rel=0.05)
        assert self.found.difficulty_error == pytest.approx(lsat.DIFFICULTY_ERROR, rel=0.05)

    def test_abilities_lie_by_the_published_ones(self):
        patterns = np.array([[int(mark) for mark in pattern] for pattern in lsat.ABILITIES], dtype=np.int8)
        found = estimate_abilities(patterns, self.found.items).estimate
        assert found == pytest.approx(list(lsat.ABILITIES.values()), abs=0.06)


class TestRecovery:
    true, abilities, responses = simulate(5_000, 40, seed=11)
    found = calibrate(responses)

    def test_it_converges(self):
        assert self.found.has_converged

    def test_ninety_five_percent_intervals_hold_the_truth_as_often_as_they_say(self):
        slopes = np.abs(self.found.items.slope - self.true.slope) / self.found.slope_error
        places = np.abs(self.found.items.difficulty - self.true.difficulty) / self.found.difficulty_error
        inside = np.concatenate([slopes, places]) < 1.96
        # 80 intervals: 95 % ± three standard errors of such a share.
        assert 0.87 < inside.mean() <= 1

    def test_estimates_lie_within_the_error_of_such_a_sample(self):
        assert np.sqrt(np.mean((self.found.items.slope - self.true.slope) ** 2)) < 0.07
        assert np.corrcoef(self.found.items.difficulty, self.true.difficulty)[0, 1] > 0.995

    def test_fit_of_good_items_is_one(self):
        assert np.abs(self.found.infit - 1).max() < 0.05
        assert np.abs(self.found.outfit - 1).max() < 0.3

    def test_intervals_of_abilities_hold_the_truth_as_often_as_they_say(self):
        estimate = estimate_abilities(self.responses, self.found.items)
        inside = np.abs(estimate.estimate - self.abilities) < 1.96 * estimate.error
        assert inside.mean() == pytest.approx(0.95, abs=0.01)


def test_twice_as_many_nodes_change_nothing_that_matters(monkeypatch):
    _, _, responses = simulate(800, 20, seed=3)
    coarse = calibrate(responses).items
    for module in ("irt", "ability"):
        monkeypatch.setattr(f"worker.tryouts.{module}.NODES", np.linspace(-5, 5, 121))
    fine = calibrate(responses).items
    assert np.abs(coarse.slope - fine.slope).max() < 0.001
    assert np.abs(coarse.intercept - fine.intercept).max() < 0.001


def test_items_that_were_not_administered_do_not_count():
    true, abilities, responses = simulate(4_000, 30, seed=5)
    responses[:2_000, :10] = -1
    responses[2_000:, 20:] = -1
    found = calibrate(responses)
    errors = np.abs(found.items.difficulty - true.difficulty) / found.difficulty_error
    assert (errors < 3.5).all()
    estimates = estimate_abilities(responses, found.items).estimate
    assert np.corrcoef(estimates, abilities)[0, 1] > 0.88


@pytest.mark.parametrize("answer", [0, 1])
def test_item_that_all_answered_alike_cannot_be_calibrated(answer):
    _, _, responses = simulate(100, 5, seed=1)
    responses[:, 2] = answer
    with pytest.raises(CalibrationError):
        calibrate(responses)


def test_no_responses_cannot_be_calibrated():
    with pytest.raises(CalibrationError):
        calibrate(np.zeros((0, 3), dtype=np.int8))


def test_forms_taken_by_groups_of_different_ability_come_onto_one_scale_by_their_common_items():
    random = np.random.default_rng(7)
    slope, difficulty = random.lognormal(0.1, 0.25, 50), random.normal(0, 1, 50)
    true = Items(slope, -slope * difficulty)
    able = respond(random, true, random.normal(0.8, 1.3, 6_000))
    found = calibrate(able)
    link = link_scales(
        Items(found.items.slope[:20], found.items.intercept[:20]), Items(slope[:20], true.intercept[:20])
    )
    # Their group has mean 0.8 and deviation 1.3 on the old scale: just that is the link.
    assert (link.slope, link.shift) == pytest.approx((1.3, 0.8), abs=0.06)
    moved = link.apply(found.items)
    assert np.abs(moved.difficulty[20:] - difficulty[20:]).mean() < 0.08
    assert np.corrcoef(moved.slope[20:], slope[20:])[0, 1] > 0.97


def test_link_keeps_the_curves():
    items = Items(np.array([0.8, 1.5]), np.array([0.3, -1.0]))
    link = Link(1.3, 0.5)
    assert probabilities(link.apply(items), link.slope * NODES + link.shift) == pytest.approx(
        probabilities(items, NODES)
    )


def test_scale_linked_to_itself_stays():
    true, _, _ = simulate(1, 12, seed=2)
    link = link_scales(true, true)
    assert (link.slope, link.shift) == pytest.approx((1, 0), abs=1e-6)


def test_forms_are_linked_through_others():
    assert components([{1, 2}, {3, 4}, {2, 3}, {9}])[:3] == [components([{1, 2}, {3, 4}, {2, 3}, {9}])[0]] * 3
    assert len(set(components([{1, 2}, {3, 4}, {2, 3}, {9}]))) == 2


def finding(**values) -> ItemFindings:
    usual = {"responses": 500, "right": 300, "slope": 1.1, "slope_error": 0.1, "intercept": 0.4}
    usual |= {"difficulty_error": 0.1, "infit": 1.0, "outfit": 1.0, "point_biserial": 0.4}
    return ItemFindings(**usual | values)


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        ({"slope": -0.6}, "negative_discrimination"),
        ({"slope": 0.2}, "low_discrimination"),
        ({"point_biserial": 0.1}, "low_point_biserial"),
        ({"outfit": 1.4}, "misfit"),
        ({"infit": 0.6}, "overfit"),
        ({"right": 490}, "too_easy"),
        ({"right": 12}, "too_hard"),
        ({"slope_error": 0.6}, "imprecise"),
        ({"slope_error": float("nan")}, "imprecise"),
        ({"difficulty_error": 1.2}, "imprecise"),
    ],
)
def test_bad_item_is_flagged_for_what_is_wrong_with_it(values, flag):
    assert flags_of(finding()) == []
    assert flag in flags_of(finding(**values))


def test_item_whose_key_is_wrong_stands_out():
    _, _, responses = simulate(2_000, 20, seed=9)
    responses[:, 4] = 1 - responses[:, 4]
    found = calibrate(responses)
    correlations = point_biserials(responses)
    assert found.items.slope[4] < 0
    assert int(np.argmin(correlations)) == 4
    assert correlations[4] < -0.2


def test_point_biserial_of_what_does_not_vary_is_unknown():
    responses = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1]], dtype=np.int8)
    assert np.isnan(point_biserials(responses)[0])


@pytest.mark.parametrize(
    ("ability", "level"), [(-3, "A1"), (-1.001, "A1"), (-1, "A2"), (0, "B1"), (0.99, "B1"), (1, "B2"), (9, "B2")]
)
def test_level_begins_at_its_cut(ability, level):
    assert level_of(ability, DEFAULT_CUTS) == level


def test_level_has_an_interval_as_wide_as_the_error():
    shown = describe(0.1, 0.5, DEFAULT_CUTS)
    assert shown["level"] == {"estimate": "B1", "low": "A2", "high": "B2"}
    assert shown["scaled"] == {"score": 510, "low": 412, "high": 608}
