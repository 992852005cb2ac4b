"""The page's plots, drawn by matplotlib on this machine: each a piece of SVG to stand in HTML.

Colours are those of Okabe and Ito, which people with colour-blindness tell apart; series differ in shape as well.
"""

import io
import itertools
import re
from collections.abc import Callable
from datetime import date, timedelta
from html import escape
from typing import Any, Final

from worker.errors import ConfigurationError
from worker.srs.report.data import EDGES, FORECAST_DAYS, ReportData
from worker.srs.report.statistics import groups, weeks

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator
except ImportError as error:
    raise ConfigurationError("reports need the extra `reports`: pip install 'elp-worker[reports]'") from error

BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREY: Final = "#6b7280"
_STYLE: Final = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and takes the page's font
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9ca3af",
    "axes.labelcolor": "#374151",
    "xtick.color": "#374151",
    "ytick.color": "#374151",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "legend.frameon": False,
}
_WIDTH_IN: Final = 7.6
_METADATA: Final = ("Creator", "Date", "Format", "Type")
"""Left out: a page names no address, and the same data give the same page."""
_PROLOGUE: Final = re.compile(r"\A.*?(?=<svg)", re.DOTALL)

Texts = dict[str, str]


def retention(data: ReportData, texts: Texts) -> str | None:
    """Return true retention by week over the number of reviews; None: there were none."""
    found = weeks(data.days)
    if not found:
        return None

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1], "hspace": 0.12})
        days: Any = [week.begins_on for week in found]
        upper.fill_between(
            days,
            [100 * week.recalled.low for week in found],
            [100 * week.recalled.high for week in found],
            color=BLUE,
            alpha=0.15,
            linewidth=0,
        )
        upper.plot(
            days, [100 * week.recalled.value for week in found], color=BLUE, marker="o", label=texts["series_retention"]
        )
        if data.subject.desired_retention is not None:
            upper.axhline(
                100 * data.subject.desired_retention,
                color=ORANGE,
                linestyle="--",
                label=texts["desired"].format(share=data.subject.desired_retention),
            )
        lowest = min(100 * week.recalled.low for week in found)
        upper.set_ylim(max(0, min(lowest - 5, 70)), 101)
        upper.set_ylabel(texts["retention_y"])
        upper.legend(loc="lower right", ncols=2)
        lower.bar(days, [week.recalled.n for week in found], width=5.5, color=GREY)
        lower.set_ylabel(texts["reviews_y"])
        lower.set_xlabel(texts["week_x"])
        _count_axis(lower)
        _date_axis(lower, days[0] - timedelta(5), days[-1] + timedelta(5))

    return _svg(draw, texts["retention"], height_in=4.2)


def stability(data: ReportData, texts: Texts) -> str | None:
    """Return how stable the cards' memory is; None: there are no cards in study."""
    by_stability = [pair[0] for pair in data.stabilities]
    by_interval = [pair[1] for pair in data.stabilities]
    if not any(by_stability) and not any(by_interval):
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        places = range(len(data.stabilities))
        bars = axes.bar(places, by_stability, color=BLUE, label=texts["series_fsrs"].format(n=sum(by_stability)))
        if any(by_interval):
            bars = axes.bar(
                places,
                by_interval,
                bottom=by_stability,
                color=ORANGE,
                hatch="//",
                edgecolor="white",
                label=texts["series_sm2"].format(n=sum(by_interval)),
            )
        # Above the whole bar: inside, a low one has no room for its number.
        axes.bar_label(bars, [f"{sum(pair):,}" if any(pair) else "" for pair in data.stabilities], padding=2)
        names = [f"< {EDGES[0]:.0f}", *(f"{a:.0f}–{b:.0f}" for a, b in itertools.pairwise(EDGES))]
        axes.set_xticks(places, [*names, f"≥ {EDGES[-1]:.0f}"], fontsize=10)
        axes.margins(y=0.25)  # room for the legend
        axes.set_xlabel(texts["stability_x"])
        axes.set_ylabel(texts["cards_y"])
        axes.grid(visible=False, axis="x")
        axes.legend(loc="upper left", ncols=2)
        _count_axis(axes)

    return _svg(draw, texts["stability"])


