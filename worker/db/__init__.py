"""Engines, transactions, bulk writes, pagination, health: what every capability shares of the database."""

from worker.db.bulk import Upserted, column_types, copy_rows, upsert_rows
from worker.db.engines import Connection, async_engine, get_db, sync_engine, transaction
from worker.db.utilities import DatabaseUtils

__all__ = [
    "Connection",
    "DatabaseUtils",
    "Upserted",
    "async_engine",
    "column_types",
    "copy_rows",
    "get_db",
    "sync_engine",
    "transaction",
    "upsert_rows",
]
