from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.achievements.test_catalogue import ENTRY
from worker.achievements.catalogue import load_catalogue, parse_catalogue
from worker.achievements.counters import Counters
from worker.achievements.rules import Learner, awards

SOMEBODY = UUID(int=7)
CODES = sorted(tier.code for each in load_catalogue().achievements for tier in each.tiers)
_counters = st.builds(Counters, *[st.integers(0, 2_000)] * len(Counters._fields))


def codes(counters, held=()):
    found = awards(parse_catalogue(ENTRY))([Learner(SOMEBODY, held, counters)])
    return [each.code for each in found]


def earned(achievement, counters):
    """Return the codes that counters earn, plainly."""
    if any(getattr(counters, counter) < number for counter, number in achievement.at_least.items()):
        return set()
    return {tier.code for tier in achievement.tiers if getattr(counters, achievement.counter) >= tier.threshold}


def test_a_tier_is_earned_at_its_number_and_not_before():
    assert codes(Counters(attempts=9, correct=9)) == []
    assert codes(Counters(attempts=10, correct=10)) == ["words-10"]
    assert codes(Counters(attempts=20, correct=20)) == ["words-10", "words-20"]


def test_further_conditions_must_hold():
    assert codes(Counters(attempts=4, correct=20)) == []
    assert codes(Counters(attempts=5, correct=20)) == ["words-10", "words-20"]


def test_what_is_held_is_not_earned_again():
    assert codes(Counters(attempts=20, correct=20), held=["words-10"]) == ["words-20"]


def test_evidence_names_the_counters_and_what_they_had_to_reach():
    (award,) = awards(parse_catalogue(ENTRY))([Learner(SOMEBODY, ["words-20"], Counters(attempts=30, correct=25))])
    assert award.evidence == {"counters": {"attempts": 30, "correct": 25}, "needed": {"attempts": 5, "correct": 10}}


@given(_counters, st.sets(st.sampled_from(CODES)))
def test_awards_are_all_that_is_earned_and_not_held(counters, held):
    catalogue = load_catalogue()
    wanted = {code for each in catalogue.achievements for code in earned(each, counters)} - held
    found = [each.code for each in awards(catalogue)([Learner(SOMEBODY, held, counters)])]
    assert len(found) == len(set(found))
    assert set(found) == wanted


@given(_counters, st.sampled_from(Counters._fields), st.integers(1, 500))
def test_more_never_earns_less(counters, field, more):
    grown = counters._replace(**{field: getattr(counters, field) + more})
    for each in load_catalogue().achievements:
        assert earned(each, counters) <= earned(each, grown)
