"""Figures of the benchmarks: medians of rounds, beside their limit and the usual way, as a table and as JSON."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table as RichTable

from worker.clock import now

RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Measured:
    """One thing measured in several rounds."""

    median: float
    lowest: float
    highest: float
    rounds: int


def measured(values: Sequence[float]) -> Measured:
    """Return what the rounds amount to.

    Raises:
        statistics.StatisticsError: there was none.
    """
    return Measured(statistics.median(values), min(values), max(values), len(values))


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate (higher is better) of ours beside the limit and the usual way, measured in turns in the same run.

    Attributes:
        name: what was measured.
        unit: of the rates, such as attempts/s.
        least_of_limit: share of the limit that must be reached.
        least_of_usual: multiple of the usual way that must be reached.
        enough: a rate that is enough whatever its share of the limit.
    """

    name: str
    unit: str
    ours: Measured
    limit: Measured | None = None
    usual: Measured | None = None
    least_of_limit: float | None = None
    least_of_usual: float | None = None
    enough: float | None = None

    @property
    def of_limit(self) -> float | None:
        """Ours as a share of the limit."""
        return self.ours.median / self.limit.median if self.limit else None

    @property
    def of_usual(self) -> float | None:
        """Ours as a multiple of the usual way."""
        return self.ours.median / self.usual.median if self.usual else None

    @property
    def reached(self) -> bool | None:
        """Whether ours is as good as it must be; None: nothing is demanded."""
        demands = []
        if self.least_of_limit is not None or self.enough is not None:
            by_share = self.least_of_limit is not None and (self.of_limit or 0) >= self.least_of_limit
            demands.append(by_share or (self.enough is not None and self.ours.median >= self.enough))
        if self.least_of_usual is not None:
            demands.append((self.of_usual or 0) >= self.least_of_usual)
        return all(demands) if demands else None


@dataclass(frozen=True, slots=True)
class Table:
    """Measures that are no rates, side by side."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]


def this_machine() -> dict[str, Any]:
    """Return what the figures depend on beside the code."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    packages = ("celery", "litestar", "msgspec", "psycopg", "sqlalchemy", "uvicorn", "uvloop")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {package: version(package) for package in packages},
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@dataclass(slots=True)
class Report:
    """The figures of one run, on the machine they were measured on."""

    name: str = "benchmarks"
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=this_machine)
    measured_at: datetime = field(default_factory=now)

    def add(self, figure: Figure) -> None:
        """Add a figure and print its line, so that a long run shows what it has."""
        self.figures.append(figure)
        Console(stderr=True).print(f"{figure.name}: {_rate(figure.ours)} {figure.unit}", highlight=False)

    def note(self, text: str) -> None:
        """Add a remark that belongs to the figures."""
        self.notes.append(text)

    @property
    def reached(self) -> bool:
        """Whether no figure is less than it must be."""
        return all(figure.reached is not False for figure in self.figures)

    def print(self) -> None:
        """Print the tables."""
        console = Console(width=None if os.isatty(1) else 160)
        if self.figures:
            console.print(self._rates())
        for each in self.tables:
            console.print(_printable(each))
        for note in self.notes:
            console.print(f"- {note}", highlight=False)

    def _rates(self) -> RichTable:
        table = RichTable(
            title=f"{self.name}: {self.machine['cores']} cores, {self.machine['processor']}", expand=False
        )
        for heading in ("what", "unit", "ours", "limit", "usual way", "of limit", "of usual", "must reach", ""):
            table.add_column(heading, justify="left" if heading in {"what", "unit", "must reach"} else "right")
        for figure in self.figures:
            mark = {None: "", True: "[green]reached[/]", False: "[red]missed[/]"}[figure.reached]
            table.add_row(
                figure.name,
                figure.unit,
                _rate(figure.ours),
                _rate(figure.limit),
                _rate(figure.usual),
                "" if figure.of_limit is None else f"{figure.of_limit:.2f}",
                "" if figure.of_usual is None else f"{figure.of_usual:.1f} ×",
                _demand(figure),
                mark,
            )
        return table

    def write(self, folder: Path = RESULTS) -> Path:
        """Write everything as JSON to `<folder>/<name>.json` and return that path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        figures = [
            {**asdict(figure), "of_limit": figure.of_limit, "of_usual": figure.of_usual, "reached": figure.reached}
            for figure in self.figures
        ]
        content = {
            "name": self.name,
            "measured_at": self.measured_at.isoformat(timespec="seconds"),
            "machine": self.machine,
            "figures": figures,
            "tables": [asdict(table) for table in self.tables],
            "notes": self.notes,
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def _printable(table: Table) -> RichTable:
    printable = RichTable(title=table.title)
    numeric = [all(isinstance(row[place], int | float) for row in table.rows) for place in range(len(table.columns))]
    for heading, is_number in zip(table.columns, numeric, strict=True):
        printable.add_column(heading, justify="right" if is_number else "left")
    for row in table.rows:
        printable.add_row(*(_cell(cell) for cell in row))
    return printable


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _rate(rate: Measured | None) -> str:
    return "" if rate is None else f"{rate.median:,.0f}"


def _demand(figure: Figure) -> str:
    shares = []
    if figure.least_of_limit is not None:
        shares.append(f"{figure.least_of_limit:g} × limit")
    if figure.enough is not None:
        shares.append(f"{figure.enough:,.0f}")
    demands = [" or ".join(shares)] if shares else []
    if figure.least_of_usual is not None:
        demands.append(f"{figure.least_of_usual:g} × usual")
    return ", ".join(demands)
