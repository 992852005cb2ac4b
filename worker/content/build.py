"""All content: from the data sets to lessons and questions, pure but for reading the data files of the package."""

from dataclasses import dataclass

from worker.content.english import Lexicon
from worker.content.grammar_lessons import grammar_content
from worker.content.meanings import MeaningIndex
from worker.content.paradigms import read_paradigms
from worker.content.sentence_choice import chosen
from worker.content.sentence_lessons import sentence_content
from worker.content.sources import blimp, cefrj, curation, freedict, tatoeba
from worker.content.sources.files import read_bytes, read_text
from worker.content.values import Content
from worker.content.vocabulary import Item, JoinFigures, join
from worker.content.word_lessons import word_content


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of CEFR-J and what the dictionary and the editors make of them."""

    words: list[cefrj.Word]
    entries: list[freedict.Entry]
    items: list[Item]
    figures: JoinFigures


def read_vocabulary() -> Vocabulary:
    """Return the words that are taught; a third of a second."""
    words = cefrj.read_words(read_text("cefrj", "cefrj-vocabulary-profile-1.5.csv"))
    entries = freedict.read_entries(
        read_text("freedict-eng-ind", "freedict-eng-ind.index"), read_bytes("freedict-eng-ind", "freedict-eng-ind.dict")
    )
    meanings = curation.read_meanings(read_text("curation", "vocabulary.csv"))
    items, figures = join(words, entries, meanings)
    return Vocabulary(words, entries, items, figures)


def build_content(seed: int = 1) -> Content:
    """Return all lessons and questions; about four seconds.

    The seed decides the order of options, which wrong options are shown and which statements are true; it does not
    decide which words, sentences and lessons there are. The same seed gives the same content to the byte.
    """
    vocabulary = read_vocabulary()
    lexicon = Lexicon(vocabulary.words)
    index = MeaningIndex(vocabulary.words, vocabulary.items, vocabulary.entries)
    words = word_content(vocabulary.items, index, seed)
    paradigms = read_paradigms(read_text("grammar", "paradigms.toml"))
    grammar = grammar_content(
        paradigms,
        {paradigm.uid: blimp.read_pairs(read_text("blimp", f"{paradigm.uid}.jsonl")) for paradigm in paradigms},
        blimp.read_agreement(read_text("blimp", "human_validation_summary.csv")),
        lexicon,
        seed,
    )
    sentences = sentence_content(
        chosen(
            tatoeba.read_pairs(
                read_text("tatoeba-ind-eng", "tatoeba.ind-eng.eng"), read_text("tatoeba-ind-eng", "tatoeba.ind-eng.ind")
            ),
            curation.read_left_out(read_text("curation", "tatoeba-left-out.csv")),
            lexicon,
            vocabulary.items,
        ),
        seed,
    )
    return Content(
        lessons=(*words.lessons, *grammar.lessons, *sentences.lessons),
        questions=(*words.questions, *grammar.questions, *sentences.questions),
    )
