"""Serves a worker's figures from its main process."""

from typing import Any

from celery import bootsteps
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from worker.jobs.bootstep import PulseStep
from worker.jobs.pulse import Pulse
from worker.metrics import serving
from worker.settings import get_settings


class PulseCollector(Collector):
    """What this worker's pulse did, from the pulse itself."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def collect(self) -> list[Metric]:
        """Return its figures at this moment."""
        pulse = self._pulse
        return [
            GaugeMetricFamily("elp_pulse_is_leader", "This worker's pulse leads", value=pulse.is_leader),
            CounterMetricFamily("elp_pulse_ticks", "Ticks it did as the leader", value=pulse.ticks),
            CounterMetricFamily("elp_pulse_publish_errors", "Ticks that Redis cut short", value=pulse.publish_errors),
            CounterMetricFamily(
                "elp_pulse_database_errors", "Ticks that PostgreSQL failed", value=pulse.database_errors
            ),
        ]


class MetricsStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery is untyped
    """A step of the worker's blueprint: after its pool, whose first children then have no copy of the socket."""

    requires = ("celery.worker.components:Pool", PulseStep)

    def start(self, parent: Any) -> None:
        """Begin to serve."""
        pulses = [PulseCollector(step.pulse) for step in parent.steps if isinstance(step, PulseStep)]
        serving.serve(get_settings(), parent.hostname, pulses)

    def stop(self, parent: Any) -> None:
        """Stop serving."""
        del parent
        serving.stop()

    def terminate(self, parent: Any) -> None:
        """Do the same on a cold shutdown."""
        self.stop(parent)
