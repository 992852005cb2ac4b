-- Makes users.is_premium what the subscriptions say of some users, or of all (NULL), and returns those who differed. A
-- paused or unpaid subscription without days of grace gives no access. Linear in the users, by idx_subscriptions_user;
-- for all of them a hash join over both tables.
UPDATE users u SET is_premium = said.is_premium
FROM (
    SELECT x.id, coalesce(bool_or(
               s.state IN ('trialing', 'active') OR (s.state = 'past_due' AND s.grace_ends_at > %(now)s::timestamptz)
           ), false) AS is_premium
    FROM users x LEFT JOIN subscriptions s ON s.user_id = x.id
    WHERE %(user_ids)s::uuid[] IS NULL OR x.id = ANY (%(user_ids)s::uuid[])
    GROUP BY x.id
) AS said
WHERE u.id = said.id AND u.is_premium IS DISTINCT FROM said.is_premium
RETURNING u.id, u.is_premium
