from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing import books as cases
from tests.billing.books import CASES, DAY, GATEWAY, NOW, PAID_AT, POLICY, Books, found_breaks, settled, take_in
from worker.billing.days import Compared, Total, compare, totals

LATEST = DAY + timedelta(days=14)


def reported(books: Books) -> None:
    """Take the lines in, with one that shows the gateway's reports to reach two weeks further."""
    further = settled(gateway_reference="further", occurred_at=PAID_AT + timedelta(days=13), settled_on=LATEST)
    take_in(books.connection, [*books.lines, further])


def compared(connection, day=DAY, now=NOW) -> Compared:
    return compare(connection, GATEWAY, day, POLICY, now)


def everything(connection) -> list[list[tuple[object, ...]]]:
    tables = ("reconciliation_runs", "reconciliation_breaks", "settlement_lines", "payment_transactions")
    # xmin and ctid change with any write, even one of equal values.
    return [connection.execute(f"SELECT xmin, ctid, * FROM {table} ORDER BY id").fetchall() for table in tables]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_each_way_to_disagree_is_found_and_what_agrees_is_not(database, case):
    books = Books(database)
    case(books, "a")
    reported(books)
    compared(database)
    assert found_breaks(database) == books.expected


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.sampled_from(CASES), max_size=25), order=st.randoms(use_true_random=False))
def test_any_mixture_of_faults_ends_in_the_right_breaks_and_again_changes_nothing(database, chosen, order):
    with database.transaction(force_rollback=True):
        books = Books(database)
        for number, case in enumerate(chosen):
            case(books, f"n{number}")
        order.shuffle(books.lines)
        reported(books)
        compared(database)
        assert found_breaks(database) == books.expected
        before = everything(database)
        again = compared(database, now=NOW + timedelta(days=1))
        assert (again.opened, again.reopened, again.healed) == (0, 0, 0)
        assert everything(database) == before


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chosen=st.lists(st.sampled_from(CASES), max_size=15),
    cut=st.integers(0, 30),
    order=st.randoms(use_true_random=False),
)
def test_lines_in_several_reports_end_in_the_same_breaks(database, chosen, cut, order):
    with database.transaction(force_rollback=True):
        books = Books(database)
        for number, case in enumerate(chosen):
            case(books, f"n{number}")
        order.shuffle(books.lines)
        take_in(database, books.lines[:cut])
        compared(database)
        reported(books)  # with the first lines once more
        compared(database)
        open_ones = {each for each in found_breaks(database) if each[1] == "open"}
        assert open_ones == {each for each in books.expected if each[1] == "open"}


def test_counts_are_kept_and_sums_of_both_books_told(database):
    books = Books(database)
    cases.agrees(books, "a")
    cases.another_amount(books, "b")
    cases.unknown_here(books, "c")
    reported(books)
    assert compared(database).matched == 2
    assert database.execute(
        "SELECT lines, matched, breaks FROM reconciliation_runs WHERE paid_on = %s", (DAY,)
    ).fetchall() == [(3, 2, 2)]
    (total,) = totals(database, GATEWAY, DAY)
    assert total == Total(GATEWAY, "charge", "IDR", 2, Decimal(198_000), 3, Decimal(288_000), Decimal(7_500))
    assert total.difference == 90_000


def test_late_payment_becomes_missing_and_heals_when_it_settles_after_all(database):
    books = Books(database)
    books.pay("a")
    take_in(database, [settled(gateway_reference="x", settled_on=DAY + timedelta(days=3), occurred_at=PAID_AT)])
    compared(database)
    assert {each for each in found_breaks(database) if each[2] == "a"} == set()
    for days, kind in ((4, "late_settlement"), (7, "late_settlement"), (8, "missing_at_gateway")):
        later = PAID_AT + timedelta(days=days - 1)
        take_in(
            database, [settled(gateway_reference=f"x{days}", settled_on=DAY + timedelta(days=days), occurred_at=later)]
        )
        compared(database)
        assert {each for each in found_breaks(database) if each[1:] == ("open", "a")} == {(kind, "open", "a")}
    books.settle("a", settled_on=DAY + timedelta(days=9))
    take_in(database, books.lines)
    assert compared(database).healed == 1
    rows = database.execute(
        "SELECT kind, state, resolution, resolved_by FROM reconciliation_breaks WHERE order_id = 'a' ORDER BY kind, id"
    ).fetchall()
    assert {row[1] for row in rows} == {"healed"}
    assert ("missing_at_gateway", "healed", "agrees now", "job:billing.reconcile") in rows


