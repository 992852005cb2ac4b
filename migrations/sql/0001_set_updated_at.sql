-- Keeps updated_at true, whoever writes and however: a BEFORE UPDATE row trigger on every table that has the column.
-- The instant is the transaction's, as in the column's default, so that a bulk statement stamps all its rows alike.
CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$
