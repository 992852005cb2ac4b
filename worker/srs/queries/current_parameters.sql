-- Returns the FSRS parameters in use: of each learner with a fit of their own, and the population's (learner NULL), if one
-- was accepted.
-- Cost: one probe of idx_srs_fits_user a learner.
SELECT wanted.user_id, fit.parameters
FROM unnest(array_append(%(user_ids)s::uuid[], NULL)) AS wanted (user_id)
CROSS JOIN LATERAL (
    SELECT parameters
    FROM srs_fits
    WHERE (srs_fits.user_id = wanted.user_id OR (srs_fits.user_id IS NULL AND wanted.user_id IS NULL))
      AND is_accepted
    ORDER BY fitted_at DESC
    LIMIT 1
) AS fit
