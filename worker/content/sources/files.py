"""Where the data sets lie: in the package, each in its folder beside its SOURCE.md."""

from importlib.resources import files


def read_text(folder: str, name: str) -> str:
    """Return a data file as text (UTF-8, with or without a byte-order mark).

    Raises:
        FileNotFoundError: there is no such file: the package was installed incompletely.
    """
    return read_bytes(folder, name).decode("utf-8-sig")


def read_bytes(folder: str, name: str) -> bytes:
    """Return a data file's bytes.

    Raises:
        FileNotFoundError: there is no such file: the package was installed incompletely.
    """
    return files("worker.content").joinpath("data", folder, name).read_bytes()
