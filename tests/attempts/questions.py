"""Hypothesis strategies: valid questions of every type with their own right answer, and arbitrary JSON."""

from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["choice", "choices", "value", "blanks", "text", "pairs", "order", "correct", "accepted"])
            | st.sampled_from(["id", "typos", "credit", "also", "left", "right", "a", "l1"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)

_ids = st.lists(st.text("abcdefgh", min_size=1, max_size=3), min_size=2, max_size=6, unique=True)
_words = st.text("abcdefghijklmnop' é", min_size=1, max_size=12).filter(lambda text: text.strip(" '"))
_credits = st.sampled_from([{}, {"credit": "exact"}, {"credit": "partial"}])


def _options(ids, text="text"):
    return [{"id": option, "text": f"{text} {option}"} for option in ids]


@st.composite
def _multiple_choice(draw):
    ids = draw(_ids)
    right = draw(st.sampled_from(ids))
    return "multiple_choice", _options(ids), {"correct": right}, {"choice": right}


@st.composite
def _multiple_select(draw):
    ids = draw(_ids)
    right = draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
    return (
        "multiple_select",
        _options(ids),
        {"correct": right} | draw(_credits),
        {"choices": draw(st.permutations(right))},
    )


@st.composite
def _true_false(draw):
    right = draw(st.booleans())
    return "true_false", [], {"correct": right}, {"value": right}


@st.composite
def _fill_blank(draw):
    gaps = draw(st.lists(st.lists(_words, min_size=1, max_size=3), min_size=1, max_size=4))
    key = {"blanks": gaps, "typos": draw(st.integers(0, 3))} | draw(_credits)
    return "fill_blank", [], key, {"blanks": [draw(st.sampled_from(gap)) for gap in gaps]}


@st.composite
def _short_answer(draw):
    accepted = draw(st.lists(_words, min_size=1, max_size=3))
    return (
        "short_answer",
        [],
        {"accepted": accepted, "typos": draw(st.integers(0, 3))},
        {"text": draw(st.sampled_from(accepted))},
    )


@st.composite
def _matching(draw):
    left, right = draw(_ids), draw(_ids)
    pairs = {option: draw(st.sampled_from(right)) for option in left}
    return (
        "matching",
        {"left": _options(left), "right": _options(right)},
        {"pairs": pairs} | draw(_credits),
        {"pairs": pairs},
    )


@st.composite
def _ordering(draw):
    ids = draw(_ids)
    options = [{"id": option, "text": draw(st.sampled_from(["the", "cat", "sat"]))} for option in ids]
    order = draw(st.permutations(ids))
    also = draw(st.lists(st.permutations(ids), max_size=2))
    return "ordering", options, {"order": order, "also": also} | draw(_credits), {"order": order}


questions = st.one_of(
    _multiple_choice(), _multiple_select(), _true_false(), _fill_blank(), _short_answer(), _matching(), _ordering()
)
"""(type, options, answer key, right answer)"""
