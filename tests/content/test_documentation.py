"""The figures of docs/content.md."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from worker.content.build import Vocabulary
from worker.content.values import LEVELS, Content

PAGE = Path(__file__).parents[2] / "docs" / "content.md"


def row(name: str, levels: Iterable[str]) -> str:
    counts = Counter(levels)
    return f"| {name} | {' | '.join(f'{counts[level]:,}' for level in LEVELS)} | {counts.total():,} |"


def test_figures_of_the_page_are_those_of_the_first_seed(content: Content, vocabulary: Vocabulary):
    page = PAGE.read_text(encoding="utf-8")
    for skill in ("vocabulary", "grammar", "reading"):
        assert row(f"{skill} questions", (one.level for one in content.questions if one.skill == skill)) in page
    assert row("lessons", (lesson.level for lesson in content.lessons)) in page
    assert row("words taught", (item.word.level for item in vocabulary.items)) in page
    figures = vocabulary.figures
    for name, counts in {
        "rows of CEFR-J": figures.rows,
        "spelling found in the dictionary": figures.headword_found,
        "… with that part of speech": figures.pos_fits,
        "… and taught": figures.taught,
    }.items():
        assert row(name, Counter(counts).elements()) in page
