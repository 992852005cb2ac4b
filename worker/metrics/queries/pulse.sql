-- Whether some worker's pulse leads, and the database's clock: leads, clock_at.
-- Cost: the server's lock table, whose size is that of the connections' work.
SELECT EXISTS (
           SELECT FROM pg_locks AS held
           WHERE held.locktype = 'advisory'
             AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND held.classid = %(lock_class)s::bigint::oid
             AND held.objid = %(lock_number)s::bigint::oid
             AND held.objsubid = 2
             AND held.granted
       ) AS leads,
       clock_timestamp() AS clock_at
