-- How far search is behind: marks of changed content that wait (counted up to `most`), since when the oldest of them waits
-- by the given instant, in seconds, and whether a new definition of the vectors is being rolled out.
-- Cost: the marks that wait, by pk_search_dirty, up to `most`.
SELECT count(*) AS marks,
    greatest(extract(epoch FROM %(now)s::timestamptz - min(marked_at)), 0)::float8 AS oldest_s,
    EXISTS (SELECT FROM search_state WHERE version <> search_vector_version()) AS is_rolling_out
FROM (SELECT marked_at FROM search_dirty ORDER BY id LIMIT %(most)s) AS waiting
