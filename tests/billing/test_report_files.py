from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.reports import MIDTRANS, NEUTRAL, XENDIT, lines_of
from worker.billing.errors import ReportError
from worker.billing.report_files import LineProblem, NumberedLine, read_report
from worker.billing.settlement import SettlementLine

PAID_AT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)


def one(base, **changed):
    (entry,) = read_report(lines_of(base, changed))
    return entry


def problem(base, **changed):
    entry = one(base, **changed)
    assert isinstance(entry, LineProblem), entry
    return entry


def line(base, changed=None):
    (entry,) = read_report(lines_of(base, changed or {}))
    assert isinstance(entry, NumberedLine), entry
    return entry.line


def test_midtrans_charge_is_read():
    assert line(MIDTRANS) == SettlementLine(
        gateway="midtrans",
        gateway_reference="m-1",
        order_id="order-1",
        kind="charge",
        amount=Decimal(99_000),
        fee=Decimal(4_297),
        currency="IDR",
        occurred_at=PAID_AT,
        settled_on=date(2026, 3, 2),
    )


def test_xendit_charge_is_read():
    assert line(XENDIT) == SettlementLine(
        gateway="xendit",
        gateway_reference="pr-1",
        order_id="order-1",
        kind="charge",
        amount=Decimal(99_000),
        fee=Decimal(3_187),
        currency="IDR",
        occurred_at=PAID_AT,
        settled_on=date(2026, 3, 2),
    )


def test_neutral_file_is_read():
    assert line(NEUTRAL) == SettlementLine(
        gateway="stripe",
        gateway_reference="ch_1",
        order_id="order-1",
        kind="charge",
        amount=Decimal(99_000),
        fee=Decimal(3_300),
        currency="IDR",
        occurred_at=PAID_AT,
        settled_on=date(2026, 3, 3),
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("settlement", "settled"),
        ("capture", "pending"),
        ("pending", "pending"),
        ("expire", "failed"),
        ("deny", "failed"),
    ],
)
def test_midtrans_statuses_are_understood(status, expected):
    assert line(MIDTRANS, {"Transaction Status": status}).status == expected


def test_midtrans_refund_has_its_own_key_and_never_the_charges():
    refund = {"Transaction Type": "Refund", "Transaction Status": "partial_refund", "Refund Amount": "49000"}
    found = line(MIDTRANS, refund | {"Refund Key": "r-1"})
    assert (found.kind, found.gateway_reference, found.order_id, found.amount) == ("refund", "r-1", "order-1", 49_000)
    assert line(MIDTRANS, refund).gateway_reference is None


def test_kind_follows_from_the_status_where_there_is_no_column_for_it():
    without = {name: value for name, value in MIDTRANS.items() if name != "Transaction Type"}
    assert line(without, {"Transaction Status": "refund"}).kind == "refund"
    assert line(without).kind == "charge"


def test_xendit_payment_without_a_day_of_settlement_is_pending():
    found = line(XENDIT, {"Settlement Date": ""})
    assert (found.status, found.settled_on) == ("pending", date(2026, 3, 1))


@pytest.mark.parametrize(
    ("type_", "kind"), [("WITHDRAWAL", "payout"), ("REFUND", "refund"), ("PLATFORM_FEE", "fee"), ("payment", "charge")]
)
def test_xendit_types_are_understood(type_, kind):
    found = line(XENDIT, {"Type": type_, "Amount": "-99000"})
    assert (found.kind, found.amount) == (kind, 99_000)
    assert found.fee == (0 if kind in {"payout", "fee"} else 3_187)


def test_instants_without_an_offset_are_meant_in_jakarta():
    assert line(MIDTRANS, {"Transaction Time": "01/03/2026 23:59:59"}).occurred_at == datetime(
        2026, 3, 1, 16, 59, 59, tzinfo=UTC
    )


