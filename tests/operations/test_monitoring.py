"""Dashboard, alert rules and runbook name what there is: metrics of the code, commands that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click
import pytest
import typer
from prometheus_client.core import Metric

from tests.support.processes import ROOT
from worker.cli import app as elp
from worker.heartbeats.store import Heartbeat
from worker.jobs.pulse import Pulse
from worker.jobs.punctuality import Punctuality
from worker.jobs.registry import Registry
from worker.metrics.bootstep import PulseCollector
from worker.metrics.instruments import Metrics
from worker.metrics.platform import broker_families, database_families
from worker.metrics.state import (
    BackupsState,
    BillingState,
    BrokerState,
    ClockState,
    DatabaseState,
    LaneState,
    OutboxState,
    PulseState,
)

FOLDER = ROOT / "docs/operations"
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
METRIC = re.compile(r"\belp_\w+")
ALERTS = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
RUNBOOK = (FOLDER / "runbook.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
RULES = re.findall(r"- alert: (\w+)\n +expr: >-\n +(.+)", ALERTS)
promtool = shutil.which("promtool")


def families() -> Iterator[Metric]:
    yield from Metrics().registry.collect()
    clock = ClockState(timedelta(), timedelta())
    heartbeat = Heartbeat("one@here", 1, "1", [], 1, True, None, NOW, NOW)
    yield from database_families(
        DatabaseState(
            jobs=[Punctuality("x", NOW, NOW, "failed", NOW, False, 1)],
            recent_runs=[("x", "failed", 1)],
            open_shards=[("x", "waiting", 1)],
            lanes=[LaneState(0, 1, NOW, is_draining=False)],
            outbox=OutboxState(1, 1, 1, 1, NOW),
            pulse=PulseState(True, NOW),
            clock=clock,
            heartbeats=[heartbeat],
            billing=[BillingState("midtrans", 1, NOW, 1, NOW)],
            backups=BackupsState(NOW, NOW, "reserved", 1, 0, NOW, NOW, 1, 0),
        ),
        NOW,
    )
    yield from broker_families(BrokerState({"batch": 1}, 1, 1.0, clock))
    yield from PulseCollector(Pulse("postgresql://x/y", None, Registry())).collect()  # type: ignore[arg-type]


def names() -> set[str]:
    """Every name that a query may use."""
    found = set()
    for family in families():
        if family.type == "counter":
            found.add(f"{family.name}_total")
        elif family.type == "histogram":
            found |= {f"{family.name}{suffix}" for suffix in ("_bucket", "_sum", "_count")}
        else:
            found.add(family.name)
    return found


NAMES = names()
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def test_rules_and_dashboard_name_only_metrics_that_the_code_has() -> None:
    queries = [expression for _, expression in RULES]
    queries += [target["expr"] for panel in PANELS for target in panel["targets"]]
    used = {name for query in queries for name in METRIC.findall(query)}
    assert used - NAMES == set()
    assert len(used) >= 30


def test_every_metric_is_on_the_dashboard_or_in_a_rule() -> None:
    shown = set(METRIC.findall(ALERTS)) | set(METRIC.findall(json.dumps(DASHBOARD)))
    roots = {re.sub(r"_(bucket|sum|count)$", "", name) for name in NAMES}
    assert {root for root in roots if not any(name.startswith(root) for name in shown)} == set()


def test_dashboard_has_the_structure_that_grafana_imports() -> None:
    assert {"uid", "title", "schemaVersion", "templating", "time", "panels"} <= DASHBOARD.keys()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    for panel in PANELS:
        assert [target["refId"] for target in panel["targets"]] == [chr(65 + n) for n in range(len(panel["targets"]))]
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_every_alert_has_its_entry_in_the_runbook_and_every_entry_its_alert() -> None:
    alerts = {name for name, _ in RULES}
    assert set(re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)) == alerts
    for name in alerts:
        entry = RUNBOOK.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert "**Means:**" in entry
        assert "**Do:**" in entry
        assert f"runbook.md#{name.lower()}" in ALERTS


def test_every_command_of_the_documents_exists() -> None:
    commands = known_commands(typer.main.get_command(elp))
    for page in FOLDER.glob("*.md"):
        for text in re.findall(r"`elp ([a-z-]+(?: [a-z-]+){0,2})", page.read_text(encoding="utf-8")):
            words = text.split()
            assert any(tuple(words[:length]) in commands for length in (1, 2, 3)), f"{page.name}: elp {text}"
            if words[0] == "jobs" and len(words) > 1:
                assert ("jobs", words[1]) in commands, f"{page.name}: elp {text}"


def known_commands(group: click.Command, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return the paths of all sub-commands."""
    found = set()
    for name, command in getattr(group, "commands", {}).items():
        path = (*above, name)
        found |= {path} | known_commands(command, path)
    return found


@pytest.mark.skipif(promtool is None, reason="promtool is not installed (Debian: package prometheus)")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "docs/operations/alerts.yml"),
        ("check", "config", "--syntax-only", "docs/operations/prometheus.yml"),
        ("test", "rules", "tests/operations/alerts_test.yml"),
    ],
)
def test_promtool_accepts_rules_and_configuration(arguments: tuple[str, ...]) -> None:
    assert promtool is not None
    done = subprocess.run([promtool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(promtool is None, reason="promtool is not installed (Debian: package prometheus)")
def test_promtool_finds_nothing_wrong_with_the_names() -> None:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415
    from prometheus_client.exposition import generate_latest  # noqa: PLC0415

    class All:
        def collect(self) -> list[Metric]:
            return list(families())

    registry = CollectorRegistry()
    registry.register(All())  # type: ignore[arg-type]
    assert promtool is not None
    done = subprocess.run(
        [promtool, "check", "metrics"], input=generate_latest(registry), capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
