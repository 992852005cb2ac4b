-- Whether a gateway has a subscription that is to be charged. One index probe, by idx_subscriptions_due.
SELECT EXISTS (SELECT FROM subscriptions
               WHERE gateway = %(gateway)s::text AND next_attempt_at <= %(now)s::timestamptz
                 AND state IN ('trialing', 'active', 'past_due'))
