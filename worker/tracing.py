"""OpenTelemetry traces from a request to the work it caused (extra `otel`, ELP_TRACING); off, they cost nearly nothing.

Nothing is stored for a trace: its context (W3C `traceparent`) travels in the headers of nudges. A drain serves many
requests at once, so its span belongs to the trace of the request whose lane mark it answers; a nudge that the pulse
repeats begins a trace of its own, and the attributes `run_id` and `lane` lead back.

Where spans go is OpenTelemetry's own configuration: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER …
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from worker.errors import ConfigurationError
from worker.ids import LANES
from worker.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

HEADER: Final = "traceparent"
Attributes = Mapping[str, str | int]


class _State:
    """What this process traces with."""

    tracer: "Tracer | None" = None
    provider: Any = None


_state: Final = _State()
_nothing: Final = nullcontext()
_lanes: Final[dict[int, str]] = {}
"""The trace context of the request that last brought attempts for a lane; at most one a lane."""


def is_on() -> bool:
    """Return whether this process traces."""
    return _state.tracer is not None


def start(process: str, settings: Settings, exporter: "SpanExporter | None" = None) -> None:
    """Begin to trace if the settings ask for it; in each process anew: the exporter's thread does not survive a fork.

    Args:
        process: api or worker, the service's name `elp-…`.
        settings: say whether to trace at all.
        exporter: where spans go, for tests; OTLP over HTTP when left out.

    Raises:
        ConfigurationError: tracing is wanted and the extra `otel` is not installed.
    """
    if not settings.tracing:
        return
    if find_spec("opentelemetry.sdk") is None:
        raise ConfigurationError("ELP_TRACING needs the extra `otel`: pip install 'elp-worker[otel]'")
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415 - as above

    provider = TracerProvider(resource=Resource.create({"service.name": f"elp-{process}"}))
    if exporter is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - as above

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    _state.provider, _state.tracer = provider, provider.get_tracer("worker")


def stop() -> None:
    """Send what is left and trace no more."""
    if _state.provider is not None:
        _state.provider.shutdown()
    _state.provider = _state.tracer = None
    _lanes.clear()


def span(name: str, attributes: Attributes | None = None, parent: str | None = None) -> AbstractContextManager[None]:
    """Return a block that is one span of the trace; nothing at all while tracing is off.

    Args:
        name: what happens, few and fixed: details are attributes.
        attributes: ids, never personal data.
        parent: the context of a span in another process; the present span when left out.
    """
    if _state.tracer is None:
        return _nothing
    return _span(_state.tracer, name, attributes, parent)


def context() -> str | None:
    """Return the present span's context, to be carried to another process; None: there is none."""
    if _state.tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - an extra

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(HEADER)


def mark_lanes(lanes: int) -> None:
    """Remember that the present request brings attempts for these lanes (a bit mask), for the nudges that follow."""
    found = context()
    if found is not None:
        for lane in range(LANES):
            if lanes >> lane & 1:
                _lanes[lane] = found


def take_lane(lane: int) -> str | None:
    """Return the context of the request that last marked a lane, once."""
    return _lanes.pop(lane, None)


@contextmanager
def _span(tracer: "Tracer", name: str, attributes: Attributes | None, parent: str | None) -> Iterator[None]:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - an extra

    above = None if parent is None else TraceContextTextMapPropagator().extract({HEADER: parent})
    with tracer.start_as_current_span(name, context=above, attributes=attributes):
        yield
