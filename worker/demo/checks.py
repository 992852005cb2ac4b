"""The demonstration's verdicts: each compares what must have come of the traffic with what the database holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from worker.demo.traffic import Answers, Traffic
from worker.srs.queue_policy import QueueCard, QueueRules, choose_cards


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the summary: what was checked, what was expected and seen, and whether they agree."""

    what: str
    expected: str
    seen: str
    holds: bool


def equal(what: str, expected: int, seen: int) -> Verdict:
    """Return the verdict on two counts that must be the same."""
    return Verdict(what, f"{expected:,}", f"{seen:,}", expected == seen)


def check_answers(traffic: Traffic, answers: Answers) -> list[Verdict]:
    """Judge what the API said: each attempt accepted exactly once, each repetition and each mistake recognised."""
    acceptable = traffic.expected_graded | traffic.expected_rejected
    accepted = set(answers.accepted)
    return [
        Verdict("answers of an unexpected kind", "0", "; ".join(answers.unexpected[:3]) or "0", not answers.unexpected),
        Verdict(
            "accepted (202), each exactly once",
            f"{len(acceptable):,}",
            f"{len(answers.accepted):,}",
            accepted == acceptable and len(accepted) == len(answers.accepted),
        ),
        equal("repetitions recognised as duplicates", traffic.resent, len(answers.duplicates)),
        equal("malformed attempts refused by name", traffic.expected_refused, answers.refused),
    ]


def check_fates(traffic: Traffic, answers: Answers, graded: set[UUID], rejected: set[UUID], sent: int) -> list[Verdict]:
    """Judge what became of the attempts: accepted = graded + rejected, and nothing that was sent is unaccounted for."""
    return [
        Verdict("graded", f"{len(traffic.expected_graded):,}", f"{len(graded):,}", graded == traffic.expected_graded),
        Verdict(
            "rejected with a reason",
            f"{len(traffic.expected_rejected):,}",
            f"{len(rejected):,}",
            rejected == traffic.expected_rejected,
        ),
        equal("accepted = graded + rejected", len(answers.accepted), len(graded) + len(rejected)),
        equal(
            "sent = graded + rejected + duplicates + refused",
            sent,
            len(graded) + len(rejected) + len(answers.duplicates) + answers.refused,
        ),
    ]


def check_queues(
    decks: Mapping[UUID, tuple[Sequence[QueueCard], QueueRules]],
    queues: Mapping[UUID, tuple[date, list[UUID]]],
    today: Mapping[UUID, date],
) -> list[Verdict]:
    """Judge the due queues: one a learner, for their local day, with exactly the cards and the order of the rules.

    Args:
        decks: each learner's cards and rules.
        queues: each learner's newest queue.
        today: each learner's local day, which their queue must be for.
    """
    right = sum(
        learner in queues
        and queues[learner][0] == local_day
        and queues[learner][1] == choose_cards(*decks.get(learner, ((), QueueRules())), local_day).card_ids
        for learner, local_day in today.items()
    )
    return [equal("due queues, for the local day, in the order of the rules", len(today), right)]
