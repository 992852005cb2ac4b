"""The result page, in both languages: as HTML, and in headless Chromium where it is installed."""

import shutil
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from uuid import UUID

import pytest

from worker.tryouts.result_page import render
from worker.tryouts.result_texts import MONTHS, TEXTS
from worker.tryouts.sitting import Sitting

AT = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def tally(points, most, right, wrong):
    parts = {"questions": right + wrong + 1, "points": points, "max": most}
    return parts | {"right": right, "partial": 0, "wrong": wrong, "blank": 1}


RESULT = {
    "total": tally("1234.5000", "1500.0000", 25, 4),
    "skills": {"reading": tally("-2.5000", "20.0000", 1, 4), "grammar": tally("16.0000", "20.0000", 4, 0)},
    "sections": {"<b>Part & 1</b>": tally("13.5000", "40.0000", 5, 4)},
    "scaled": {"score": 562, "low": 503, "high": 621},
    "level": {"estimate": "B1", "low": "A2", "high": "B1"},
}


def sitting(**values) -> Sitting:
    usual = {"id": UUID(int=1), "user_id": UUID(int=2), "question_set_id": UUID(int=3), "state": "scored"}
    usual |= {"title": "Tryout <script>alert(1)</script>", "title_id": None, "ui_language": "id", "is_late": False}
    usual |= {"started_at": AT, "deadline_at": AT, "submitted_at": AT, "scored_at": AT, "is_passed": True}
    usual |= {"raw_score": Decimal("1234.5000"), "max_score": Decimal(1500), "ability": 0.6, "ability_error": 0.3}
    usual |= {"estimated_level": "B1", "percentile": Decimal("78.25"), "cohort": 12_840, "result": RESULT}
    return Sitting(**usual | values)


class Page(HTMLParser):
    """The text of a page, and its well-formedness."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.tags = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("id", ["1.234,5 dari 1.500", "✓ Lulus", "78,25% dari 12.840 peserta", "Membaca", "−2,5 / 20"]),
        ("en", ["1,234.5 of 1,500", "✓ Passed", "78.25% of 12,840 test takers", "Reading", "−2.5 / 20"]),
    ],
)  # fmt: skip
def test_page_says_everything_in_its_language(language, expected):
    page = Page(render(sitting(), language))
    assert ("html", {"lang": language}) in page.tags
    for text in expected:
        assert text in page.text


def test_titles_and_sections_are_text_and_never_markup():
    page = Page(render(sitting(), "en"))
    assert not any(tag in ("script", "b") and "Part" in str(attrs) for tag, attrs in page.tags)
    assert "Tryout <script>alert(1)</script>" in page.text
    assert "<b>Part & 1</b>" in page.text
    assert not any(tag == "script" for tag, _ in page.tags)


def test_page_loads_nothing():
    html = render(sitting(), "id")
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"state": "submitted", "result": {}}, "Your answers are being scored"),
        ({"state": "in_progress", "result": {}}, "This tryout isn't finished"),
        ({"is_late": True}, "Submitted after time was up"),
        ({"submitted_at": None}, "Time ran out before it was submitted"),
        ({"is_passed": False}, "Not passed yet"),
        ({"max_score": None, "raw_score": Decimal(0), "result": {}}, "no question that could be scored"),
        ({"cohort": 1}, "You are the first to be scored"),
        ({"result": RESULT | {"questions_left_out": 2}}, "2 question(s) count for nobody"),
    ],
)
def test_page_explains_what_is_special(values, text):
    assert text in Page(render(sitting(**values), "en")).text


def test_page_of_a_sitting_being_scored_looks_again_by_itself():
    refreshing = [tag for tag in Page(render(sitting(state="expired", result={}), "id")).tags if "refresh" in str(tag)]
    assert len(refreshing) == 1
    assert "refresh" not in render(sitting(), "id")


def test_both_languages_have_the_same_words():
    assert TEXTS["id"].keys() == TEXTS["en"].keys()
    assert TEXTS["id"]["skills"].keys() == TEXTS["en"]["skills"].keys()
    assert len(MONTHS["id"]) == len(MONTHS["en"]) == 12


def chromium(tmp_path, html, *arguments):
    page = tmp_path / "page.html"
    page.write_text(html, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", *arguments, page.as_uri()]
    return subprocess.run([CHROMIUM, *flags], capture_output=True, timeout=120, check=True).stdout.decode()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [360, 900])
def test_page_fits_its_window_in_a_browser(tmp_path, width):
    # Measured by the browser itself: a script of the test's own writes what is wider than the window into the title.
    probe = (
        "<script>addEventListener('load', () => { const wide = [...document.querySelectorAll('main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).clipPath === 'none'"
        " && !e.closest('thead')); document.title = 'wide: ' + wide.length + ', bars: '"
        " + document.querySelectorAll('.bar i').length; })</script></body>"
    )
    html = render(sitting(), "id").replace("</body>", probe)
    shown = chromium(tmp_path, html, f"--window-size={width},1200", "--dump-dom")
    assert "<title>wide: 0, bars: 4</title>" in shown
