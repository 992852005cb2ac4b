"""Backups by PostgreSQL's own tools, proven by restores.

`take` makes them, `wal_process` keeps the write-ahead log flowing into the repository, `restoring` and `recovery` bring
a database back to any instant, `verifying` and `drills` prove that they can, `retention` and `pruning` let go of what
is no longer needed, `checking` looks every minute whether all of this is so.
"""
