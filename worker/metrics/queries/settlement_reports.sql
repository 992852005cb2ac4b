-- Up to which day of settlement each gateway's reports reach: gateway, covered_until (NULL: nothing settled yet).
-- Cost: the imports, and an index probe a gateway. Carried by idx_settlement_lines_settled.
SELECT
    gateway,
    (
        SELECT max(line.settled_on) FROM settlement_lines AS line
        WHERE line.gateway = known.gateway AND line.status = 'settled'
    ) AS covered_until
FROM (SELECT DISTINCT gateway FROM settlement_imports) AS known
ORDER BY gateway
