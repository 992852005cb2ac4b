"""Fitting: split by time, measured on what came later, taken only when better."""

import csv
from datetime import datetime, timedelta
from math import log
from pathlib import Path
from random import Random

import pytest

from worker.srs import fitting
from worker.srs.fitting import FittingError, fit, optimise, split_at
from worker.srs.fsrs import DEFAULT_PARAMETERS, Scheduler
from worker.srs.prediction import (
    Prediction,
    Review,
    by_card,
    fsrs_predictor,
    item,
    measure,
    predict_sm2,
    predictions,
)

_FILE = Path(__file__).parents[1] / "data" / "reviews" / "reviews_2024_first_9000.csv"


@pytest.fixture(scope="module")
def real():
    """9,000 reviews of one learner; their days begin at four in UTC."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return [
            Review(
                int(row["card_id"]),
                int(row["review_rating"]),
                (datetime.fromisoformat(row["review_time"]) - timedelta(hours=4)).date().toordinal(),
            )
            for row in csv.DictReader(file)
        ]


def _made_up(reviews=600, seed=1):
    generator = Random(seed)
    return [Review(n % 60, generator.choice([1, 3, 3, 3]), 20_000 + n // 60 * 3) for n in range(reviews)]


def _prediction(probability, recalled, **values):
    return Prediction(
        **{"place": 0, "elapsed_days": 1, "reviews_before": 1, "lapses_before": 0} | values,
        probability=probability,
        recalled=recalled,
    )


def test_fsrs_foresees_the_real_reviews_better_than_sm2_and_fitted_better_than_default(real):
    found = fit([real])
    assert found.is_accepted
    assert found.fitted.reviews == found.current.reviews == found.sm2.reviews == 911
    assert found.fitted.log_loss < found.current.log_loss - 0.005 < found.sm2.log_loss - 0.05
    assert found.fitted.rmse_bins < found.current.rmse_bins < found.sm2.rmse_bins
    assert found.fitted.auc > found.current.auc > found.sm2.auc


def test_what_comes_after_the_split_is_never_learnt_from(real):
    part = real[:2_000]
    split = split_at(len(part))
    changed = part[:split] + [review._replace(rating=4 - review.rating or 1) for review in part[split:]]
    assert fit([changed]).parameters == fit([part]).parameters


def test_fit_that_foresees_no_better_is_not_accepted(real):
    part = real[:1_500]
    best_afterwards = optimise([part])
    assert not fit([part], current=best_afterwards).is_accepted


def test_fitting_twice_gives_the_same_parameters():
    assert optimise([_made_up()]) == optimise([_made_up()])


def test_fewer_than_400_reviews_are_not_fitted(real):
    assert fit([real[: fitting.MIN_REVIEWS - 1]]) is None


def test_reviews_of_a_single_day_are_not_fitted():
    assert fit([[Review(n % 50, 3, 20_000) for n in range(500)]]) is None
    with pytest.raises(FittingError):
        optimise([[Review(1, 3, 20_000), Review(1, 3, 20_000)]])


def test_population_is_fitted_from_several_learners():
    parameters = optimise([_made_up(seed=1), _made_up(seed=2)])
    assert len(parameters) == len(DEFAULT_PARAMETERS)
    Scheduler(parameters=parameters)


def test_predictions_are_those_of_the_library(real):
    model, predict = Scheduler().model, fsrs_predictor(DEFAULT_PARAMETERS)
    history = max(by_card(real[:3_000]).values(), key=len)
    answers = [review for _, review in history]
    probabilities = predict(answers)
    for number in range(1, len(answers)):
        if answers[number].day > answers[number - 1].day:
            likely = probabilities[number] if answers[number].rating > 1 else 1 - probabilities[number]
            assert -log(likely) == pytest.approx(model.evaluate([item(answers[: number + 1])]).log_loss, abs=1e-4)


def test_only_reviews_on_a_later_day_are_predicted():
    reviews = [Review(1, 3, 10), Review(1, 3, 10), Review(1, 1, 12), Review(2, 3, 12), Review(1, 3, 15)]
    found = list(predictions(reviews, predict_sm2))
    assert [(each.place, each.elapsed_days, each.reviews_before) for each in found] == [(2, 2, 2), (4, 3, 3)]
    assert [each.lapses_before for each in found] == [0, 1]


def test_history_before_the_split_still_counts():
    reviews = [Review(1, 3, 10), Review(1, 3, 11), Review(1, 3, 17)]
    assert list(predictions(reviews, predict_sm2, since=2)) == list(predictions(reviews, predict_sm2))[1:]


def test_sm2_gives_nine_tenths_at_the_end_of_its_interval():
    assert predict_sm2([Review(1, 3, 10), Review(1, 3, 11), Review(1, 3, 17)]) == [None, 0.9, 0.9]


def test_measures_of_a_hand_worked_case():
    quality = measure(
        [_prediction(0.8, True), _prediction(0.6, False), _prediction(0.4, True), _prediction(0.2, False)]
    )
    assert quality.log_loss == pytest.approx(-(log(0.8) + log(0.4) + log(0.4) + log(0.8)) / 4)
    assert quality.rmse_bins == pytest.approx(0)
    assert quality.auc == pytest.approx(0.75)


def test_bins_keep_errors_apart_that_would_cancel_out():
    apart = [_prediction(1.0, False, elapsed_days=1), _prediction(0.0, True, elapsed_days=90)]
    assert measure(apart).rmse_bins == pytest.approx(1)
    together = [_prediction(1.0, False), _prediction(0.0, True)]
    assert measure(together).rmse_bins == pytest.approx(0)


def test_ties_count_half_and_one_kind_alone_says_nothing():
    assert measure([_prediction(0.5, True), _prediction(0.5, False)]).auc == 0.5
    assert measure([_prediction(0.9, True)]).auc == 0.5
    assert measure([]).reviews == 0


def test_a_certain_prediction_that_fails_costs_much_but_not_everything():
    assert 10 < measure([_prediction(1.0, False)]).log_loss < 20
