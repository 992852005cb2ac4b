"""Counting: in one process, and added up over the processes of a group."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from tests.support.processes import ROOT
from worker.api.metrics import Tally
from worker.metrics import instruments
from worker.metrics.instruments import REQUEST_BUCKETS_S, BulkHistogram, Metrics, metrics


@pytest.fixture(autouse=True)
def _own_instruments() -> Iterator[None]:
    metrics.cache_clear()
    yield
    metrics.cache_clear()


@given(st.lists(st.floats(0, 20), max_size=50))
def test_observations_added_in_bulk_are_those_added_one_by_one(seconds: list[float]) -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    bulk, single = (
        kind("elp_test_seconds", "x", registry=registry, buckets=REQUEST_BUCKETS_S)
        for kind, registry in zip((BulkHistogram, Histogram), registries, strict=True)
    )
    tally = Tally()
    for value in seconds:
        tally.add(value)
        single.observe(value)
    bulk.add(tally.counts, tally.seconds)
    assert generate_latest(registries[0]) == generate_latest(registries[1])


def test_every_name_is_of_this_product_and_has_a_help_text() -> None:
    for family in Metrics().registry.collect():
        assert family.name.startswith("elp_")
        assert family.documentation


SCRIPT = """
import os, sys
from pathlib import Path
from prometheus_client.exposition import generate_latest
from worker.metrics import metrics, share_through
from worker.metrics.instruments import group_registry
share_through(Path(sys.argv[1]))
metrics().drained.labels("graded").inc(5)
metrics().drain_seconds.observe(0.3)
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        metrics().drained.labels("graded").inc(number)
        metrics().drain_seconds.observe(0.3)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print(generate_latest(group_registry()).decode())
"""


def test_group_adds_up_its_processes_those_that_ended_included(tmp_path: Path) -> None:
    folder = tmp_path / "group"
    folder.mkdir()
    (folder / "counter_1.db").write_text("left by an earlier group")
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert 'elp_attempts_drained_total{outcome="graded"} 8.0' in said
    assert "elp_attempts_drain_duration_seconds_count 4.0" in said
    assert folder.stat().st_mode & 0o077 == 0


def test_child_forgets_its_parents_instruments_and_their_locks() -> None:
    before = metrics()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"1" if metrics() is not before else b"0")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 1) == b"1"
    assert metrics() is before
    assert instruments.group_folder() is None
