"""The report as one HTML page: nothing in it is loaded from elsewhere, and nothing runs."""

from collections.abc import Iterator
from datetime import UTC
from html import escape
from typing import Final

from worker.srs import study
from worker.srs.report import plots
from worker.srs.report.data import ReportData, Subject
from worker.srs.report.statistics import GROUP_LEAST
from worker.srs.report.texts import TEXTS, Language


def render(data: ReportData, language: Language = "en") -> str:
    """Return the page; it names a learner by id alone."""
    texts = TEXTS[language]
    whom, how_many = _subject(data.subject, texts)
    made_at = f"{data.made_at.astimezone(UTC):%Y-%m-%d %H:%M}"
    period = texts["period"].format(since=data.since, until=data.subject.today, made_at=made_at)
    sections = [
        _section("retention", plots.retention(data, texts), texts),
        _section("stability", plots.stability(data, texts), texts),
        _section("forecast", plots.forecast(data, texts), texts),
        _section("calibration", plots.calibration(data, texts), texts),
        _quality(data, texts),
    ]
    return _PAGE.format(
        language=language,
        title=escape(f"{texts['title']}: {whom}"),
        heading=escape(texts["title"]),
        whom=escape(whom),
        about=escape(" · ".join(part for part in (how_many, period) if part)),
        tiles="\n".join(_tiles(data, texts)),
        sections="\n".join(sections),
    )


def _subject(subject: Subject, texts: dict[str, str]) -> tuple[str, str]:
    """Return whom the page is about, and how many of them were looked at."""
    if subject.cohort is None:
        return texts["of_learner"].format(id=subject.user_ids[0]), ""
    named = texts.get(f"cohort_{subject.cohort}") or texts["cohort_level"].format(level=subject.cohort.upper())
    if len(subject.user_ids) < subject.learners:
        how_many = texts["sampled"].format(looked_at=len(subject.user_ids), learners=subject.learners)
    else:
        how_many = texts["all_looked_at"].format(learners=subject.learners)
    return texts["of_cohort"].format(cohort=named), how_many


def _tiles(data: ReportData, texts: dict[str, str]) -> Iterator[str]:
    retention = study.retention(data.days)
    answers = sum(day.answers for day in data.days)
    hours = sum(day.time_spent_ms for day in data.days) / 3_600_000
    per_day = answers / ((data.subject.today - data.since).days + 1)
    today = data.due_on.get(data.subject.today)
    yield _tile(
        texts["tile_retention"],
        texts["none"] if retention.retention is None else f"{retention.retention:.1%}",
        texts["tile_retention_note"].format(recalled=retention.recalled, reviews=retention.reviews),
    )
    yield _tile(texts["tile_answers"], f"{answers:,}", texts["tile_answers_note"].format(per_day=per_day, hours=hours))
    yield _tile(
        texts["tile_due"],
        f"{today.due if today else 0:,}",
        texts["tile_due_note"].format(overdue=today.overdue if today else 0),
    )
    yield _tile(texts["tile_new"], f"{data.new_cards:,}", texts["tile_new_note"])


def _tile(label: str, value: str, note: str) -> str:
    return (
        f'<div class="tile"><div class="label">{escape(label)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
    )


def _section(name: str, plot: str | None, texts: dict[str, str]) -> str:
    empty = texts[f"{name}_empty"].format(least=GROUP_LEAST)
    body = plot or f'<p class="empty">{escape(empty)}</p>'
    return (
        f'<section id="{name}"><h2>{escape(texts[name])}</h2>{body}<p class="about">{escape(texts[f"{name}_about"])}'
        "</p></section>"
    )


def _quality(data: ReportData, texts: dict[str, str]) -> str:
    if not data.fsrs.quality.reviews:
        return ""
    rows = "".join(
        f"<tr><th scope='row'>{name}</th><td>{found.reviews:,}</td><td>{found.log_loss:.4f}</td>"
        f"<td>{found.rmse_bins:.4f}</td><td>{found.auc:.4f}</td></tr>"
        for name, found in (("FSRS", data.fsrs.quality), ("SM-2", data.sm2.quality))
    )
    return (
        f'<section id="quality"><h2>{escape(texts["quality"])}</h2><div class="wide"><table><thead><tr>'
        f"<th>{escape(texts['scheduler'])}</th>"
        f"<th>{escape(texts['reviews'])}</th><th>log-loss</th><th>RMSE(bins)</th><th>AUC</th></tr></thead>"
        f'<tbody>{rows}</tbody></table></div><p class="about">{escape(texts["quality_about"])}</p></section>'
    )


_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
  body {{ margin: 0 auto; max-width: 56rem; padding: 1.5rem 1rem 3rem; background: #f9fafb; color: #111827;
    font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif }}
  h1 {{ margin: 0; font-size: 1.7rem }}
  .whom {{ margin: .2rem 0 0; font-size: 1.05rem; overflow-wrap: anywhere }}
  .about {{ margin: .5rem 0 0; color: #4b5563; font-size: .9rem }}
  .tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1.2rem 0 }}
  .tile, section {{ background: #fff; border: 1px solid #e5e7eb; border-radius: .6rem; padding: .9rem 1.1rem }}
  .label, .note {{ color: #4b5563; font-size: .88rem }}
  .value {{ font-size: 1.7rem; font-weight: 600; line-height: 1.3 }}
  section {{ margin: 0 0 1rem; break-inside: avoid }}
  h2 {{ margin: 0 0 .5rem; font-size: 1.15rem }}
  svg {{ display: block; width: 100%; height: auto }}
  .empty {{ margin: 0; padding: 2.2rem 1rem; text-align: center; color: #4b5563; border: 1px dashed #d1d5db;
    border-radius: .4rem }}
  .wide {{ overflow-x: auto }}
  table {{ border-collapse: collapse; width: 100% }}
  th, td {{ padding: .35rem .5rem; text-align: right; border-bottom: 1px solid #e5e7eb;
    font-variant-numeric: tabular-nums }}
  th:first-child {{ text-align: left }}
</style>
</head>
<body>
<header><h1>{heading}</h1><p class="whom">{whom}</p><p class="about">{about}</p></header>
<div class="tiles">
{tiles}
</div>
{sections}
</body>
</html>
"""
