-- Leaves of an account what its payments need: the row. Returns nothing. Cost: one look-up in pk_users.
UPDATE users
SET email = 'erased-' || id || '@erased.invalid',
    full_name = %(name)s::text,
    password_hash = NULL,
    learning_goals = '{}',
    role = 'learner',
    timezone = 'UTC',
    locale = 'en',
    current_level = 'A1',
    is_active = false,
    is_verified = false,
    is_premium = false
WHERE id = %(id)s::uuid
