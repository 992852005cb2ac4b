-- Says of each movement that a report's lines speak of which line counts: the first one that settled, or else the newest.
-- Further settled lines of the same reference are repeats; others are superseded. Returns nothing; rows that say so
-- already are not written. Only movements with two lines or more are looked at. Cost: linear in the report's lines, an
-- index probe each (or one hash join); idx_settlement_lines_import, idx_settlement_lines_reference.
WITH several AS (
    SELECT line.gateway, line.kind, line.gateway_reference
    FROM settlement_lines AS line
    WHERE line.gateway = %(gateway)s::text AND line.gateway_reference IN (
        SELECT added.gateway_reference FROM settlement_lines AS added
        WHERE added.import_id = %(import_id)s::uuid AND added.gateway_reference IS NOT NULL
    )
    GROUP BY line.gateway, line.kind, line.gateway_reference
    HAVING count(*) > 1
), ranked AS (
    SELECT
        line.id,
        CASE
            WHEN row_number() OVER best = 1 THEN 'current'
            WHEN line.status = 'settled' THEN 'repeat'
            ELSE 'superseded'
        END AS standing
    FROM several
    JOIN settlement_lines AS line USING (gateway, kind, gateway_reference)
    WINDOW best AS (
        PARTITION BY line.gateway, line.kind, line.gateway_reference
        ORDER BY
            (line.status = 'settled') DESC,
            CASE WHEN line.status = 'settled' THEN line.settled_on END,
            line.settled_on DESC, (line.status = 'failed') DESC, line.id
    )
)
UPDATE settlement_lines AS line SET standing = ranked.standing
FROM ranked WHERE line.id = ranked.id AND line.standing <> ranked.standing
