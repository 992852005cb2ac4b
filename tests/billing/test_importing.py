from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.billing.books import DAY, NOW, PAID_AT, settled, take_in
from tests.billing.reports import MIDTRANS, NEUTRAL, write_report
from worker.billing.errors import ReportError
from worker.billing.imports import import_file


def imported(connection, path, **options):
    return import_file(connection, path, actor="cli:finance", now=NOW, **options)


def stored(connection):
    return connection.execute(
        "SELECT gateway_reference, kind, status, standing, occurred_on FROM settlement_lines ORDER BY id"
    ).fetchall()


def rows(count, first=0):
    return [{"Order ID": f"o{number}", "Transaction ID": f"m{number}"} for number in range(first, first + count)]


def test_file_is_imported_once_by_its_digest(database, tmp_path):
    path = write_report(tmp_path / "march.csv", MIDTRANS, rows(3))
    first = imported(database, path)
    assert (first.is_new, first.lines, first.added, first.rejected) == (True, 3, 3, 0)
    again = imported(database, path)
    assert (again.is_new, again.import_id, again.added) == (False, first.import_id, 0)
    assert len(stored(database)) == 3


def test_line_of_an_earlier_report_is_not_added_again(database, tmp_path):
    imported(database, write_report(tmp_path / "day.csv", MIDTRANS, rows(3)))
    week = imported(database, write_report(tmp_path / "week.csv", MIDTRANS, rows(5)))
    assert (week.lines, week.added) == (5, 2)


def test_wrong_lines_are_left_out_reported_and_come_with_the_corrected_file(database, tmp_path):
    wrong = [*rows(2), {"Gross Amount": "1.000"}]
    first = imported(database, write_report(tmp_path / "a.csv", MIDTRANS, wrong))
    assert (first.added, first.rejected) == (2, 1)
    assert (first.problems[0].number, first.problems[0].field) == (4, "Gross Amount")
    assert database.execute("SELECT problems->0->>'field' FROM settlement_imports").fetchone() == ("Gross Amount",)
    right = [*rows(2), {"Gross Amount": "1000"}]
    assert imported(database, write_report(tmp_path / "b.csv", MIDTRANS, right)).added == 1


def test_batches_add_up(database, tmp_path, monkeypatch):
    monkeypatch.setattr("worker.billing.imports._BATCH", 2)
    found = imported(database, write_report(tmp_path / "a.csv", MIDTRANS, rows(5)))
    assert (found.lines, found.added, len(stored(database))) == (5, 5, 5)


def test_day_of_a_payment_is_jakartas(database, tmp_path):
    path = write_report(tmp_path / "a.csv", NEUTRAL, [{"occurred_at": "2026-03-01T17:00:00Z"}])
    imported(database, path)
    assert stored(database)[0][4] == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"order id,transaction id,transaction status,amount,transaction time\n", "no lines besides its header"),
        (b"\xff\xfe\x00", "no UTF-8"),
        (b"order id,transaction id,transaction status,amount,transaction time\na,b,settlement,x,y\n", "line 2, amount"),
    ],
)
def test_file_that_cannot_be_read_is_refused_and_leaves_nothing(database, tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=message):
        imported(database, path)
    assert database.execute("SELECT FROM settlement_imports").fetchall() == []


def test_file_that_is_not_there_is_named(database, tmp_path):
    with pytest.raises(ReportError, match="No such file"):
        imported(database, tmp_path / "none.csv")


def test_lines_of_an_adapter_are_imported_once(database):
    lines = [settled(gateway_reference=f"r{number}") for number in range(3)]
    assert take_in(database, lines).added == 3
    assert take_in(database, lines) is None
    assert take_in(database, []) is None
    assert database.execute("SELECT count(*) FROM settlement_imports").fetchone() == (1,)
    assert take_in(database, [*lines, settled(gateway_reference="r3")]).added == 1


def test_pending_line_is_superseded_by_the_settled_one_whichever_comes_first(database):
    pending = settled(gateway_reference="a", status="pending", settled_on=DAY)
    take_in(database, [settled(gateway_reference="a")])
    take_in(database, [pending])
    take_in(database, [settled(gateway_reference="b", status="pending", settled_on=DAY)])
    take_in(database, [settled(gateway_reference="b")])
    found = {(reference, status, standing) for reference, _, status, standing, _ in stored(database)}
    assert found == {
        (reference, status, standing)
        for reference in "ab"
        for status, standing in (("settled", "current"), ("pending", "superseded"))
    }


def test_second_settlement_of_a_reference_is_a_repeat(database):
    later = settled(gateway_reference="a", settled_on=DAY + timedelta(days=5))
    take_in(database, [later])
    take_in(database, [settled(gateway_reference="a"), settled(gateway_reference="a", kind="refund")])
    assert {(kind, standing) for _, kind, _, standing, _ in stored(database)} == {
        ("charge", "repeat"),
        ("charge", "current"),
        ("refund", "current"),
    }
    assert database.execute("SELECT settled_on FROM settlement_lines WHERE standing = 'repeat'").fetchone() == (
        DAY + timedelta(days=5),
    )


def test_equal_payouts_of_one_report_are_two(database):
    payouts = [settled(kind="payout", fee=Decimal(0)) for _ in range(2)]
    assert take_in(database, payouts).added == 2
    assert take_in(database, payouts) is None


def test_two_imports_of_one_file_at_once_count_once(database_url, tmp_path):
    path = write_report(tmp_path / "a.csv", MIDTRANS, rows(3))
    with psycopg.connect(database_url) as one, psycopg.connect(database_url, autocommit=True) as other:
        imported(one, path)
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            imported(other, path)
        one.commit()
        assert not imported(other, path).is_new


def test_moment_of_payment_is_kept(database):
    take_in(database, [settled(gateway_reference="a")])
    assert database.execute("SELECT occurred_at FROM settlement_lines").fetchone() == (PAID_AT,)
