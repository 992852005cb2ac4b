-- Writes one new subscription. One insertion into each of the table's indexes; the learner's row is held by the caller,
-- so that two requests at once make one.
INSERT INTO subscriptions (id, user_id, plan_id, state, anchor_on, timezone, period_start, period_end, amount, currency,
                           trial_ends_at, next_attempt_at, gateway, payment_token_encrypted, coupon_id, coupon_periods,
                           introductory_periods)
VALUES (%(id)s::uuid, %(user_id)s::uuid, %(plan_id)s::uuid, %(state)s::text, %(anchor_on)s::date, %(timezone)s::text,
        %(period_start)s::timestamptz, %(period_end)s::timestamptz, %(amount)s::numeric, %(currency)s::text,
        %(trial_ends_at)s::timestamptz, %(next_attempt_at)s::timestamptz, %(gateway)s::text, %(token)s::bytea,
        %(coupon_id)s::uuid, %(coupon_periods)s::smallint, %(introductory_periods)s::smallint)
