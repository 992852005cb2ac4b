"""Serves a worker's figures from its main process."""

from typing import Any

from celery import bootsteps
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from worker.jobs.bootstep import PulseStep
from worker.jobs.pulse import Pulse
from worker.jobs.relay import Relay
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


class RelayCollector(Collector):
    """What this worker's relay of the outbox did, from the relay itself."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def collect(self) -> list[Metric]:
        """Return its figures at this moment."""
        relay = self._relay
        return [
            GaugeMetricFamily("elp_relay_is_leader", "This worker's relay leads", value=relay.is_leader),
            CounterMetricFamily("elp_relay_sent", "Messages it sent for outbox entries", value=relay.relayed),
            CounterMetricFamily("elp_relay_parked", "Entries it gave up, for they can't be sent", value=relay.parked),
            CounterMetricFamily("elp_relay_refused", "Entries it took back, for Redis refused", value=relay.refused),
            CounterMetricFamily(
                "elp_relay_database_errors", "Looks that PostgreSQL failed", value=relay.database_errors
            ),
        ]


class MetricsStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery is untyped
    """A step of the worker's blueprint: after its pool, whose first children then have no copy of the socket."""

    requires = ("celery.worker.components:Pool", PulseStep)

    def start(self, parent: Any) -> None:
        """Begin to serve."""
        collectors: list[Collector] = []
        for step in parent.steps:
            if isinstance(step, PulseStep):
                collectors += [PulseCollector(step.pulse), RelayCollector(step.relay)]
        serving.serve(get_settings(), parent.hostname, collectors)

    def stop(self, parent: Any) -> None:
        """Stop serving."""
        del parent
        serving.stop()

    def terminate(self, parent: Any) -> None:
        """Do the same on a cold shutdown."""
        self.stop(parent)
