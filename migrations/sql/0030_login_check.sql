-- Logging in without reading hashes, 2: the account whose hash this is. Nothing: another hash, or it is not active.
CREATE FUNCTION login_check(wanted text, computed text) RETURNS TABLE (user_id uuid, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, users.role FROM users WHERE lower(email) = lower(wanted) AND password_hash = computed AND is_active
$$
