"""A sensible question of each type: the content that factories use where a test says nothing."""

from typing import Any

QUESTIONS: dict[str, dict[str, Any]] = {
    "multiple_choice": {
        "stem": "What does “book” mean?",
        "stem_id": "Apa arti “book”?",
        "options": [
            {"id": "a", "text": "meja"},
            {"id": "b", "text": "buku"},
            {"id": "c", "text": "kursi"},
            {"id": "d", "text": "pintu"},
        ],
        "answer_key": {"correct": "b"},
    },
    "multiple_select": {
        "stem": "Which of these are verbs?",
        "stem_id": "Mana yang merupakan kata kerja?",
        "options": [
            {"id": "a", "text": "run"},
            {"id": "b", "text": "table"},
            {"id": "c", "text": "eat"},
            {"id": "d", "text": "green"},
        ],
        "answer_key": {"correct": ["a", "c"]},
    },
    "true_false": {
        "stem": "“She go to school” is correct English.",
        "stem_id": "“She go to school” adalah bahasa Inggris yang benar.",
        "options": [],
        "answer_key": {"correct": False},
    },
    "fill_blank": {
        "stem": "Yesterday I ___ ___ school.",
        "stem_id": "Lengkapi kalimatnya.",
        "options": [],
        "answer_key": {"blanks": [["went", "walked"], ["to"]]},
    },
    "short_answer": {
        "stem": "Translate into English: terima kasih",
        "stem_id": "Terjemahkan ke bahasa Inggris: terima kasih",
        "options": [],
        "answer_key": {"accepted": ["thank you", "thanks"], "typos": 1},
    },
    "matching": {
        "stem": "Match each word with its meaning.",
        "stem_id": "Pasangkan setiap kata dengan artinya.",
        "options": {
            "left": [{"id": "l1", "text": "sun"}, {"id": "l2", "text": "moon"}, {"id": "l3", "text": "star"}],
            "right": [{"id": "r1", "text": "bintang"}, {"id": "r2", "text": "matahari"}, {"id": "r3", "text": "bulan"}],
        },
        "answer_key": {"pairs": {"l1": "r2", "l2": "r3", "l3": "r1"}},
    },
    "ordering": {
        "stem": "Put the words in order.",
        "stem_id": "Urutkan kata-katanya.",
        "options": [
            {"id": "a", "text": "books"},
            {"id": "b", "text": "reads"},
            {"id": "c", "text": "She"},
        ],
        "answer_key": {"order": ["c", "b", "a"]},
    },
}

ANSWERS: dict[str, dict[str, Any]] = {
    "multiple_choice": {"choice": "b"},
    "multiple_select": {"choices": ["a", "c"]},
    "true_false": {"value": False},
    "fill_blank": {"blanks": ["went", "to"]},
    "short_answer": {"text": "thank you"},
    "matching": {"pairs": {"l1": "r2", "l2": "r3", "l3": "r1"}},
    "ordering": {"order": ["c", "b", "a"]},
}
"""A fully right answer to each of `QUESTIONS`."""

BCRYPT_HASH = "$2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
"""Has the shape of a bcrypt hash and belongs to no password."""
