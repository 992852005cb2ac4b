-- Logging in without reading hashes, 1: the salt of an account's hash, which is no secret of its own. NULL: no such
-- account, or none with a password. The rights are the owner's: the API's role may not read the hash itself.
CREATE FUNCTION login_salt(wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT left(password_hash, 29) FROM users WHERE lower(email) = lower(wanted)
$$