def test_day_of_settlement_is_jakartas():
    assert line(NEUTRAL, {"settled_on": "2026-03-01T18:00:00Z"}).settled_on == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("base", "field", "text", "remedy"),
    [
        (MIDTRANS, "Gross Amount", "1.250.000", "write it as 1250000"),
        (MIDTRANS, "Gross Amount", "Rp 99000", "without Rp"),
        (MIDTRANS, "Gross Amount", "5E+04", "without"),
        (MIDTRANS, "Gross Amount", "0", "is 0"),
        (MIDTRANS, "Gross Amount", "99000.50", "decimals of IDR"),
        (MIDTRANS, "VAT", "x", "write it as"),
        (MIDTRANS, "Transaction Time", "yesterday", "2026-11-24 19:30:05"),
        (MIDTRANS, "Settlement Time", "2026-02-30", "2026-11-24"),
        (MIDTRANS, "Transaction Status", "challenge", "known are"),
        (MIDTRANS, "Transaction ID", "1.23457E+15", "mangled by a spreadsheet"),
        (XENDIT, "Type", "TOPUP", "no movement that is reconciled"),
        (XENDIT, "Currency", "RUP", "unknown currency"),
        (NEUTRAL, "gateway_reference", "x" * 201, "longer than 200"),
        (NEUTRAL, "gateway", "", "name the gateway"),
    ],
)
def test_wrong_field_is_named_with_its_line_and_remedy(base, field, text, remedy):
    found = problem(base, **{field: text})
    assert (found.number, found.field) == (2, field)
    assert remedy in found.problem


def test_line_without_any_reference_is_refused():
    assert problem(NEUTRAL, gateway_reference="", order_id="-").field == "gateway_reference"


def test_wrong_line_stops_no_other_and_numbers_are_the_files():
    rows = [{}, {"amount": "x"}, {"gateway_reference": "a\nb"}, {}]
    text = [part + "\n" for part in "".join(lines_of(NEUTRAL, *rows)).replace("a\nb", '"a\nb"').splitlines()]
    found = list(read_report([*text, "\n", ",,,,,,,,,\n"]))
    assert [(type(each).__name__, each.number) for each in found] == [
        ("NumberedLine", 2),
        ("LineProblem", 3),
        ("NumberedLine", 5),
        ("NumberedLine", 6),
    ]


def test_row_with_too_many_fields_is_refused():
    header, row = lines_of(NEUTRAL, {})
    (found,) = read_report([header, row.replace("99000", "99,000")])
    assert isinstance(found, LineProblem)
    assert "11 fields" in found.problem


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_found_in_the_header(delimiter):
    (found,) = read_report(lines_of(XENDIT, {}, delimiter=delimiter))
    assert isinstance(found, NumberedLine)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([], "empty"),
        (["\n"], "empty"),
        (["a,b,c\n", "1,2,3\n"], "of no known report"),
        (["order id,transaction id,transaction status\n"], "'gross amount' is missing"),
    ],
)
def test_file_that_is_no_report_is_refused_as_a_whole(text, message):
    with pytest.raises(ReportError, match=message):
        list(read_report(text))


def test_unknown_layout_is_refused():
    with pytest.raises(ReportError, match="neutral, midtrans, xendit"):
        list(read_report(lines_of(NEUTRAL, {}), layout="doku"))


def test_second_gateway_in_a_file_is_refused_by_line():
    found = list(read_report(lines_of(NEUTRAL, {}, {"gateway": "xendit"})))
    assert isinstance(found[1], LineProblem)
    assert "import each gateway's by itself" in found[1].problem


@given(st.lists(st.lists(st.text(max_size=12), max_size=12), max_size=5), st.sampled_from([MIDTRANS, XENDIT, NEUTRAL]))
def test_whatever_stands_in_a_file_is_read_or_refused_by_name(rows, base):
    text = [lines_of(base, {})[0], *(",".join(row) + "\n" for row in rows)]
    with suppress(ReportError):
        for entry in read_report(text):
            assert isinstance(entry, NumberedLine | LineProblem)
