"""How fast due subscriptions are charged at a gateway that takes 300 ms for each.

100,000 subscriptions are due; `renew` charges them for some time, in this process, with `CONCURRENCY` calls at once.
The gateway is the sandbox in a process of its own, on the same cores. The limit is what so many calls of that length
can reach: concurrency ÷ latency. Each charge is an intent committed before the call, a result committed after it, the
invoice with its lines, the renewed subscription, and an event for the app.
"""

import subprocess
import sys
import time
from datetime import timedelta
from typing import Final

import httpx

from benchmarks.report import Figure, Report, measured
from worker import clock, logging
from worker.billing.charging import renew
from worker.billing.gateways.guard import Guard
from worker.billing.gateways.midtrans import Midtrans
from worker.billing.sandbox.dialects import SERVER_KEY
from worker.billing.verify import verify
from worker.db import transaction
from worker.secrets import Cipher, new_key
from worker.settings import get_settings

LATENCY_S: Final = 0.3
CONCURRENCY: Final = 64
PROMISED: Final = 0.8


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figure; `quick` is small, for the shape of the output only."""
    logging.configure("benchmarks", get_settings().model_copy(update={"log_level": "WARNING"}))
    cipher = Cipher([new_key()])
    _make_subscriptions(2_000 if quick else 100_000, cipher)
    sandbox = subprocess.Popen([sys.executable, "-m", "worker.billing.sandbox"], stdout=subprocess.PIPE, text=True)
    try:
        assert sandbox.stdout is not None
        url = sandbox.stdout.readline().strip()
        httpx.post(f"{url}/sandbox", json={"latency_s": LATENCY_S})
        adapter = Midtrans(SERVER_KEY, url, timeout_s=30, connections=CONCURRENCY)
        guard = Guard(adapter, per_second=10_000)
        rates = [_rate(guard, cipher, seconds=2 if quick else 20) for _ in range(1 if quick else 4)]
    finally:
        sandbox.terminate()
        sandbox.wait(10)
    limit = CONCURRENCY / LATENCY_S
    report.add(
        Figure(
            f"subscriptions renewed, {CONCURRENCY} calls of {LATENCY_S * 1000:.0f} ms at once",
            "charges/s",
            measured(rates),
            limit=measured([limit]),
            least_of_limit=None if quick else PROMISED,
        )
    )
    with transaction() as connection:
        assert verify(connection, clock.now()) == []


def _rate(guard: Guard, cipher: Cipher, *, seconds: float) -> float:
    began_at = time.perf_counter()
    charged = renew(
        guard,
        cipher,
        concurrency=CONCURRENCY,
        go_on=lambda: time.perf_counter() - began_at < seconds,
        actor="job:billing.renew",
    )
    return charged / (time.perf_counter() - began_at)


def _make_subscriptions(count: int, cipher: Cipher) -> None:
    today = clock.now().astimezone(clock.zone("Asia/Jakarta")).date()
    due_at = clock.local_day_start(today, "Asia/Jakarta", 0)
    with transaction() as connection:
        connection.execute(
            """WITH plan AS (
                   INSERT INTO plans (code, name, amount) VALUES ('bench', 'Bench', 59000) RETURNING id
               ), learners AS (
                   INSERT INTO users (email, full_name, is_premium)
                   SELECT 'payer' || n || '@example.org', 'Payer', true FROM generate_series(1, %(count)s) AS n
                   RETURNING id
               )
               INSERT INTO subscriptions (user_id, plan_id, state, anchor_on, period_start, period_end, amount, gateway,
                                          next_attempt_at, payment_token_encrypted)
               SELECT learners.id, plan.id, 'active', %(today)s, %(before)s, %(due)s, 59000, 'midtrans', %(due)s,
                      %(token)s
               FROM learners, plan""",
            {
                "count": count,
                "today": today,
                "before": due_at - timedelta(days=31),
                "due": due_at,
                "token": cipher.encrypt("card:bench"),
            },
        )
    with transaction() as connection:
        connection.execute("ANALYZE subscriptions, users, plans")
