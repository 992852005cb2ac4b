"""The real content, built once for all tests of a process: it takes seconds and never changes."""

import pytest

from worker.content import seed as seeding
from worker.content.build import Vocabulary, build_content, read_vocabulary
from worker.content.english import Lexicon
from worker.content.meanings import MeaningIndex
from worker.content.values import Content
from worker.content.vocabulary import Item


@pytest.fixture(scope="session")
def content() -> Content:
    return build_content(1)


@pytest.fixture
def built_once(monkeypatch: pytest.MonkeyPatch, content: Content) -> None:
    """Let seeding take the content of seed 1 from the fixture instead of building it again."""
    monkeypatch.setattr(seeding, "build_content", lambda seed: content if seed == 1 else build_content(seed))


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return read_vocabulary()


@pytest.fixture(scope="session")
def items(vocabulary: Vocabulary) -> dict[tuple[str, str], Item]:
    """The words that are taught, by headword and part of speech."""
    return {(item.word.headword, item.word.pos): item for item in vocabulary.items}


@pytest.fixture(scope="session")
def index(vocabulary: Vocabulary) -> MeaningIndex:
    return MeaningIndex(vocabulary.words, vocabulary.items, vocabulary.entries)


@pytest.fixture(scope="session")
def lexicon(vocabulary: Vocabulary) -> Lexicon:
    return Lexicon(vocabulary.words)
