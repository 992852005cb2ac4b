"""Grammar questions: choose the right sentence, judge one, fill a gap with one of two words, choose all right ones."""

from collections.abc import Sequence
from typing import Final

from worker.content.grammar_choice import GradedPair, needs_gender_hint
from worker.content.grammar_reasons import reason
from worker.content.options import lettered
from worker.content.paradigms import Paradigm
from worker.content.sources.blimp import SOURCE
from worker.content.values import Question, generator
from worker.content.wording import quoted, usual_time

GAP: Final = "____"
SELECT_PAIRS: Final = 4
_DIFFICULTIES: Final = ((0.98, 1), (0.955, 2), (0.945, 3), (0.90, 4), (0.0, 5))
"""Least share of people who agree with BLiMP, and the difficulty that goes with it."""


def difficulty_of(agreement: float) -> int:
    """Return 1–5: the more people agree on which sentence is right, the easier the point."""
    return next(difficulty for least, difficulty in _DIFFICULTIES if agreement >= least)


def _key(kind: str, graded: GradedPair) -> str:
    return f"grammar/{kind}/{graded.pair.paradigm}/{graded.pair.number}"


def _hint(graded: GradedPair) -> tuple[str, str]:
    """Return what a learner must be told to decide, or empty texts: whether a name is a man's or a woman's."""
    if not needs_gender_hint(graded):
        return "", ""
    male = graded.pair.right == "himself"
    name = graded.name or ""
    return (
        f"({name} is a {'man' if male else 'woman'}.) ",
        f"({name} adalah seorang {'laki-laki' if male else 'perempuan'}.) ",
    )


def _explained(graded: GradedPair, paradigm: Paradigm) -> tuple[str, str]:
    why, why_id = reason(graded.pair)
    return f"{why} {paradigm.rule}", f"{why_id} {paradigm.rule_id}"


def choose_sentence(graded: GradedPair, paradigm: Paradigm, difficulty: int, seed: int) -> Question:
    """Return “Which sentence is correct?” with the two sentences of a pair."""
    key = _key("choose-sentence", graded)
    pair = graded.pair
    options, ids = lettered([pair.good_sentence, pair.bad_sentence], generator(seed, key))
    hint, hint_id = _hint(graded)
    words = " / ".join(sorted((pair.right, pair.wrong)))
    explanation, explanation_id = _explained(graded, paradigm)
    stem = f"{hint}Which sentence is correct? ({words})"
    return Question(
        key=key,
        type="multiple_choice",
        stem=stem,
        stem_id=f"{hint_id}Kalimat mana yang benar? ({words})",
        options=options,
        answer_key={"correct": ids[0]},
        explanation=explanation,
        explanation_id=explanation_id,
        level=graded.level,
        skill="grammar",
        topic=paradigm.title,
        difficulty=difficulty,
        usual_time_ms=usual_time(3_000, stem, pair.good_sentence, pair.bad_sentence),
        source=SOURCE,
    )


def judge_sentence(graded: GradedPair, paradigm: Paradigm, difficulty: int, seed: int) -> Question:
    """Return a sentence that is grammatical or not, by chance, to be judged."""
    key = _key("judge-sentence", graded)
    pair = graded.pair
    correct = generator(seed, key).random() < 1 / 2
    sentence = pair.good_sentence if correct else pair.bad_sentence
    hint, hint_id = _hint(graded)
    explanation, explanation_id = _explained(graded, paradigm)
    if not correct:
        explanation = f"Correct: {quoted(pair.good_sentence)} {explanation}"
        explanation_id = f"Yang benar: {quoted(pair.good_sentence)} {explanation_id}"
    stem = f"{hint}True or false? This sentence is grammatically correct: {quoted(sentence)}"
    return Question(
        key=key,
        type="true_false",
        stem=stem,
        stem_id=f"{hint_id}Benar atau salah? Tata bahasa kalimat ini benar: {quoted(sentence)}",
        options=[],
        answer_key={"correct": correct},
        explanation=explanation,
        explanation_id=explanation_id,
        level=graded.level,
        skill="grammar",
        topic=paradigm.title,
        difficulty=difficulty,
        usual_time_ms=usual_time(3_000, stem),
        source=SOURCE,
    )


def fill_gap(graded: GradedPair, paradigm: Paradigm, difficulty: int, seed: int) -> Question:
    """Return a sentence with a gap, and the two words to choose from in parentheses after it, in an order of chance."""
    key = _key("fill-gap", graded)
    pair = graded.pair
    words = [pair.right, pair.wrong]
    generator(seed, key).shuffle(words)
    gapped = " ".join(word.replace(pair.right, GAP, 1) if at == pair.at else word for at, word in enumerate(pair.good))
    hint, hint_id = _hint(graded)
    explanation, explanation_id = _explained(graded, paradigm)
    stem = f"{hint}Fill the gap with the right word: {gapped} ({' / '.join(words)})"
    return Question(
        key=key,
        type="fill_blank",
        stem=stem,
        stem_id=f"{hint_id}Isilah bagian yang kosong dengan kata yang tepat: {gapped} ({' / '.join(words)})",
        options=[],
        answer_key={"blanks": [[pair.right]]},
        explanation=explanation,
        explanation_id=explanation_id,
        level=graded.level,
        skill="grammar",
        topic=paradigm.title,
        difficulty=difficulty,
        usual_time_ms=usual_time(3_000, stem, typed=len(pair.right)),
        source=SOURCE,
    )


def select_sentences(
    graded: Sequence[GradedPair], right_count: int, paradigm: Paradigm, difficulty: int, seed: int
) -> Question:
    """Return “Choose all correct sentences” with one sentence of each pair: `right_count` good ones, the others bad.

    The pairs must be of one level, and none may need a hint.
    """
    key = _key(f"select-{right_count}-of-{len(graded)}", graded[0])
    texts = [
        graded_pair.pair.good_sentence if at < right_count else graded_pair.pair.bad_sentence
        for at, graded_pair in enumerate(graded)
    ]
    options, ids = lettered(texts, generator(seed, key))
    wrong = " ".join(quoted(graded_pair.pair.good_sentence) for graded_pair in graded[right_count:])
    stem = "Choose all the sentences that are grammatically correct."
    return Question(
        key=key,
        type="multiple_select",
        stem=stem,
        stem_id="Pilih semua kalimat yang tata bahasanya benar.",
        options=options,
        answer_key={"correct": sorted(ids[:right_count])},
        explanation=f"{paradigm.rule} The other sentences should be: {wrong}",
        explanation_id=f"{paradigm.rule_id} Kalimat lainnya seharusnya: {wrong}",
        level=graded[0].level,
        skill="grammar",
        topic=paradigm.title,
        difficulty=min(5, difficulty + 1),
        usual_time_ms=usual_time(5_000, stem, *texts),
        source=SOURCE,
    )
