"""What achievements are decided by: one learner's counters, as a plain value. Pure."""

from typing import Final, NamedTuple


class Counters(NamedTuple):
    """A learner's counters; the names are those a rule of the catalogue may use. All are whole and not negative.

    Attributes:
        attempts: graded attempts.
        correct: fully right ones.
        lessons_completed: lessons completed, each counted once.
        units_completed: units of a path all of whose published lessons are completed.
        levels_completed: levels (A1 …) all of whose published lessons are completed.
        cards_mature: cards with an interval of 21 days or more.
        perfect_tryouts: scored tryouts with all points.
        active_days: local days with an attempt.
        longest_streak: most local days in a row with an attempt, ever.
        longest_streak_frozen: likewise, if one missed day in a streak is forgiven (it does not count as a day).
        current_streak: local days in a row up to the newest one with an attempt.
        comebacks: returns after 30 missed days or more.
        early_days: local days with an attempt from 4 to 7 o'clock.
        late_days: local days with an attempt from 22 to 4 o'clock.
        week_attempts: attempts within the seven local days up to the newest one with an attempt.
        week_accuracy: whole percent of them that were right, rounded down.
    """

    attempts: int = 0
    correct: int = 0
    lessons_completed: int = 0
    units_completed: int = 0
    levels_completed: int = 0
    cards_mature: int = 0
    perfect_tryouts: int = 0
    active_days: int = 0
    longest_streak: int = 0
    longest_streak_frozen: int = 0
    current_streak: int = 0
    comebacks: int = 0
    early_days: int = 0
    late_days: int = 0
    week_attempts: int = 0
    week_accuracy: int = 0


NONE: Final = Counters()
"""Of a learner who has not attempted anything."""
