-- Replaces a hash, by who knows the present one: a new cost, or a new password. Says whether it did.
CREATE FUNCTION login_rehash(account uuid, present text, replacement text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE users SET password_hash = replacement WHERE id = account AND password_hash = present AND is_active;
    RETURN FOUND;
END
$$
