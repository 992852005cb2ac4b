-- The backups in one row, or none when no repository was ever looked at: when the newest was finished, when any was last proven
-- by a restore and how long that took, how many are damaged, and what the last look at the log found.
-- Cost: the rows of `backups`, some hundreds, and one of `backup_checks`.
SELECT looked.checked_at,
       looked.restorable_at,
       looked.slot_state,
       looked.retained_bytes,
       cardinality(looked.problems) AS problems,
       (SELECT max(finished_at) FROM backups WHERE state = 'complete' AND kind <> 'logical') AS newest_at,
       (SELECT max(proven_at) FROM backups WHERE state = 'complete') AS proven_at,
       (SELECT restore_ms FROM backups WHERE state = 'complete' AND proven_at IS NOT NULL
        ORDER BY proven_at DESC LIMIT 1) AS restore_ms,
       (SELECT count(*) FROM backups WHERE state = 'complete' AND checksum_state = 'corrupt') AS corrupt
FROM backup_checks AS looked
ORDER BY looked.checked_at DESC
LIMIT 1
