"""PostgreSQL and Valkey from wheels, for the demo, development and tests (extra `embedded`)."""

from worker.embedded.manager import Servers, running_database_url, running_redis_url, servers
from worker.embedded.postgres import PostgresServer
from worker.embedded.process import ServerError
from worker.embedded.valkey import ValkeyServer

__all__ = [
    "PostgresServer",
    "ServerError",
    "Servers",
    "ValkeyServer",
    "running_database_url",
    "running_redis_url",
    "servers",
]
