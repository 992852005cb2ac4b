"""Charging what is due: exactly one charge a period, whatever the gateway and the network do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.billing.conftest import DUE_AT
from worker import clock
from worker.billing import store
from worker.billing.charging import claim_charges, conclude, idempotency_key
from worker.billing.gateways.port import Succeeded, Unknown
from worker.db import transaction

APRIL = datetime(2026, 4, 4, 17, tzinfo=UTC)
GATEWAYS = ("midtrans", "xendit", "stripe")


def row(connection, table, **where):
    with connection.cursor(row_factory=dict_row) as cursor:
        (name, value) = next(iter(where.items()))
        return cursor.execute(f"SELECT * FROM {table} WHERE {name} = %s ORDER BY id", (value,)).fetchall()


def subscription(connection, subscription_id):
    return row(connection, "subscriptions", id=subscription_id)[0]


def charges(connection, subscription_id):
    return row(connection, "payment_transactions", subscription_id=subscription_id)


def is_premium(connection, subscription_id):
    statement = "SELECT is_premium FROM users JOIN subscriptions s ON s.user_id = users.id WHERE s.id = %s"
    return connection.execute(statement, (subscription_id,)).fetchone()[0]


def event_kinds(connection):
    return [kind for (kind,) in connection.execute("SELECT kind FROM app_events ORDER BY created_at, kind")]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_due_subscription_is_charged_once_and_renewed(committed, subscribe, engine, sandbox, gateway):
    due = subscribe(gateway)
    assert engine(gateway).renew() == 1
    assert engine(gateway).renew() == 0
    (charge,) = charges(committed, due)
    assert (charge["state"], charge["amount"], charge["attempt"]) == ("succeeded", Decimal(99_000), 1)
    assert charge["idempotency_key"] == idempotency_key(due, DUE_AT, 1)
    (order,) = sandbox.book.charged()
    assert (order.key, order.amount, order.currency) == (charge["idempotency_key"], Decimal(99_000), "IDR")
    after = subscription(committed, due)
    assert (after["state"], after["period_start"], after["period_end"]) == ("active", DUE_AT, APRIL)
    assert after["next_attempt_at"] == APRIL
    (invoice,) = row(committed, "invoices", subscription_id=due)
    assert (invoice["state"], invoice["total"], invoice["tax"]) == ("paid", Decimal(99_000), Decimal(9_811))
    assert event_kinds(committed) == ["billing.renewed"]


def test_nothing_is_charged_before_it_is_due(committed, subscribe, engine, sandbox):
    subscribe(next_attempt_at=DUE_AT + timedelta(hours=1))
    subscribe(state="paused", paused_at=DUE_AT - timedelta(days=3), next_attempt_at=None)
    assert engine().renew() == 0
    assert sandbox.book.asked["charge"] == 0


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_soft_decline_keeps_access_and_is_tried_again(committed, subscribe, engine, virtual, gateway):
    due = subscribe(gateway, method="decline_soft")
    engine(gateway).renew()
    after = subscription(committed, due)
    assert (after["state"], after["declines"], after["period_end"]) == ("past_due", 1, DUE_AT)
    assert after["next_attempt_at"] == datetime(2026, 3, 6, 3, tzinfo=UTC)  # 10:00 in Jakarta on the day after
    assert after["grace_ends_at"] == datetime(2026, 3, 12, 17, tzinfo=UTC)
    assert is_premium(committed, due)
    (charge,) = charges(committed, due)
    assert (charge["state"], charge["decline_kind"]) == ("declined", "soft")
    committed.execute(
        "UPDATE subscriptions SET payment_token_encrypted = (SELECT payment_token_encrypted FROM subscriptions"
        " WHERE id = %s) WHERE id = %s",
        (subscribe(gateway, next_attempt_at=None), due),
    )
    virtual.move_to(after["next_attempt_at"])
    engine(gateway).renew()
    assert [each["attempt"] for each in charges(committed, due)] == [1, 2]
    after = subscription(committed, due)
    assert (after["state"], after["declines"], after["grace_ends_at"]) == ("active", 0, None)
    assert (after["period_start"], after["period_end"]) == (DUE_AT, APRIL)  # the anchor did not drift
    assert event_kinds(committed) == ["billing.payment_failed", "billing.recovered"]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_hard_decline_asks_for_another_method_and_is_not_tried_again(committed, subscribe, engine, gateway):
    due = subscribe(gateway, method="decline_hard")
    engine(gateway).renew()
    after = subscription(committed, due)
    assert (after["state"], after["next_attempt_at"]) == ("past_due", None)
    ((payload,),) = committed.execute("SELECT payload FROM app_events").fetchall()
    assert (payload["decline"], payload["wants_method"]) == ("hard", True)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "error_before", "error_after"])
def test_an_answer_that_got_lost_is_asked_for_and_never_charged_twice(
    committed, subscribe, engine, sandbox, virtual, gateway, fault
):
    due = subscribe(gateway)
    sandbox.book.next.append(fault)
    gateway_engine = engine(gateway)
    gateway_engine.renew()
    (charge,) = charges(committed, due)
    assert charge["state"] == "unknown"
    assert subscription(committed, due)["next_attempt_at"] is None
    assert gateway_engine.renew() == 0  # never blindly again
    virtual.move_to(charge["look_again_at"])
    assert gateway_engine.resolve() == 1
    (charge,) = charges(committed, due)
    assert (charge["state"], charge["attempt"]) == ("succeeded", 1)
    assert len(sandbox.book.charged()) == 1
    assert subscription(committed, due)["period_end"] == APRIL


def test_an_unknown_charge_that_stays_unknown_is_looked_at_less_and_less_often(
    committed, subscribe, engine, sandbox, virtual
):
    due = subscribe()
    sandbox.book.next.append("lost_after")
    midtrans = engine()
    midtrans.renew()
    sandbox.book.is_down = True
    looks = []
    for _ in range(6):
        looks.append(charges(committed, due)[0]["look_again_at"])
        virtual.move_to(looks[-1])
        midtrans.resolve()
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert gaps == sorted(gaps)
    assert subscription(committed, due)["state"] == "active"
    sandbox.book.is_down = False
    virtual.move_to(charges(committed, due)[0]["look_again_at"])
    midtrans.resolve()
    assert charges(committed, due)[0]["state"] == "succeeded"


def test_a_crash_between_intent_and_call_is_resolved_by_the_gateways_word(
    committed, subscribe, engine, sandbox, cipher, virtual
):
    due = subscribe()
    with transaction() as connection:
        (intent,) = claim_charges(connection, "midtrans", cipher, 10, actor="test:1", now=clock.now())
    assert engine().renew() == 0
    assert engine().resolve() == 0  # it may still be under way
    virtual.move_to(clock.now() + timedelta(minutes=15))
    assert engine().resolve() == 1
    (charge,) = charges(committed, due)
    assert (charge["state"], charge["idempotency_key"]) == ("succeeded", intent.request.key)
    assert [order.key for order in sandbox.book.charged()] == [intent.request.key]


def test_a_crash_between_call_and_result_is_resolved_by_the_gateways_word(
    committed, subscribe, engine, sandbox, cipher, virtual
):
    due = subscribe()
    midtrans = engine()
    with transaction() as connection:
        (intent,) = claim_charges(connection, "midtrans", cipher, 10, actor="test:1", now=clock.now())
    assert isinstance(midtrans.guard.charge(intent.request), Succeeded)
    virtual.move_to(clock.now() + timedelta(minutes=15))
    midtrans.resolve()
    assert charges(committed, due)[0]["state"] == "succeeded"
    assert sandbox.book.asked == {"charge": 1, "lookup": 1}


def test_a_charge_nobody_heard_of_within_a_day_is_given_up_and_made_anew(
    committed, subscribe, engine, sandbox, cipher, virtual
):
    due = subscribe()
    with transaction() as connection:
        claim_charges(connection, "midtrans", cipher, 10, actor="test:1", now=clock.now())
    virtual.move_to(clock.now() + timedelta(hours=21))
    engine().resolve()
    assert charges(committed, due)[0]["state"] == "cancelled"
    engine().renew()
    assert [each["state"] for each in charges(committed, due)] == ["cancelled", "succeeded"]
    assert len(sandbox.book.charged()) == 1


def test_a_gateway_that_is_away_delays_only_its_own(
    committed, subscribe, engine, sandbox, settings, configured, cipher
):
    here, away = subscribe("xendit"), subscribe("midtrans")
    nowhere = configured.model_copy(update={"midtrans_url": "http://127.0.0.1:1"})
    from tests.billing.conftest import Engine  # noqa: PLC0415
    from worker.billing.gateways.configured import adapters  # noqa: PLC0415
    from worker.billing.gateways.guard import Guard  # noqa: PLC0415

    ill = Engine(Guard(adapters(nowhere)["midtrans"], per_second=1_000, failures=1, rest_s=3_600), cipher)
    assert ill.renew() == 1
    (charge,) = charges(committed, away)
    assert charge["state"] == "cancelled"  # certainly not sent
    after = subscription(committed, away)
    assert (after["state"], after["declines"]) == ("active", 0)
    assert after["next_attempt_at"] == clock.now() + timedelta(minutes=15)
    assert ill.guard.is_resting()
    subscribe("midtrans")
    assert ill.renew() == 0  # not even claimed
    assert engine("xendit").renew() == 1
    assert subscription(committed, here)["period_end"] == APRIL


def test_two_workers_at_once_charge_each_subscription_once(committed, subscribe, engine, sandbox):
    due = [subscribe() for _ in range(40)]
    workers = [engine() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        total = sum(pool.map(lambda worker: worker.renew(), workers))
    assert total == 40
    assert len(sandbox.book.charged()) == 40
    assert all(len(charges(committed, each)) == 1 for each in due)


def test_an_outcome_that_comes_twice_counts_once(committed, subscribe, cipher, virtual, configured):
    due = subscribe()
    with transaction() as connection:
        (intent,) = claim_charges(connection, "midtrans", cipher, 10, actor="test:1", now=clock.now())
    result = (intent.id, clock.now(), Succeeded("reference"))
    unknown = (intent.id, clock.now(), Unknown("no answer"))
    for expected in ({intent.id}, set()):
        with transaction() as connection:
            assert conclude(connection, [unknown, result, result], actor="test:1", now=clock.now()) == expected
    assert event_kinds(committed) == ["billing.renewed"]
    assert [each["kind"] for each in charges(committed, due)] == ["charge"]  # nothing is paid back
    assert subscription(committed, due)["period_end"] == APRIL


def test_the_database_refuses_a_second_open_charge_and_a_forbidden_change_of_state(committed, subscribe, engine):
    due = subscribe()
    engine().renew()
    with pytest.raises(psycopg.errors.CheckViolation, match="succeeded cannot become declined"):
        committed.execute("UPDATE payment_transactions SET state = 'declined' WHERE subscription_id = %s", (due,))
    with pytest.raises(psycopg.errors.CheckViolation, match="active cannot become trialing"):
        committed.execute("UPDATE subscriptions SET state = 'trialing' WHERE id = %s", (due,))


def test_a_pending_payment_gives_instructions_and_counts_when_it_is_paid(
    committed, subscribe, engine, sandbox, virtual
):
    due = subscribe(method="pending")
    engine().renew()
    (charge,) = charges(committed, due)
    assert charge["state"] == "pending"
    assert subscription(committed, due)["state"] == "past_due"
    ((payload,),) = committed.execute("SELECT payload FROM app_events").fetchall()
    assert payload["instructions"]["va_numbers"][0]["bank"] == "bca"
    sandbox.book.pay(charge["idempotency_key"])
    virtual.move_to(charge["look_again_at"])
    engine().resolve()
    assert subscription(committed, due)["state"] == "active"
    assert is_premium(committed, due)


def test_a_subscription_without_a_payment_method_is_told_so(committed, subscribe, engine, sandbox):
    due = subscribe(payment_token_encrypted=None)
    assert engine().renew() == 0
    assert subscription(committed, due)["state"] == "past_due"
    assert event_kinds(committed) == ["billing.method_needed"]
    assert engine().renew() == 0


def test_no_token_stands_in_the_logs_or_the_database(committed, subscribe, engine, capfd):
    subscribe(method="secret-token-1")
    engine().renew()
    out, err = capfd.readouterr()
    assert "secret-token" not in out + err
    for table in ("payment_transactions", "audit_log", "app_events", "subscriptions"):
        (text,) = committed.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t").fetchone()
        assert "secret-token" not in (text or "")


def test_premium_that_drifted_is_found_and_put_right(committed, subscribe, virtual, configured):
    one, other = subscribe(), subscribe(state="expired", next_attempt_at=None)
    committed.execute("UPDATE users SET is_premium = NOT is_premium WHERE id = (SELECT user_id FROM subscriptions"
                      " WHERE id = %s)", (one,))  # fmt: skip
    with transaction() as connection:
        assert len(store.refresh_premium(connection, None, clock.now())) == 2
        assert store.refresh_premium(connection, None, clock.now()) == []
    assert is_premium(committed, one)
    assert not is_premium(committed, other)