def forecast(data: ReportData, texts: Texts) -> str | None:
    """Return the due cards of the coming days; None: nothing is due."""
    days: Any = [data.subject.today + timedelta(number) for number in range(FORECAST_DAYS)]
    overdue = [data.due_on[day].overdue if day in data.due_on else 0 for day in days]
    due = [data.due_on[day].due - late if day in data.due_on else 0 for day, late in zip(days, overdue, strict=True)]
    if not any(due) and not any(overdue):
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.bar(days, due, color=BLUE, label=texts["series_due"].format(n=sum(due)))
        if any(overdue):
            axes.bar(
                days,
                overdue,
                bottom=due,
                color=ORANGE,
                hatch="//",
                edgecolor="white",
                label=texts["series_overdue"].format(n=sum(overdue)),
            )
        axes.set_xlabel(texts["forecast_x"])
        axes.set_ylabel(texts["cards_y"])
        axes.grid(visible=False, axis="x")
        axes.margins(y=0.25)
        axes.legend(loc="upper right")
        _count_axis(axes)
        _date_axis(axes, days[0] - timedelta(1), days[-1] + timedelta(1))

    return _svg(draw, texts["forecast"])


def calibration(data: ReportData, texts: Texts) -> str | None:
    """Return predicted and seen recall of groups of reviews; None: there are too few."""
    series = [
        (groups(data.fsrs.predictions), BLUE, "o", texts["series_fsrs_n"].format(n=data.fsrs.quality.reviews)),
        (groups(data.sm2.predictions), ORANGE, "s", texts["series_sm2_n"].format(n=data.sm2.quality.reviews)),
    ]
    if not series[0][0]:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        lowest = min(
            min(100 * group.predicted, 100 * group.recalled.low) for found, _, _, _ in series for group in found
        )
        start = max(0.0, lowest - 5)
        axes.plot([start, 100], [start, 100], color=GREY, linestyle="--", linewidth=1, label=texts["ideal"])
        for found, colour, marker, label in series:
            seen = [100 * group.recalled.value for group in found]
            errors = [
                [100 * (group.recalled.value - group.recalled.low) for group in found],
                [100 * (group.recalled.high - group.recalled.value) for group in found],
            ]
            axes.errorbar(
                [100 * group.predicted for group in found],
                seen,
                yerr=errors,
                color=colour,
                marker=marker,
                linewidth=1.5,
                elinewidth=1,
                capsize=3,
                label=label,
            )
        axes.set_xlim(start, 101)
        axes.set_ylim(start, 101)
        axes.set_xlabel(texts["calibration_x"])
        axes.set_ylabel(texts["calibration_y"])
        axes.legend(loc="upper left")

    return _svg(draw, texts["calibration"], height_in=4.6)


def _svg(draw: Callable[[Figure], None], title: str, *, height_in: float = 3.4) -> str:
    """Return a drawing as SVG; the ids in it differ from those of the page's other plots, and not from run to run."""
    style: Any = {**_STYLE, "svg.hashsalt": title}
    with mpl.rc_context(style):
        figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
        draw(figure)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(_METADATA), transparent=True)
    svg = _PROLOGUE.sub("", drawn.getvalue())
    prefix = re.sub(r"\W+", "-", title)
    svg = re.sub(r'(\bid="|href="#|url\(#)', lambda found: f"{found[1]}{prefix}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title, quote=True)}" ', 1)


def _count_axis(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(bottom=0)


def _date_axis(axes: Axes, first: date, last: date) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    limits: Any = (first, last)
    axes.set_xlim(*limits)
