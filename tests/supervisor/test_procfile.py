"""The Procfile's form."""

from pathlib import Path

import pytest

from tests.support.processes import ROOT
from worker.errors import ConfigurationError
from worker.supervisor.procfile import Entry, parse_procfile, read_procfile


def test_each_line_is_a_process_in_order() -> None:
    assert parse_procfile("api: python -m worker.api\n\n# a comment\nbeat:celery beat\n") == [
        Entry("api", ("python", "-m", "worker.api")),
        Entry("beat", ("celery", "beat")),
    ]


def test_command_is_split_as_a_shell_would_and_colons_are_its_own() -> None:
    assert parse_procfile("a: echo 'one two' http://x") == [Entry("a", ("echo", "one two", "http://x"))]


@pytest.mark.parametrize("line", ["just words", "api:", ": command", "two words: command", "a: 'open"])
def test_wrong_line_is_reported_by_its_number(line: str) -> None:
    with pytest.raises(ConfigurationError, match="Procfile line 2"):
        parse_procfile(f"ok: true\n{line}")


def test_two_processes_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="line 2: there is a process a already"):
        parse_procfile("a: x\na: y")


def test_missing_or_empty_procfile_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Procfile: No such file"):
        read_procfile(tmp_path / "Procfile")
    (tmp_path / "Procfile").write_text("# nothing\n")
    with pytest.raises(ConfigurationError, match="names no process"):
        read_procfile(tmp_path / "Procfile")


def test_procfile_of_the_product_names_its_processes() -> None:
    names = [entry.name for entry in read_procfile(ROOT / "Procfile")]
    assert names == ["api", "worker", "batch-worker", "backup-worker", "wal", "beat", "flower"]
