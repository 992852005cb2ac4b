"""Finance of simulated billing: each night the gateways' reports are taken in, compared with our books and booked.

Midtrans' reports have faults of every kind, drawn by order; Xendit's and Stripe's are right. So every break has to have
its fault or close itself within days, and every fault of an order has to be found.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, get_args

from worker.billing.break_lookups import MOST, claim_breaks, settle
from worker.billing.breaks import list_breaks, resolve_break
from worker.billing.chargebacks import record_chargeback
from worker.billing.days import compare
from worker.billing.errors import GatewayError
from worker.billing.imports import import_file, import_lines
from worker.billing.ledger import book
from worker.billing.matching import Policy
from worker.billing.report_fields import JAKARTA
from worker.billing.sandbox.settlements import SettlementFault, midtrans_report
from worker.billing.schedule import days_to_compare, ranges_to_book
from worker.db import transaction
from worker.simulate.billing_life import Life
from worker.simulate.errors import InvariantBrokenError

FAULTY: Final = 0.02
"""The chance that a report is wrong about an order."""
HEALS_WITHIN: Final = timedelta(days=7)
"""How long a break without a fault may be open: a gateway may be down for two days, and its reports with it."""
_ACTOR: Final = "cli:finance"
_JOB: Final = "job:billing.ask_about_breaks"
_POLICY: Final = Policy(late_after_days=3, missing_after_days=7, fee_percent=Decimal(3), fee_fixed=Decimal(3_000))
_NIGHTLY_DAYS: Final = 3
_WEEKLY_DAYS: Final = 21
"""Days compared and booked each night, and once a week; the real jobs do more each night, which finds no more."""
_FOUND_AFTER: Final = timedelta(days=19)
"""By when a fault is found: the gateway settled a day later, eight days on it is missing, then a week's turn."""
_DAY: Final = timedelta(days=1)
_AS_BREAKS: Final[Mapping[SettlementFault, frozenset[str]]] = {
    "missing_at_gateway": frozenset({"late_settlement", "missing_at_gateway"}),
}
"""The breaks that a fault may show as, where these are others than its own."""


