"""The jobs and the commands: a report comes in, its days are compared and booked, people work on what differs."""

import csv
import json
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from freezegun import freeze_time
from typer.testing import CliRunner

import tasks
from tests.billing import books as cases
from tests.billing.books import DAY, NOW, PAID_AT, Books, take_in
from tests.billing.reports import MIDTRANS, write_report
from worker.billing.errors import ReportError
from worker.billing.schedule import days_of
from worker.cli import app
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs


@pytest.fixture
def committed(database_url, redis_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def elp(*arguments, code=0):
    found = CliRunner().invoke(app, ["billing", *map(str, arguments)], catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.stdout


def told(*arguments):
    return json.loads(elp(*arguments, "--json"))


def run(job, period=NOW, **parameters):
    load_jobs(tasks.MODULES)
    started = start_run(job, period, trigger="manual", parameters=parameters).run
    work_on_run(started.run_id)
    with psycopg.connect(_url()) as connection:
        return connection.execute("SELECT state, items FROM job_runs WHERE id = %s", (started.run_id,)).fetchone()


def _url():
    from worker.settings import get_settings  # noqa: PLC0415 - as the test's database set it

    return get_settings().required_database_url()


def midtrans_report(path, *names, **changed):
    row = {"Transaction Time": "2026-03-10 12:00:00", "Settlement Time": "2026-03-11 02:00:00"}
    rows = [row | {"Order ID": name, "Transaction ID": f"r-{name}"} | changed for name in names]
    return write_report(path, MIDTRANS, rows)


def test_nightly_jobs_compare_every_day_that_has_anything_and_book_it(committed):
    books = Books(committed)
    cases.agrees(books, "a")
    cases.unknown_here(books, "b")
    take_in(committed, books.lines)
    assert run("billing.reconcile") == ("succeeded", 1)
    assert run("billing.book_ledger") == ("succeeded", 5)
    assert run("billing.reconcile", NOW + timedelta(hours=1)) == ("succeeded", 1)
    assert run("billing.book_ledger", NOW + timedelta(hours=1)) == ("succeeded", 0)


def test_day_older_than_the_window_is_compared_while_a_break_is_open(committed):
    books = Books(committed)
    cases.settled_but_unknown(books, "a")
    take_in(committed, books.lines)
    run("billing.reconcile")
    committed.execute("UPDATE payment_transactions SET state = 'succeeded', concluded_at = %s", (PAID_AT,))
    run("billing.reconcile", NOW + timedelta(days=100))
    assert committed.execute("SELECT state FROM reconciliation_breaks").fetchall() == [("healed",)]


def test_days_are_those_before_the_periods_in_jakarta():
    period = datetime(2026, 3, 10, 17, 30, tzinfo=UTC)  # the 11th there
    assert days_of({}, period, days=3) == (date(2026, 3, 8), date(2026, 3, 10))
    assert days_of({"from": "2026-02-01", "to": "2026-02-01"}, period, days=3) == (date(2026, 2, 1),) * 2


@pytest.mark.parametrize("parameters", [{"from": "yesterday"}, {"to": 7}, {"from": "2026-03-02", "to": "2026-03-01"}])
def test_days_that_make_no_sense_are_refused(parameters):
    with pytest.raises(ReportError):
        days_of(parameters, NOW, days=3)


def test_imported_file_is_compared_and_booked_at_once(committed, tmp_path):
    books = Books(committed)
    books.pay("a")
    books.pay("b", amount=98_000)
    path = midtrans_report(tmp_path / "march.csv", "a", "b", "c")
    assert "3 lines added" in elp("import", path)
    assert {(each["kind"], each["order_id"]) for each in told("breaks", "list")} == {
        ("amount", "b"),
        ("missing_here", "c"),
    }
    assert committed.execute("SELECT sum(amount), count(*) > 0 FROM ledger_entries").fetchone() == (0, True)
    assert "imported before" in elp("import", path)


def test_wrong_lines_are_shown_with_their_remedy_and_the_exit_code_tells(committed, tmp_path):
    path = write_report(tmp_path / "a.csv", MIDTRANS, [{}, {"Gross Amount": "1.000.000"}])
    shown = elp("import", path, code=1)
    assert "line 3, Gross Amount" in shown
    assert "write it as 1250000" in shown


def test_break_is_shown_resolved_with_a_reason_and_opened_again(committed, tmp_path):
    elp("import", midtrans_report(tmp_path / "a.csv", "stranger"))
    (found,) = told("breaks", "list", "--gateway", "midtrans", "--kind", "missing_here")
    assert found["suggested_action"].startswith("Find whose payment it is")
    shown = elp("breaks", "show", found["id"])
    assert "Rp\N{NO-BREAK SPACE}99.000" in shown
    assert "a.csv" in shown
    elp("breaks", "resolve", found["id"], "--reason", "refunded by hand, ticket 4711")
    assert told("breaks", "list") == []
    (closed,) = told("breaks", "list", "--state", "resolved")
    assert closed["resolution"] == "refunded by hand, ticket 4711"
    elp("reconcile", "--from", DAY, "--to", DAY)
    assert told("breaks", "list") == []
    elp("breaks", "reopen", found["id"], "--reason", "the refund bounced")
    assert [each["id"] for each in told("breaks", "list")] == [found["id"]]
    entries = committed.execute(
        "SELECT action, object_id, after ->> 'resolution', after ->> 'reason' FROM audit_log"
        " WHERE object_type = 'reconciliation_break' ORDER BY id"
    ).fetchall()
    assert entries == [
        ("reconciliation.resolved", found["id"], "refunded by hand, ticket 4711", None),
        ("reconciliation.reopened", found["id"], None, "the refund bounced"),
    ]


def test_break_that_is_not_open_is_not_resolved(committed, tmp_path):
    elp("import", midtrans_report(tmp_path / "a.csv", "stranger"))
    ((break_id,),) = committed.execute("SELECT id FROM reconciliation_breaks").fetchall()
    elp("breaks", "resolve", break_id, "--reason", "x")
    with pytest.raises(Exception, match="it is not open"):
        elp("breaks", "resolve", break_id, "--reason", "y")


def test_dry_run_shows_what_would_change_and_changes_nothing(committed):
    books = Books(committed)
    cases.unknown_here(books, "a")
    take_in(committed, books.lines)
    would = json.loads(elp("reconcile", "--from", DAY, "--to", DAY, "--dry-run"))
    assert would["samples"][0]["opened"] == 1
    assert committed.execute("SELECT FROM reconciliation_breaks").fetchall() == []


def test_reconciling_counts_what_is_open(committed):
    books = Books(committed)
    cases.unknown_here(books, "a")
    take_in(committed, books.lines)
    assert told("reconcile", "--from", DAY, "--to", DAY) == [{"gateway": "midtrans", "kind": "missing_here", "open": 1}]


def test_ledger_is_shown_and_exported(committed, tmp_path):
    books = Books(committed)
    cases.agrees(books, "a")
    take_in(committed, books.lines)
    run("billing.book_ledger")
    days = ("--from", DAY, "--to", DAY + timedelta(days=3))
    assert "Rp\N{NO-BREAK SPACE}99.000" in elp("ledger", *days)
    assert sum(float(line["debit"]) - float(line["credit"]) for line in told("ledger", *days)) == 0
    elp("ledger", *days, "--csv", tmp_path / "ledger.csv")
    elp("ledger", *days, "--csv", tmp_path / "movements.csv", "--movements")
    for name in ("ledger.csv", "movements.csv"):
        with (tmp_path / name).open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        assert len(rows) == 4
        assert sum(float(row["debit"]) - float(row["credit"]) for row in rows) == 0


@pytest.mark.parametrize(("language", "word"), [("id", "Selisih terbuka"), ("en", "Open breaks")])
def test_page_of_a_day_has_totals_breaks_and_the_ledger(settings, committed, tmp_path, language, word):
    settings(gateway_fee_limits='{"midtrans": {"percent": "3", "fixed": "3000"}}')
    books = Books(committed)
    for number, case in enumerate(cases.CASES):
        case(books, f"n{number}-<b>")
    take_in(committed, books.lines)
    with freeze_time(NOW):
        run("billing.reconcile")
        run("billing.book_ledger")
        elp("report", "--day", DAY, "--language", language, "--out", tmp_path / "day.html")
    page = (tmp_path / "day.html").read_text()
    assert word in page
    assert "Rp\N{NO-BREAK SPACE}99.000" in page
    assert "USD\N{NO-BREAK SPACE}99,00" in page
    assert "-<b>" not in page
    assert page.count("<details>") == sum(state == "open" for _, state, _ in books.expected)
    assert "<script" not in page
    assert "http" not in page


def test_page_of_a_day_without_anything_says_so(committed, tmp_path):
    elp("report", "--day", DAY, "--language", "en", "--out", tmp_path / "day.html")
    page = (tmp_path / "day.html").read_text()
    assert "No break is open." in page
    assert "No report was imported yet" in page
