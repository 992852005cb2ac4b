import io
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing import books as cases
from tests.billing.books import CASES, DAY, GATEWAY, NOW, POLICY, Books, settled, take_in
from tests.factories_operations import make_ledger_entry
from worker.billing.days import compare
from worker.billing.ledger import book, ledger, write_ledger, write_movements

FIRST, LAST = DAY - timedelta(days=5), DAY + timedelta(days=20)


def booked(connection):
    return book(connection, GATEWAY, FIRST, LAST, NOW)


def balances(connection, currency="IDR"):
    """Return each account's balance at the end."""
    return {line.account: line.balance for line in ledger(connection, FIRST, LAST) if line.currency == currency}


def brought_in(database, *chosen):
    books = Books(database)
    for number, case in enumerate(chosen):
        case(books, f"n{number}")
    take_in(database, books.lines)
    for days in range(-1, 3):
        compare(database, GATEWAY, DAY + timedelta(days=days), POLICY, NOW)
    return books


def test_charge_fee_and_payout_are_booked_on_both_sides(database):
    books = Books(database)
    cases.agrees(books, "a")
    take_in(database, [*books.lines, settled(kind="payout", amount=Decimal(96_500), fee=Decimal(0))])
    booked(database)
    assert balances(database) == {"charges": -99_000, "fees": 2_500, "receivable": 0, "cash": 96_500}
    assert {(line.day, line.account, line.debit, line.credit) for line in ledger(database, FIRST, LAST)} == {
        (DAY, "charges", 0, 99_000),
        (DAY, "receivable", 99_000, 0),
        (DAY + timedelta(days=1), "fees", 2_500, 0),
        (DAY + timedelta(days=1), "receivable", 0, 99_000),
        (DAY + timedelta(days=1), "cash", 96_500, 0),
    }


def test_refunds_and_chargebacks_take_back(database):
    books = Books(database)
    charge = books.pay("a")
    books.take_back("b", charge, amount=Decimal(40_000))
    books.take_back("c", charge, kind="chargeback", amount=Decimal(59_000))
    booked(database)
    assert balances(database) == {"charges": -99_000, "refunds": 40_000, "chargebacks": 59_000}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (cases.unknown_here, {"receivable": 96_500, "suspense": -99_000, "fees": 2_500}),
        (cases.settled_but_unknown, {"receivable": 96_500, "suspense": -99_000, "fees": 2_500}),
        (cases.another_amount, {"charges": -99_000, "receivable": 87_500, "suspense": 9_000, "fees": 2_500}),
        (
            cases.two_payments_of_one_order,
            {"charges": -99_000, "receivable": 193_000, "suspense": -99_000, "fees": 5_000},
        ),
        (cases.refund_unknown_here, {"charges": -99_000, "receivable": -5_000, "suspense": 99_000, "fees": 5_000}),
        (cases.another_currency, {"charges": -99_000, "receivable": 0, "suspense": 99_000}),
        (cases.never_settled, {"charges": -99_000, "receivable": 99_000}),
        (cases.declined_on_both_sides, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_receivable_is_what_the_gateway_holds_and_suspense_what_nobody_explains(database, case, expected):
    brought_in(database, case)
    booked(database)
    assert balances(database) == expected


def test_charge_in_another_currency_is_booked_in_it(database):
    brought_in(database, cases.another_currency)
    booked(database)
    assert balances(database, "USD") == {
        "receivable": Decimal("96.50"),
        "suspense": Decimal("-99.00"),
        "fees": Decimal("2.50"),
    }


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.sampled_from(CASES), max_size=15), later=st.lists(st.sampled_from(CASES), max_size=5))
def test_ledger_balances_to_zero_each_day_whatever_happened_and_again_books_nothing(database, chosen, later):
    with database.transaction(force_rollback=True):
        brought_in(database, *chosen)
        booked(database)
        books = Books(database)
        for number, case in enumerate(later):
            case(books, f"later{number}")
        take_in(database, books.lines)
        compare(database, GATEWAY, DAY, POLICY, NOW)
        booked(database)
        assert booked(database) == 0
        database.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for line in ledger(database, FIRST, LAST):
            assert line.debit >= 0 <= line.credit
        assert (
            database.execute("SELECT FROM ledger_entries GROUP BY day, currency HAVING sum(amount) <> 0").fetchall()
            == []
        )
        # What is booked is what the movements come to, whatever corrections it took.
        wrong = database.execute(
            "SELECT day, account, currency, sum(amount) FROM ("
            " SELECT day, account, currency, amount FROM ledger_postings(%s, %s, %s)"
            " UNION ALL SELECT day, account, currency, -amount FROM ledger_entries) AS both_sides"
            " GROUP BY 1, 2, 3 HAVING sum(amount) <> 0",
            (GATEWAY, FIRST, LAST),
        ).fetchall()
        assert wrong == []


def test_day_that_changed_gets_a_correction_and_keeps_what_was_booked(database):
    books = Books(database)
    cases.never_settled(books, "a")
    booked(database)
    first = database.execute("SELECT id, amount FROM ledger_entries ORDER BY id").fetchall()
    books.pay("forgotten")
    assert book(database, GATEWAY, FIRST, LAST, NOW + timedelta(days=1)) == 2
    everything = database.execute("SELECT id, amount FROM ledger_entries ORDER BY id").fetchall()
    assert everything[:2] == first
    assert balances(database) == {"charges": -198_000, "receivable": 198_000}


def test_journal_that_does_not_balance_is_refused_at_commit(database):
    make_ledger_entry(database)
    with pytest.raises(psycopg.errors.CheckViolation, match="off by"):
        database.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("statement", ["UPDATE ledger_entries SET amount = 1", "DELETE FROM ledger_entries"])
def test_what_is_booked_is_never_changed(database, statement):
    make_ledger_entry(database)
    with pytest.raises(psycopg.errors.CheckViolation, match="never changed"), database.transaction():
        database.execute(statement)


def test_ledger_and_its_movements_are_written_as_csv(database):
    brought_in(database, cases.agrees)
    booked(database)
    out = io.StringIO()
    write_ledger(ledger(database, DAY, DAY), out)
    assert out.getvalue().splitlines() == [
        "day,gateway,account,currency,debit,credit,balance",
        "2026-03-10,midtrans,charges,IDR,0,99000.00,-99000.00",
        "2026-03-10,midtrans,receivable,IDR,99000.00,0,99000.00",
    ]
    out = io.StringIO()
    assert write_movements(database, [GATEWAY], FIRST, LAST, out) == 4
    header, *rows = out.getvalue().splitlines()
    assert header == "day,gateway,account,currency,debit,credit,source,source_id"
    assert rows[0].startswith("2026-03-10,midtrans,charges,IDR,0,99000.00,payment_transactions,")