def test_nothing_is_missing_from_a_report_that_is_not_there_yet(database):
    books = Books(database)
    books.pay("a")
    compared(database)
    assert found_breaks(database) == set()


def test_payment_concluded_since_closes_its_break(database):
    books = Books(database)
    cases.settled_but_unknown(books, "a")
    reported(books)
    compared(database)
    database.execute(
        "UPDATE payment_transactions SET state = 'succeeded', concluded_at = %s WHERE idempotency_key = 'a'", (PAID_AT,)
    )
    assert compared(database).healed == 1
    assert found_breaks(database) == {("status", "healed", "a")}


def test_healed_break_that_comes_back_is_open_again_and_ages_anew(database):
    books = Books(database)
    cases.settled_but_unknown(books, "a")
    reported(books)
    compared(database)
    database.execute("UPDATE reconciliation_breaks SET state = 'healed', closed_at = %s", (NOW,))
    later = NOW + timedelta(days=2)
    assert compared(database, now=later).reopened == 1
    assert database.execute("SELECT state, opened_at, closed_at FROM reconciliation_breaks").fetchall() == [
        ("open", later, None)
    ]


def test_what_a_person_resolved_stays_resolved_until_it_differs_otherwise(database):
    books = Books(database)
    cases.another_amount(books, "a")
    reported(books)
    compared(database)
    database.execute(
        "UPDATE reconciliation_breaks SET state = 'resolved', closed_at = %s, resolution = 'written off'", (NOW,)
    )
    compared(database)
    assert found_breaks(database) == {("amount", "resolved", "a")}
    database.execute("UPDATE settlement_lines SET amount = 1000 WHERE order_id = 'a'")
    compared(database)
    assert database.execute("SELECT state, gateway_amount FROM reconciliation_breaks ORDER BY id").fetchall() == [
        ("resolved", 90_000),
        ("open", 1_000),
    ]


def test_reference_is_taken_over_where_all_else_agrees_alone(database):
    books = Books(database)
    cases.agrees_by_order_alone(books, "a")
    cases.another_amount_by_order(books, "b")
    cases.agrees_under_another_reference(books, "c")
    reported(books)
    assert compared(database).adopted == 1
    assert database.execute(
        "SELECT idempotency_key, gateway_reference FROM payment_transactions ORDER BY idempotency_key"
    ).fetchall() == [("a", "r-a"), ("b", None), ("c", "r-c")]
    assert compared(database).adopted == 0


def test_unsettled_payments_of_the_same_amount_and_time_are_proposed_and_never_taken(database):
    books = Books(database)
    books.settle("stranger")
    near = books.pay("near", concluded_at=PAID_AT + timedelta(hours=2))
    nearer = books.pay("nearer", concluded_at=PAID_AT - timedelta(hours=1))
    books.pay("other-amount", amount=Decimal(98_000))
    books.pay("too-old", concluded_at=PAID_AT - timedelta(days=3, seconds=1))
    asked = books.pay("asked", state="unknown", requested_at=PAID_AT + timedelta(days=2))
    cases.agrees(books, "settled")
    reported(books)
    for days in (-4, -3, 0):
        compared(database, DAY + timedelta(days=days))
    ((details, ours),) = database.execute(
        "SELECT details, payment_transaction_id FROM reconciliation_breaks WHERE kind = 'missing_here'"
    ).fetchall()
    assert details["proposed_transactions"] == [str(nearer), str(near), str(asked)]
    assert ours is None


def test_unknown_refund_names_the_charge_it_takes_back(database):
    books = Books(database)
    charge = books.pay("a")
    books.settle("a")
    books.settle("a", kind="refund", gateway_reference="refund-1")
    reported(books)
    compared(database)
    assert database.execute("SELECT kind, payment_transaction_id FROM reconciliation_breaks").fetchall() == [
        ("unknown_refund", charge)
    ]


def test_other_gateways_and_days_are_left_alone(database):
    books = Books(database)
    books.pay("a", gateway="xendit")
    books.pay("b", concluded_at=PAID_AT + timedelta(days=1))
    books.settle("c", occurred_at=PAID_AT - timedelta(days=1))
    reported(books)
    compared(database)
    assert found_breaks(database, None) == set()
