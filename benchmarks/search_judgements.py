"""Makes the judged set of searches, `benchmarks/data/search_judged.jsonl`: `python -m benchmarks.search_judgements`.

What is relevant comes from how the content is organised: a question's `family` (the word or sentence that it asks for,
which no search sees), the words that a lesson teaches, a lesson's topic. So a question that merely mentions a word, as
a wrong option or in another word's explanation, is not relevant to a search for it. The needs are written down here by
hand or drawn from the content by a fixed rule (the order of SHA-256), never by what some search finds.

Grades: 2 what was asked for, 1 what has the same root, or also means it. Questions that ask a learner to write the very
word searched for are left out: learners must not find by the answer.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from worker.content.build import build_content
from worker.content.values import Content, Question, stable_rank

JUDGED: Final = Path(__file__).parent / "data" / "search_judged.jsonl"

Grades = dict[str, int]

_LESSON_TOPICS: Final = {
    # topic → how people ask for it, in English and in Indonesian
    "Adjectives": (["adjectives", "adjective list"], ["kata sifat", "daftar kata sifat"]),
    "Adverbs": (["adverbs"], ["kata keterangan"]),
    "Verbs": (["verbs vocabulary"], ["kosakata kata kerja"]),
    "Clothes and colours": (["clothes", "colours and clothing"], ["pakaian", "warna dan pakaian"]),
    "Countries and nationalities": (["countries", "nationality"], ["negara", "kebangsaan"]),
    "Education": (["education", "educational words"], ["pendidikan", "kosakata pendidikan"]),
    "Food and drink": (["food and drinks", "drink vocabulary"], ["makanan", "makanan dan minuman"]),
    "Free time": (["free time"], ["waktu luang"]),
    "Health and body": (["health", "body and health"], ["kesehatan", "tubuh dan kesehatan"]),
    "Home and everyday things": (["home things"], ["rumah", "benda sehari-hari"]),
    "Media and arts": (["art and media"], ["media dan seni"]),
    "News and society": (["news", "society"], ["berita", "masyarakat"]),
    "Numbers": (["numbers"], ["angka", "bilangan"]),
    "People and family": (["family", "people and families"], ["keluarga", "orang dan keluarga"]),
    "Town and shopping": (["shopping", "shop in town"], ["belanja", "berbelanja di kota"]),
    "Travel": (["travel", "travelling"], ["bepergian", "kosakata bepergian"]),
    "Work and jobs": (["jobs", "working and jobs"], ["pekerjaan", "profesi"]),
    "Himself, herself, itself": (["himself herself itself"], ["himself herself itself"]),
    "Himself, herself or themselves": (["himself or themselves"], ["himself atau themselves"]),
    "Irregular plurals and their verbs": (["irregular plural"], ["jamak tak beraturan"]),
    "Past simple of irregular verbs": (
        ["past simple irregular", "irregular verb past"],
        ["bentuk lampau tak beraturan", "kata kerja bentuk lampau"],
    ),
    "Past participles as adjectives": (
        ["past participle", "participles as adjective"],
        ["past participle sebagai kata sifat"],
    ),
    "Subject and verb": (["subject verb"], ["subjek dan kata kerja"]),
    "There is, there are": (["there is there are"], ["there is there are"]),
    "This, that, these, those": (["this that these those"], ["this that these those"]),
    "Everyday sentences": (["everyday sentence"], ["kalimat sehari-hari"]),
}

_ENGLISH_FORMS: Final = {
    # a form that is not in the content as such → its word
    "teaches": "teach",
    "speaking": "speak",
    "learned": "learn",
    "cooking": "cook",
    "dances": "dance",
    "walked": "walk",
    "countries": "country",
    "villages": "village",
    "kitchens": "kitchen",
    "vegetables": "vegetable",
    "friends": "friend",
    "doctors": "doctor",
    "explained": "explain",
    "describing": "describe",
    "improves": "improve",
    "collected": "collect",
    "decides": "decide",
    "arrived": "arrive",
    "bridges": "bridge",
    "mountains": "mountain",
    "suggested": "suggest",
    "complaining": "complain",
    "hospitals": "hospital",
    "journalists": "journalist",
    "memories": "memory",
}

_INDONESIAN_ROOTS: Final = {
    # a derived form → the meanings of its root: those of grade 2, and those that share the root
    "bacaan": (["bacaan"], ["membaca", "baca", "pembaca"]),
    "membaca": (["membaca"], ["pembaca", "bacaan"]),
    "pembaca": (["pembaca"], ["membaca", "bacaan"]),
    "tulisan": (["tulisan"], ["menulis", "penulis"]),
    "penulis": (["penulis"], ["menulis", "tulisan"]),
    "makan": (["makan"], ["makanan", "memakan"]),
    "minum": (["minum"], ["minuman"]),
    "ajar": ([], ["mengajar", "belajar", "pelajaran", "pengajar"]),
    "mengajar": (["mengajar"], ["pengajar", "pelajaran", "belajar"]),
    "belajar": (["belajar"], ["mempelajari", "pelajaran", "mengajar"]),
    "kerja": (["kerja"], ["bekerja", "pekerjaan", "pekerja"]),
    "bekerja": (["bekerja"], ["pekerjaan", "pekerja"]),
    "pemain": (["pemain"], ["bermain", "permainan"]),
    "bermain": (["bermain"], ["permainan", "pemain"]),
    "penjualan": (["penjualan"], ["menjual", "penjual"]),
    "menjual": (["menjual"], ["penjual", "penjualan"]),
    "pembeli": (["pembeli"], ["membeli", "pembelian"]),
    "pelari": (["pelari"], ["berlari", "lari"]),
    "berjalan": (["berjalan"], ["jalan", "perjalanan"]),
    "perjalanan": (["perjalanan"], ["berjalan", "jalan"]),
    "keindahan": (["keindahan"], ["indah"]),
    "kekuatan": (["kekuatan"], ["kuat"]),
    "kesehatan": (["kesehatan"], ["sehat"]),
    "kebersihan": (["kebersihan"], ["bersih", "membersihkan"]),
    "membersihkan": (["membersihkan"], ["bersih"]),
    "pertanyaan": (["pertanyaan"], ["bertanya", "menanyakan"]),
    "jawaban": (["jawaban"], ["menjawab"]),
    "pengalaman": (["pengalaman"], ["mengalami"]),
    "perubahan": (["perubahan"], ["berubah", "mengubah"]),
    "pilihan": (["pilihan"], ["memilih"]),
}

_MISSPELT_ENGLISH: Final = {
    "vegtable": "vegetable",
    "resturant": "restaurant",
    "beatiful": "beautiful",
    "diffrent": "different",
    "neccessary": "necessary",
    "tommorow": "tomorrow",
    "freind": "friend",
    "intresting": "interesting",
    "libary": "library",
    "enviroment": "environment",
    "goverment": "government",
    "expirience": "experience",
    "langauge": "language",
    "buisness": "business",
    "dangerus": "dangerous",
    "hospitl": "hospital",
    "kichen": "kitchen",
    "wether": "weather",
    "univercity": "university",
    "sucessful": "successful",
}

_MISSPELT_INDONESIAN: Final = {
    "perpustakan": "perpustakaan",
    "makananan": "makanan",
    "sekolh": "sekolah",
    "rumha sakit": "rumah sakit",
    "berbhaya": "berbahaya",
    "lingkugan": "lingkungan",
    "pemerinth": "pemerintah",
    "kesehatn": "kesehatan",
    "membli": "membeli",
    "pekerjan": "pekerjaan",
    "sauadara": "saudara",
    "pengetahun": "pengetahuan",
    "kehidupn": "kehidupan",
    "indsutri": "industri",
    "terlmbat": "terlambat",
    "keputsan": "keputusan",
    "jembtan": "jembatan",
    "universtas": "universitas",
    "pertnyaan": "pertanyaan",
    "keindhan": "keindahan",
}


def main() -> None:
    """Write the file and say how many searches of which kind it has."""
    rows = list(judged(build_content(1)))
    JUDGED.parent.mkdir(exist_ok=True)
    with JUDGED.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        counts[row["language"], row["need"]] += 1
    for (language, need), count in sorted(counts.items()):
        print(f"{language} {need}: {count}")


def judged(content: Content) -> Iterator[dict[str, Any]]:
    """Yield the searches with what is relevant to each."""
    words = _Words(content)
    needs = (*_english(words), *_indonesian(words), *_topics(content), *_sentences(content))
    for language, need, kind, text, grades in needs:
        if grades:
            yield {
                "language": language,
                "need": need,
                "kind": kind,
                "q": text,
                "relevant": dict(sorted(grades.items())),
            }


Need = tuple[str, str, str, str, Grades]


class _Words:
    """The words that lessons teach: their questions, and their meanings."""

    def __init__(self, content: Content) -> None:
        self.questions: dict[str, list[Question]] = defaultdict(list)
        """By English word, whatever its part of speech."""
        self.by_meaning: dict[str, set[str]] = defaultdict(set)
        """English words by Indonesian meaning."""
        self.lessons: dict[str, set[str]] = defaultdict(set)
        for question in content.questions:
            if question.key.startswith("word/"):
                self.questions[_word_of(question)].append(question)
        for lesson in content.lessons:
            for section in lesson.sections:
                for taught in section.get("words", ()):
                    self.lessons[taught["word"].lower()].add(str(lesson.id))
                    for meaning in taught["meanings"]:
                        self.by_meaning[meaning.lower()].add(taught["word"].lower())

    def asking(self, word: str, *, grade: int = 2) -> Grades:
        """Return the questions about an English word, but for those that ask to write it."""
        return {str(each.id): grade for each in self.questions.get(word, ()) if each.type != "short_answer"}

    def meaning(self, meaning: str, *, grade: int = 2) -> Grades:
        """Return the questions about English words that mean this."""
        found: Grades = {}
        for word in sorted(self.by_meaning.get(meaning, ())):
            found |= {str(each.id): grade for each in self.questions.get(word, ())}
        return found


def _word_of(question: Question) -> str:
    """Return the English word of a question about one: `word/<way>/<word>|<part of speech>`."""
    return question.key.split("/", 2)[2].partition("|")[0].lower()


def _drawn(candidates: Iterable[str], count: int, key: str) -> list[str]:
    return sorted(sorted(set(candidates)), key=lambda each: stable_rank(f"{key}/{each}"))[:count]


def _english(words: _Words) -> Iterator[Need]:
    plain = [word for word in words.questions if word.isalpha() and len(word) > 3]
    for word in _drawn(plain, 40, "en"):
        yield "en", "word", "question", word, words.asking(word)
    for word in _drawn(plain, 15, "en lesson"):
        yield "en", "word in lesson", "lesson", word, dict.fromkeys(words.lessons[word], 2)
    for word in _drawn(plain, 10, "en meaning"):
        yield "en", "question", "question", f"what does {word} mean", words.asking(word)
    for form, word in _ENGLISH_FORMS.items():
        yield "en", "inflection", "question", form, words.asking(word)
    for typed, word in _MISSPELT_ENGLISH.items():
        yield "en", "misspelling", "question", typed, words.asking(word)


def _indonesian(words: _Words) -> Iterator[Need]:
    plain = [meaning for meaning in words.by_meaning if meaning.isalpha() and len(meaning) > 3]
    for meaning in _drawn(plain, 40, "id"):
        yield "id", "word", "question", meaning, words.meaning(meaning)
    for meaning in _drawn(plain, 15, "id lesson"):
        lessons = {lesson for word in words.by_meaning[meaning] for lesson in words.lessons[word]}
        yield "id", "word in lesson", "lesson", meaning, dict.fromkeys(lessons, 2)
    for meaning in _drawn(plain, 10, "id mixed"):
        word = min(words.by_meaning[meaning])
        yield "id", "both languages", "question", f"arti {word} {meaning}", words.asking(word)
    for form, (same, related) in _INDONESIAN_ROOTS.items():
        grades: Grades = {}
        for meaning in related:
            grades |= words.meaning(meaning, grade=1)
        for meaning in same:
            grades |= words.meaning(meaning)
        yield "id", "inflection", "question", form, grades
    for typed, meaning in _MISSPELT_INDONESIAN.items():
        yield "id", "misspelling", "question", typed, words.meaning(meaning)


def _topics(content: Content) -> Iterator[Need]:
    for topic, (english, indonesian) in _LESSON_TOPICS.items():
        grades = {str(lesson.id): 2 for lesson in content.lessons if lesson.topic == topic}
        for language, texts in (("en", english), ("id", indonesian)):
            for text in texts:
                yield language, "topic", "lesson", text, grades


def _sentences(content: Content) -> Iterator[Need]:
    """Yield a part of a sentence, in either language, for the questions about that sentence."""
    families: dict[str, list[Question]] = defaultdict(list)
    for question in content.questions:
        if question.key.startswith("sentence/choose-translation"):
            families[question.family].append(question)
    for language, opening in (("en", "What does “"), ("id", "Apa arti “")):
        candidates = {}
        for family, questions in families.items():
            sentence = (questions[0].stem if language == "en" else questions[0].explanation_id).split("“")
            text = sentence[1 if language == "en" else 2].partition("”")[0]
            if len(text.split()) >= 5:
                candidates[family] = text
        for family in _drawn(candidates, 12, f"{language} {opening}"):
            parts = candidates[family].rstrip(".?!").split()
            chance = Random(family)
            kept = sorted(chance.sample(range(len(parts)), 4))
            grades = {str(each.id): 2 for each in content.questions if each.family == family}
            yield language, "part of a sentence", "question", " ".join(parts[at] for at in kept), grades


if __name__ == "__main__":
    main()
