"""Finance's page of a day: both books' totals, open breaks by age with both sides, the ledger, gateways' reports."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from importlib.resources import files
from typing import Any, Final, Literal

from jinja2 import Environment, Template
from psycopg.rows import dict_row

from worker.billing.breaks import list_breaks
from worker.billing.days import Total, totals
from worker.billing.finance_texts import TEXTS
from worker.billing.ledger import ledger
from worker.billing.money import formatted
from worker.billing.report_fields import JAKARTA
from worker.db.engines import Connection
from worker.db.queries import load_query

Language = Literal["id", "en"]

SHOWN: Final = 500
"""Breaks with their details on the page, at most."""

_query = partial(load_query, "worker.billing")


def finance_page(connection: Connection, day: date, language: Language, now: datetime) -> str:
    """Return the page as HTML: nothing in it is loaded from elsewhere, and nothing runs."""
    texts = TEXTS[language]
    open_breaks = list_breaks(connection, limit=SHOWN)
    by_age, open_count, at_stake = _by_age(connection, now)
    booked = [line for line in ledger(connection, day, day) if line.debit or line.credit]
    with connection.cursor(row_factory=dict_row) as cursor:
        reports = cursor.execute(_query("report_coverage"), {"today": now.astimezone(JAKARTA).date()}).fetchall()
        closed = cursor.execute(
            "SELECT count(*) FILTER (WHERE state = 'healed') AS healed,"
            " count(*) FILTER (WHERE state = 'resolved') AS resolved FROM reconciliation_breaks"
            " WHERE (closed_at AT TIME ZONE 'Asia/Jakarta')::date = %s",
            (day,),
        ).fetchone()
    rows, sums = _totals(connection, day)
    return _template().render(
        language=language,
        t=texts,
        day=_day(day, texts),
        made=f"{_day(now.astimezone(JAKARTA).date(), texts)}, {now.astimezone(JAKARTA):%H.%M} WIB",
        money=formatted,
        ours=lambda row: _money(row["our_amount"], row["details"].get("our_currency", row["currency"])),
        theirs=lambda row: _money(row["gateway_amount"], row["currency"]),
        short_day=lambda value: _day(value, texts) if value else "–",
        age=lambda value: (now - value).days,
        totals=rows,
        sums=sums,
        by_age=by_age,
        open_count=open_count,
        at_stake=at_stake,
        oldest=(now - open_breaks[0]["opened_at"]).days if open_breaks else None,
        breaks=open_breaks,
        not_shown=max(0, open_count - len(open_breaks)),
        ledger=booked,
        reports=reports,
        closed=closed,
    )


def _totals(connection: Connection, day: date) -> tuple[list[Total], list[dict[str, Any]]]:
    """Return both books' sums by gateway, kind and currency, and those by currency: money in less money out."""
    gateways = connection.execute(
        "SELECT gateway FROM reconciliation_runs WHERE paid_on = %s ORDER BY gateway", (day,)
    ).fetchall()
    rows = [total for (gateway,) in gateways for total in totals(connection, gateway, day)]
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"ours": Decimal(0), "theirs": Decimal(0)})
    for row in rows:
        direction = 1 if row.kind == "charge" else -1
        sums[row.currency]["ours"] += direction * row.our_amount
        sums[row.currency]["theirs"] += direction * row.their_amount
    return rows, [{"currency": currency, **both} for currency, both in sorted(sums.items())]


def _by_age(connection: Connection, now: datetime) -> tuple[list[dict[str, Any]], int, dict[str, Decimal]]:
    """Return a row a gateway and kind with its counts by age, how many are open, and the sum at stake by currency."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    at_stake: dict[str, Decimal] = {}
    count = 0
    for gateway, kind, currency, age, breaks, stake in connection.execute(_query("breaks_by_age"), {"now": now}):
        row = rows.setdefault((gateway, kind), {"gateway": gateway, "kind": kind, "ages": [0, 0, 0, 0], "at_stake": {}})
        row["ages"][age] += breaks
        row["at_stake"][currency] = row["at_stake"].get(currency, Decimal(0)) + stake
        at_stake[currency] = at_stake.get(currency, Decimal(0)) + stake
        count += breaks
    return list(rows.values()), count, at_stake


def _money(amount: Decimal | None, currency: str) -> str:
    return "–" if amount is None else formatted(amount, currency)


def _day(day: date, texts: dict[str, Any]) -> str:
    return f"{day.day} {texts['months'][day.month - 1]} {day.year}"


@cache
def _template() -> Template:
    source = files("worker.billing").joinpath("templates", "finance.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
