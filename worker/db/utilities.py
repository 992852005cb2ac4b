"""`DatabaseUtils`: the database utilities under the one name that the platform's back end imports."""

from worker.db.bulk import copy_rows, upsert_rows
from worker.db.exports import export_rows
from worker.db.health import health_check, pool_status
from worker.db.imports import import_rows
from worker.db.keyset import get_keyset_page
from worker.db.pagination import get_paginated
from worker.db.reports import index_usage, slow_queries, table_sizes
from worker.db.search import search_full_text
from worker.db.statistics import get_user_statistics


class DatabaseUtils:
    """The functions of this package as static methods; each is documented where it stands."""

    get_paginated = staticmethod(get_paginated)
    get_keyset_page = staticmethod(get_keyset_page)
    search_full_text = staticmethod(search_full_text)
    get_user_statistics = staticmethod(get_user_statistics)
    health_check = staticmethod(health_check)
    pool_status = staticmethod(pool_status)
    slow_queries = staticmethod(slow_queries)
    index_usage = staticmethod(index_usage)
    table_sizes = staticmethod(table_sizes)
    copy_rows = staticmethod(copy_rows)
    upsert_rows = staticmethod(upsert_rows)
    export_rows = staticmethod(export_rows)
    import_rows = staticmethod(import_rows)
