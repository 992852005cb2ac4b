-- Learners whose access is not what their subscriptions say, but for grace that ended within the slack. A hash join of
-- learners and subscriptions.
SELECT u.id AS user_id, u.is_premium
FROM users u
LEFT JOIN subscriptions s ON s.user_id = u.id
GROUP BY u.id
HAVING u.is_premium <> coalesce(bool_or(
           s.state IN ('trialing', 'active') OR s.state = 'past_due' AND s.grace_ends_at > %(now)s::timestamptz
       ), false)
   AND u.is_premium <> coalesce(bool_or(
           s.state IN ('trialing', 'active')
           OR s.state = 'past_due' AND s.grace_ends_at > %(now)s::timestamptz - %(slack)s::interval - interval '1 day'
       ), false)
LIMIT %(limit)s
