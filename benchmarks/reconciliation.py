"""How fast a day of payments is reconciled, beside one hash join over the same rows (the limit) and a line at a time.

In the same run, on the same server, in turns, one process each:

* ours: `compare` of one gateway's day as the job does it, the same again: what differs, and what has changed since; the
  first comparison, which writes the breaks, is reported apart;
* the limit: one query that hash-joins the same lines and transactions and sums both amounts, with the same memory;
* the usual way: each line's transaction loaded with the ORM and compared in Python (a sample).

A hundredth of the lines differ: another amount, unknown here, missing there. All are of one day: the worst case, since
a day is a shard. How much memory this process took beyond the start is reported.
"""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import psutil
from sqlalchemy import select

from benchmarks.due_queue_tables import autocommit
from benchmarks.report import Figure, Report, measured
from worker.billing.days import WORK_MEM, bounds_of, compare
from worker.billing.matching import Policy
from worker.db.engines import session_factory, transaction
from worker.models import PaymentTransaction, SettlementLine

DAY: Final = date(2026, 3, 10)
NOW: Final = datetime(2026, 3, 25, 23, tzinfo=UTC)
GATEWAY: Final = "midtrans"
POLICY: Final = Policy(late_after_days=3, missing_after_days=7, fee_percent=Decimal(3), fee_fixed=Decimal(3_000))
_SAMPLE: Final = 3_000
_PAYMENTS: Final = """
    INSERT INTO payment_transactions (
        user_id, subscription_id, kind, state, amount, currency, period_start, period_end, idempotency_key, gateway,
        gateway_reference, requested_at, concluded_at
    )
    SELECT gen_random_uuid(), gen_random_uuid(), 'charge', 'succeeded', 50000 + 1000 * (n %% 100), 'IDR',
           '2026-03-01Z', '2026-04-01Z', 'order-' || n, 'midtrans', md5(n::text)::uuid::text,
           timestamptz '2026-03-10 00:00+07' + n %% 86000 * interval '1 second',
           timestamptz '2026-03-10 00:00:05+07' + n %% 86000 * interval '1 second'
    FROM generate_series(1, %(rows)s::int) AS n
    WHERE n %% 300 <> 1
"""
_REPORT: Final = """
    INSERT INTO settlement_imports (gateway, source, digest, name, lines, added, imported_by, imported_at)
    VALUES ('midtrans', 'file', repeat('0', 64), 'benchmark', 0, 0, 'benchmark', now())
"""
_LINES: Final = """
    INSERT INTO settlement_lines (
        import_id, line_number, line_key, gateway, kind, gateway_reference, order_id, amount, fee, currency, status,
        occurred_at, occurred_on, settled_on
    )
    SELECT report.id, n, md5('line' || n)::uuid, 'midtrans', 'charge', md5(n::text)::uuid::text, 'order-' || n,
           50000 + 1000 * (n %% 100) + CASE WHEN n %% 300 = 2 THEN 1 ELSE 0 END, 2500, 'IDR', 'settled',
           timestamptz '2026-03-10 00:00+07' + n %% 86000 * interval '1 second', '2026-03-10',
           CASE WHEN n = 5 THEN date '2026-03-25' ELSE '2026-03-12' END
    FROM generate_series(1, %(rows)s::int) AS n CROSS JOIN settlement_imports AS report
    WHERE n %% 300 <> 3
"""
_JOIN: Final = """
    SELECT count(*), sum(line.amount), sum(paid.amount)
    FROM settlement_lines AS line
    JOIN payment_transactions AS paid
        ON paid.gateway_reference = line.gateway_reference AND paid.kind = line.kind
    WHERE line.gateway = %(gateway)s AND line.occurred_on = %(day)s
        AND paid.gateway = %(gateway)s AND paid.concluded_at >= %(begins_at)s AND paid.concluded_at < %(ends_at)s
"""


def fill(rows: int) -> None:
    """Make both books."""
    with transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # of subscriptions that nothing here reads
        connection.execute(_PAYMENTS, {"rows": rows})
        connection.execute(_REPORT)
        connection.execute(_LINES, {"rows": rows})
    with autocommit() as connection:
        connection.execute("VACUUM ANALYZE payment_transactions, settlement_lines")
        connection.execute("CHECKPOINT")


def ours() -> tuple[float, int, int]:
    """Compare the day; return seconds, breaks found, and rows written."""
    begun_at = time.perf_counter()
    with transaction() as connection:
        found = compare(connection, GATEWAY, DAY, POLICY, NOW)
    return time.perf_counter() - begun_at, found.breaks, found.opened + found.reopened + found.healed


def limit() -> float:
    """Return the seconds of the hash join alone."""
    begins_at, ends_at = bounds_of(DAY)
    values = {"gateway": GATEWAY, "day": DAY, "begins_at": begins_at, "ends_at": ends_at}
    begun_at = time.perf_counter()
    with transaction() as connection:
        connection.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
        connection.execute(_JOIN, values).fetchone()
    return time.perf_counter() - begun_at


def usual() -> float:
    """Return the seconds of a sample of lines, each compared with its transaction as the ORM loads it."""
    begun_at = time.perf_counter()
    with session_factory()() as session:
        for line in session.scalars(select(SettlementLine).limit(_SAMPLE)):
            paid = session.scalars(
                select(PaymentTransaction).where(
                    PaymentTransaction.gateway == line.gateway,
                    PaymentTransaction.gateway_reference == line.gateway_reference,
                )
            ).first()
            assert paid is None or paid.currency == line.currency
    return time.perf_counter() - begun_at


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figure; `quick` is small, for the shape of the output only."""
    rows, rounds = (50_000, 2) if quick else (1_000_000, 3)
    fill(rows)
    limit()  # what is read first is in memory for both
    process = psutil.Process()
    before = process.memory_info().rss
    first, breaks, written = ours()
    report.note(f"the first comparison, writing {written:,} breaks: {first:.2f} s, {rows / first:,.0f} lines/s")
    mine, least = [], []
    for _ in range(rounds):
        seconds, again, written = ours()
        assert (again, written) == (breaks, 0), "the same again changes nothing"
        mine.append(rows / seconds)
        least.append(rows / limit())
    grown = (process.memory_info().rss - before) / 2**20
    report.note(f"memory beyond the start: {grown:,.1f} MiB for {rows:,} lines and {breaks:,} breaks")
    report.add(
        Figure(
            f"reconciling {rows:,} lines with {rows:,} transactions",
            "lines/s",
            ours=measured(mine),
            limit=measured(least),
            usual=measured([_SAMPLE / usual() for _ in range(rounds)]),
            least_of_limit=0.5,
        )
    )
