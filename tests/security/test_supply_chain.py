"""The locks in requirements/ cover what pyproject.toml asks for, by hash, and name no place to get it from."""

import importlib.util
import re
import shutil
import tomllib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.processes import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PRODUCT = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
EXTRAS = [each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra]
GROUPS = PROJECT["dependency-groups"]
ASKED = {
    "run.txt": [*PRODUCT, *EXTRAS, *GROUPS["build"]],
    "dev.txt": [*PRODUCT, *EXTRAS, *GROUPS["build"], *GROUPS["dev"]],
}
LOCKS = {name: (ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ASKED}
PYTHONS = ("3.11.9", "3.12.9", "3.13.9")


def locked(lock: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each line of a lock with its hashes."""
    text = re.sub(r"(?m)^\s*#.*\n", "", LOCKS[lock])
    for line in text.replace("\\\n", " ").splitlines():
        version, *hashes = line.split("--hash=")
        yield Requirement(version), [each.strip() for each in hashes]


def versions(lock: str, python: str) -> dict[str, str]:
    """Return what a lock installs with a Python on Linux."""
    environment = {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": "linux",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return {
        canonicalize_name(each.name): next(iter(each.specifier)).version
        for each, _ in locked(lock)
        if each.marker is None or each.marker.evaluate(environment)
    }


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_a_version_of_all_that_is_asked_for(lock: str, python: str):
    found = versions(lock, python)
    for each in map(Requirement, ASKED[lock]):
        version = found.get(canonicalize_name(each.name))
        assert version is not None, f"{each} is not in requirements/{lock}: make lock"
        assert each.specifier.contains(version, prereleases=True), (
            f"requirements/{lock}: {version}, not {each}: make lock"
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_one_version_and_hashes_of_each_package_and_no_place_to_get_it_from(lock: str):
    for each, hashes in locked(lock):
        assert [specifier.operator for specifier in each.specifier] == ["=="], each
        assert each.url is None
        assert hashes, each
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", digest) for digest in hashes), each
    assert not re.search(r"://|index|find-links|trusted", LOCKS[lock].replace("hash=", ""))


@pytest.mark.parametrize("python", PYTHONS)
def test_tools_for_tests_come_with_the_versions_that_are_deployed(python: str):
    assert versions("run.txt", python).items() <= versions("dev.txt", python).items()


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "requirements/audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WEAK = {"name": "thing", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
SOUND = {"name": "other", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "third", "skip_reason": "not found: third (3.0)"}


@pytest.mark.parametrize(
    ("report", "status", "said"),
    [
        ([SOUND], 0, "1 locked versions, 0 known weaknesses"),
        ([SOUND, WEAK], 1, "thing 1.0: PYSEC-1, mended in 1.1"),
        ([SOUND, WEAK, UNKNOWN], 3, "could not be asked: not found: third"),
    ],
)
def test_audit_tells_weaknesses_from_a_database_that_cannot_be_asked(audit, monkeypatch, capsys, report, status, said):
    monkeypatch.setattr(audit, "ask", lambda _: report)
    assert audit.audit("other==2.0 \\\n    --hash=sha256:00\n") == status
    assert said in capsys.readouterr().out


def test_audit_without_a_report_says_that_nothing_was_asked(audit, monkeypatch, capsys):
    nothing = shutil.which("false")
    assert nothing is not None
    monkeypatch.setattr(audit.sys, "executable", nothing)
    assert audit.audit(LOCKS["run.txt"]) == audit.NOT_ASKED
    assert "could not be asked: " in capsys.readouterr().out
