"""Arranging given parts: matching pairs, putting words or sentences in order.

Options that read the same (`the` twice in one sentence) are interchangeable: the learner cannot tell them apart.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

from worker.attempts.errors import MalformedAnswer, MalformedQuestion
from worker.attempts.question_types import content
from worker.attempts.question_types.grade import BLANK, RIGHT, Grade, Grader, all_or_nothing, answer_field, share

_ORDERING_MIN_OPTIONS: Final = 2


def matching(options: Any, answer_key: Any) -> Grader:
    """Return the grader of pairs to be matched: `{"pairs": {"l1": "r3"}}`; a pair left out or null is open.

    Score: the share of pairs that are right. No pair at all is blank.
    """
    sides = content.mapping(options, "options")
    left = content.options(sides.get("left"), "options.left")
    right = content.options(sides.get("right"), "options.right")
    key = content.mapping(answer_key, "answer_key")
    exact = content.is_exact(key)
    pairs = content.mapping(content.required(key, "pairs", "answer_key"), "answer_key.pairs")
    if pairs.keys() != left.keys():
        raise MalformedQuestion("answer_key.pairs", "must name each option of the left side once")
    correct = {
        left_id: right[content.option_id(right_id, right, f"answer_key.pairs.{left_id}")]
        for left_id, right_id in pairs.items()
    }

    def grade(answer: Any) -> Grade:
        given = answer_field(answer, "pairs")
        if given is None:
            return BLANK
        if type(given) is not dict:
            raise MalformedAnswer("answer.pairs", "must be an object of left ids and right ids")
        hits = matched = 0
        for left_id, right_id in given.items():
            if left_id not in correct:
                raise MalformedAnswer("answer.pairs", "names an option that is not on the left side")
            if right_id is not None:
                if type(right_id) is not str or right_id not in right:
                    raise MalformedAnswer(f"answer.pairs.{left_id}", "is not the id of an option on the right side")
                matched += 1
                hits += right[right_id] == correct[left_id]
        if not matched:
            return BLANK
        result = share(hits, len(correct))
        return all_or_nothing(result) if exact else result

    return grade


def ordering(options: Any, answer_key: Any) -> Grader:
    """Return the grader of parts to be put in order: `{"order": ["c", "a", "b"]}`; an empty list is blank.

    Score: the share of neighbouring pairs of an accepted order that are neighbours, the same way round, in the
    answer; the best over all accepted orders. Parts may be left out; each missing link costs its share.
    """
    known = content.options(options)
    if len(known) < _ORDERING_MIN_OPTIONS:
        raise MalformedQuestion("options", "must have at least two entries to be put in order")
    key = content.mapping(answer_key, "answer_key")
    exact = content.is_exact(key)
    orders = [_accepted_order(content.required(key, "order", "answer_key"), known, "answer_key.order")]
    also = key.get("also", [])
    if not isinstance(also, list):
        raise MalformedQuestion("answer_key.also", "must be a list of orders")
    orders += [_accepted_order(order, known, f"answer_key.also[{number}]") for number, order in enumerate(also)]
    kept_links = _link_counter(orders, repeats=len(set(known.values())) < len(known))
    links_needed = len(known) - 1

    def grade(answer: Any) -> Grade:
        given = answer_field(answer, "order")
        if given is None:
            return BLANK
        if type(given) is not list:
            raise MalformedAnswer("answer.order", "must be a list of option ids")
        if not given:
            return BLANK
        tokens = _tokens(given, known)
        if tokens in orders:
            return RIGHT
        if exact:
            return share(0, links_needed)
        # With repeated words all links can be kept in another order ("a b a c a" and "a c a b a"): still not right.
        return share(min(kept_links(tokens), links_needed - 1), links_needed)

    return grade


def _link_counter(orders: list[list[str]], *, repeats: bool) -> Callable[[list[str]], int]:
    """Return a function that counts the neighbouring pairs an order shares with an accepted one, at best."""
    if repeats:
        counted = [Counter(pairwise(order)) for order in orders]
        return lambda tokens: max((Counter(pairwise(tokens)) & accepted).total() for accepted in counted)
    links = [frozenset(pairwise(order)) for order in orders]
    return lambda tokens: max(len(accepted.intersection(pairwise(tokens))) for accepted in links)


def _accepted_order(value: Any, known: dict[str, str], where: str) -> list[str]:
    """Return an order of the key as what the learner sees; it names each option once."""
    order = content.items(value, where)
    ids = [content.option_id(entry, known, f"{where}[{number}]") for number, entry in enumerate(order)]
    if len(ids) != len(known) or len(set(ids)) != len(known):
        raise MalformedQuestion(where, "must name each option once")
    return [known[option_id] for option_id in ids]


def _tokens(given: Sequence[Any], known: dict[str, str]) -> list[str]:
    """Return the learner's order as what they see; ids are known and occur once."""
    used: set[str] = set()
    for number, option_id in enumerate(given):
        if type(option_id) is not str or option_id not in known:
            raise MalformedAnswer(f"answer.order[{number}]", "is not the id of an option")
        if option_id in used:
            raise MalformedAnswer(f"answer.order[{number}]", "occurs twice")
        used.add(option_id)
    return [known[option_id] for option_id in given]