class Books:
    """Finance, and what was done to its reports."""

    def __init__(self, life: Life, random: Random) -> None:
        """Begin with no report.

        Args:
            life: the simulation's.
            random: draws the faults of reports; of its own, so that they change nothing else.
        """
        self._life = life
        self._random = random
        self._folder = TemporaryDirectory(prefix="elp-reports-")
        self._today: date | None = None
        self._fetched_until: dict[str, date] = {}
        self._drawn: dict[str, SettlementFault | None] = {}

    def work(self, now: datetime) -> None:
        """Do a night's work, if it is another day than last time."""
        today = now.astimezone(JAKARTA).date()
        if self._today is None:
            self._today = today
            self._fetched_until = dict.fromkeys(self._life.guards, today - _DAY)
        if today <= self._today:
            return
        for gateway in sorted(self._life.guards):
            self._fetch(gateway, today, now)
        nights = self._life.report.nights
        days = _WEEKLY_DAYS if nights % 7 == 0 else _NIGHTLY_DAYS
        self._compare(days, now)
        for gateway in sorted(self._life.guards):
            self._ask(gateway, now)
        self._book(days, now)
        self._today = today
        self._life.report.nights += 1

    def _fetch(self, gateway: str, today: date, now: datetime) -> None:
        """Take the reports in that are there by now, the newest of last time again: gateways add to it."""
        day = self._fetched_until[gateway]
        while day < today:
            self._life.maybe_die()
            try:
                with transaction() as connection:
                    if gateway == "midtrans":
                        import_file(connection, self._file(day), gateway=gateway, actor=_ACTOR, now=now)
                    else:
                        lines = self._life.guards[gateway].gateway.list_settlements(day)
                        import_lines(connection, lines, source="api", name=str(day), actor=_ACTOR, now=now)
            except GatewayError:  # it is down: tomorrow
                return
            except EmptyReportError:
                pass
            self._fetched_until[gateway] = day
            day += _DAY

    def _file(self, day: date) -> Path:
        """Write Midtrans' report of a day of settlement."""
        for order in self._life.book.charged():
            if order.gateway == "midtrans" and order.key not in self._drawn:
                is_wrong = self._random.random() < FAULTY
                self._drawn[order.key] = self._random.choice(get_args(SettlementFault)) if is_wrong else None
        faults = {key: fault for key, fault in self._drawn.items() if fault}
        text = midtrans_report(self._life.book, faults, settled_on=day)
        if text.count("\n") == 1:
            raise EmptyReportError(day)
        path = Path(self._folder.name) / f"midtrans-{day}.csv"
        path.write_text(text, encoding="utf-8")
        return path

    def _compare(self, days: int, now: datetime) -> None:
        with transaction() as connection:
            wanted = list(days_to_compare(connection, {}, now, days=days))
        for gateway, day in wanted:
            with transaction() as connection:
                compare(connection, gateway, day, _POLICY, now)
                self._life.maybe_die()

    def _ask(self, gateway: str, now: datetime) -> None:
        with transaction() as connection:
            doubts = claim_breaks(connection, gateway, self._life.cipher, MOST, now)
        for doubt in doubts:
            self._life.maybe_die()
            settle(gateway, [(doubt, self._life.guards[gateway].lookup(doubt.request))], _POLICY, actor=_JOB)

    def _book(self, days: int, now: datetime) -> None:
        with transaction() as connection:
            ranges = ranges_to_book(connection, {}, now, days=days)
        for gateway, first, last in ranges:
            with transaction() as connection:
                book(connection, gateway, first, last, now)
                self._life.maybe_die()

    # --- what must hold -----------------------------------------------------------------------------------------------

    def explain(self, now: datetime) -> list[str]:
        """Resolve what a report's fault explains, as a person does who asked the gateway; return what nothing does."""
        faults = self._faults()
        left = []
        with transaction() as connection:
            for each in list_breaks(connection, state="open", limit=100_000):
                fault = faults.get(each["order_id"])
                if fault and each["kind"] in _AS_BREAKS.get(fault, {fault}):
                    if each["kind"] == "unknown_chargeback" and each["payment_state"] == "succeeded":
                        record_chargeback(connection, each["id"], _POLICY, actor=_ACTOR, now=now)
                    elif each["kind"] != "late_settlement":  # that one closes itself, or becomes another
                        resolve_break(connection, each["id"], f"asked: {fault}", actor=_ACTOR, now=now)
                elif now - each["opened_at"] > HEALS_WITHIN:
                    left.append(f"{each['gateway']} {each['paid_on']}: {each['kind']} of {each['order_id']}, {fault}")
        return left

    def _faults(self) -> dict[str, SettlementFault]:
        """Return the faults by every key under which a break may name its order."""
        found: dict[str, SettlementFault] = {}
        for order in self._life.book.charged():
            fault = self._drawn.get(order.key) if order.gateway == "midtrans" else None
            if fault:
                found |= dict.fromkeys((order.key, f"stranger-{order.key}"[:50], *order.refunded), fault)
        return found

    def close(self, begins_at: datetime, now: datetime) -> None:
        """Close the books: compare and book all that is there.

        Raises:
            InvariantBrokenError: a fault was not found, or the ledger says something else than our transactions.
        """
        days = (now - begins_at).days + 2
        with transaction() as connection:
            ranges = ranges_to_book(connection, {}, now + _DAY, days=days)
        for gateway, first, last in ranges:
            with transaction() as connection:
                book(connection, gateway, first, last, now)
        found = self._not_found(now) + self._off()
        self._folder.cleanup()
        if found:
            raise InvariantBrokenError("the books", found, now, None)

    def _not_found(self, now: datetime) -> list[str]:
        """Return faults of orders without refunds (which may explain them) that no break tells of."""
        with transaction() as connection:
            rows = list_breaks(connection, state=None, gateway="midtrans", limit=100_000)
        known = {(row["order_id"], row["kind"]) for row in rows}
        return [
            f"not found: {fault} of {order.key}"
            for order in self._life.book.charged()
            if (fault := self._drawn.get(order.key))
            and not order.refunded
            and order.updated_at < now - _FOUND_AFTER
            and (order.key, fault) not in known
            and (f"stranger-{order.key}"[:50], fault) not in known
        ]

    def _off(self) -> list[str]:
        """Return accounts whose balance our transactions do not explain."""
        with transaction() as connection:
            booked: dict[tuple[str, str], Decimal] = {
                (gateway, account): amount
                for gateway, account, amount in connection.execute(
                    "SELECT gateway, account, sum(amount) FROM ledger_entries WHERE currency = 'IDR' GROUP BY 1, 2"
                )
            }
            paid = connection.execute(
                "SELECT gateway, kind || 's', sum(CASE kind WHEN 'charge' THEN -amount ELSE amount END)"
                " FROM payment_transactions WHERE state = 'succeeded' GROUP BY 1, 2"
            ).fetchall()
        found = [
            f"{gateway} {account}: {booked.get((gateway, account), 0)} booked, {amount} moved"
            for gateway, account, amount in paid
            if booked.get((gateway, account), Decimal(0)) != amount
        ]
        for gateway in sorted(self._life.guards):
            accounts = {account: amount for (of, account), amount in booked.items() if of == gateway}
            if sum(accounts.values()) != 0:
                found.append(f"{gateway}: the ledger is off by {sum(accounts.values())}")
            if gateway != "midtrans" and accounts.get("suspense", 0) != 0:
                found.append(f"{gateway}: {accounts['suspense']} in suspense, though its reports are right")
        return found


class EmptyReportError(Exception):
    """Nothing settled on a day: there is no file."""
