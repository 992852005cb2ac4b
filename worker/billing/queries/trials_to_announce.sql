-- Subscriptions whose trial is over within the notice, that go on after it, and whose learners were not told of that
-- yet. Linear in the subscriptions whose period is over by then, by idx_subscriptions_renewal, with a probe of
-- uq_app_events_dedupe_key each.
SELECT id FROM subscriptions
WHERE
    state = 'trialing' AND NOT cancel_at_period_end AND next_attempt_at IS NOT NULL
    AND period_end > %(now)s::timestamptz AND period_end <= %(now)s::timestamptz + make_interval(days => %(days)s::int)
    AND NOT EXISTS (
        SELECT FROM app_events
        WHERE dedupe_key = 'billing.trial_ending:' || subscriptions.id || ':' || floor(extract(EPOCH FROM period_end))::bigint
    )
ORDER BY period_end
LIMIT %(limit)s::int
