"""Topics of the vocabulary lessons: the many labels of CEFR-J gathered into a few, named in both languages."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """What the words of a unit have in common."""

    slug: str
    name: str
    name_id: str


_TOPICS: Final = {
    Topic("people-and-family", "People and family", "Orang dan keluarga"): (
        "Family life",
        "Relations with other people",
        "Personal information",
        "Personal identification",
    ),
    Topic("home-and-things", "Home and everyday things", "Rumah dan benda sehari-hari"): (
        "Objects and rooms",
        "House and home, environment",
    ),
    Topic("daily-life", "Daily life", "Kehidupan sehari-hari"): ("Daily life",),
    Topic("food-and-drink", "Food and drink", "Makanan dan minuman"): ("Food and drink",),
    Topic("clothes-and-colours", "Clothes and colours", "Pakaian dan warna"): ("Clothes", "Colours"),
    Topic("health-and-body", "Health and body", "Kesehatan dan tubuh"): ("Health and body care",),
    Topic("town-and-shopping", "Town and shopping", "Kota dan belanja"): (
        "Things in the town, shops and shopping",
        "Shopping",
        "Services",
    ),
    Topic("travel", "Travel", "Bepergian"): (
        "Travel and services vocab",
        "Travel",
        "Ways of travelling",
        "Ways of traveling",
        "Places",
    ),
    Topic("weather", "Weather", "Cuaca"): ("Weather",),
    Topic("countries-and-people", "Countries and nationalities", "Negara dan kebangsaan"): (
        "Nationalities and countries",
    ),
    Topic("education", "Education", "Pendidikan"): ("Education", "Language"),
    Topic("work", "Work and jobs", "Pekerjaan dan profesi"): ("Work and Jobs", "Work and jobs"),
    Topic("free-time", "Free time", "Waktu luang"): (
        "Hobbies and pastimes",
        "Hobbies and lifestyles",
        "Leisure activities",
        "Free time, entertainment",
        "Holidays",
    ),
    Topic("media-and-arts", "Media and arts", "Media dan seni"): (
        "Media",
        "Books and literature",
        "Arts",
        "Art",
        "Film",
    ),
    Topic("news-and-society", "News and society", "Berita dan masyarakat"): (
        "News, lifestyles and current affairs",
        "Technical and legal language",
        "Scientific development",
    ),
}
_BY_LABEL: Final = {label: topic for topic, labels in _TOPICS.items() for label in labels}

NOUNS: Final = Topic("nouns", "More nouns", "Kata benda lainnya")
_BY_POS: Final = {
    "noun": NOUNS,
    "verb": Topic("verbs", "Verbs", "Kata kerja"),
    "adjective": Topic("adjectives", "Adjectives", "Kata sifat"),
    "adverb": Topic("adverbs", "Adverbs", "Kata keterangan"),
    "number": Topic("numbers", "Numbers", "Bilangan"),
}
FUNCTION_WORDS: Final = Topic("function-words", "Function words", "Kata tugas")
MIXED: Final = Topic("mixed-words", "Mixed words", "Kata campuran")


def topic_of_labels(labels: tuple[str, ...]) -> Topic | None:
    """Return the topic of the first label that has one."""
    return next((_BY_LABEL[label] for label in labels if label in _BY_LABEL), None)


def topic_of_pos(pos: str) -> Topic:
    """Return the unit for words of a part of speech that have no topic."""
    return _BY_POS.get(pos, FUNCTION_WORDS)
