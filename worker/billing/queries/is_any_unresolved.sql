-- Whether a gateway has a payment that is to be looked at. One index probe, by idx_payment_transactions_look_again.
SELECT EXISTS (SELECT FROM payment_transactions
               WHERE gateway = %(gateway)s::text AND look_again_at <= %(now)s::timestamptz
                 AND state IN ('intended', 'pending', 'unknown'))
