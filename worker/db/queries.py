"""SQL statements kept as files: `worker/<capability>/queries/<what_it_does>.sql`."""

from functools import cache
from importlib.resources import files


@cache
def load_query(package: str, name: str) -> str:
    """Return the statement in `<package>/queries/<name>.sql`, as psycopg reads it: parameters named `%(name)s`.

    Args:
        package: the capability's import name, such as `worker.srs`.
        name: the file's name without its ending.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return files(package).joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
