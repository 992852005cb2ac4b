"""Operators' routes about jobs and runs: what `elp jobs` does, over HTTP, with the same functions behind."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

import tasks
from worker import clock
from worker.api.documentation import ReadOperation, described, problem_responses
from worker.api.operators import TAGS, Limit, answering, asking
from worker.api.permissions import principal_of
from worker.audit import AuditEntry, record
from worker.db import Connection
from worker.jobs import control
from worker.jobs.control import MissedPeriod
from worker.jobs.dry_run import DryRunReport, dry_run
from worker.jobs.execution import start_run
from worker.jobs.messages import Messages
from worker.jobs.registry import load_jobs, registry
from worker.jobs.reports import JobReport, RunReport, ShardReport, report_history, report_jobs, report_run
from worker.settings import get_settings


class StartRun(msgspec.Struct, forbid_unknown_fields=True):
    """A run to be started by hand."""

    period: Annotated[dt.datetime | None, described("the instant it stands for; the present when left out")] = None
    parameters: Annotated[dict[str, Any], described("for the job, as its declaration names them")] = {}


class RunWithShards(msgspec.Struct):
    """A run and those of its shards that were asked for."""

    run: RunReport
    shards: Sequence[ShardReport]


class Changed(msgspec.Struct):
    """A run after it was changed, and how many of its shards that concerned."""

    run: RunReport
    shards: int


class Pause(msgspec.Struct):
    """Whether a job is paused now, and whether that is new."""

    job: str
    paused: bool
    changed: bool


@get(
    "/v1/jobs",
    permission="jobs.read",
    operation_id="listJobs",
    tags=TAGS,
    summary="Every job: schedule, periods, newest run, lag",
    operation_class=ReadOperation,
    responses=problem_responses(401, 503),
    sync_to_thread=True,
)
def list_jobs() -> list[JobReport]:
    """Return all jobs by name."""
    with asking() as connection:
        return report_jobs(connection, load_jobs(tasks.MODULES), clock.now())


@get(
    "/v1/job-runs",
    permission="jobs.read",
    operation_id="listRuns",
    tags=TAGS,
    summary="The newest runs, of one job or of all",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
    sync_to_thread=True,
)
def list_runs(
    job: Annotated[str | None, QueryParameter(description="One job's only")] = None, limit: Limit = 20
) -> list[RunReport]:
    """Return runs, those planned last first."""
    load_jobs(tasks.MODULES)
    with asking() as connection:
        found = report_history(connection, job, limit)
        if job is not None and not found:
            registry.get(job)  # says so if it is misspelt
    return found


@get(
    "/v1/job-runs/{run_id:uuid}",
    permission="jobs.read",
    operation_id="getRun",
    tags=TAGS,
    summary="A run, and its shards that are not done",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
    sync_to_thread=True,
)
def show_run(
    run_id: FromPath[UUID],
    done: Annotated[bool, QueryParameter(description="Also the shards that are done")] = False,  # noqa: FBT002
) -> RunWithShards:
    """Return a run with shards."""
    with asking() as connection:
        return RunWithShards(*report_run(connection, run_id, all_shards=done))


@post(
    "/v1/jobs/{name:str}/runs",
    status_code=202,
    permission="jobs.run",
    operation_id="startRun",
    tags=TAGS,
    summary="Run a job by hand",
    description="A period runs once: if it has its run, that one is returned.",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
    sync_to_thread=True,
)
def start(request: Request[Any, Any, Any], name: FromPath[str], data: JSONBody[StartRun]) -> RunReport:
    """Plan a run and wake workers for it; Redis being away only delays it."""
    from worker.app import app as celery  # noqa: PLC0415 - reads the broker's address

    load_jobs(tasks.MODULES)
    with answering():
        period, who = data.period or clock.now(), principal_of(request).actor
        started = start_run(name, period, trigger="manual", parameters=data.parameters, actor=who)
        if started.is_new and get_settings().redis_url is not None:
            Messages(celery).run(registry.get(name), started.run.run_id, started.run.shards_total)
    return _reported(started.run.run_id)


@post(
    "/v1/jobs/{name:str}/dry-runs",
    status_code=200,
    permission="jobs.run",
    operation_id="dryRun",
    tags=TAGS,
    summary="What a run of a job would come to",
    description="Does what the run would do and rolls it back; takes as long as the run itself.",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
    sync_to_thread=True,
)
def try_run(name: FromPath[str], data: JSONBody[StartRun]) -> DryRunReport:
    """Return counts and samples of a run that never commits."""
    load_jobs(tasks.MODULES)
    with answering():
        return dry_run(name, data.period or clock.now(), data.parameters)


@post(
    "/v1/job-runs/{run_id:uuid}/cancel",
    status_code=200,
    permission="jobs.run",
    operation_id="cancelRun",
    tags=TAGS,
    summary="Cancel a run that is not finished",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 409, 503),
    sync_to_thread=True,
)
def cancel(request: Request[Any, Any, Any], run_id: FromPath[UUID]) -> Changed:
    """Cancel a run; what its shards committed stays."""
    with asking() as connection:
        stopped = control.cancel_run(connection, run_id, clock.now())
        _note(connection, request, "job_run.cancelled", "job_run", str(run_id), {"shards": stopped})
    return Changed(_reported(run_id), stopped)


@post(
    "/v1/job-runs/{run_id:uuid}/retry",
    status_code=200,
    permission="jobs.run",
    operation_id="retryRun",
    tags=TAGS,
    summary="Have the shards that failed or were cancelled done after all",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 409, 503),
    sync_to_thread=True,
)
def retry(request: Request[Any, Any, Any], run_id: FromPath[UUID]) -> Changed:
    """Reopen a run."""
    load_jobs(tasks.MODULES)
    with asking() as connection:
        shards = control.retry_run(connection, run_id, clock.now())
        _note(connection, request, "job_run.retried", "job_run", str(run_id), {"shards": shards})
    return Changed(_reported(run_id), shards)


@post(
    "/v1/job-runs/{run_id:uuid}/shards/{number:int}/retry",
    status_code=200,
    permission="jobs.run",
    operation_id="retryShard",
    tags=TAGS,
    summary="Have one shard done after all",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 409, 503),
    sync_to_thread=True,
)
def retry_one(request: Request[Any, Any, Any], run_id: FromPath[UUID], number: FromPath[int]) -> Changed:
    """Reopen a shard, and its run if that had ended."""
    with asking() as connection:
        control.retry_shard(connection, run_id, number, clock.now())
        _note(connection, request, "job_run.retried", "job_run", str(run_id), {"shard": number})
    return Changed(_reported(run_id), 1)


@post(
    "/v1/jobs/{name:str}/pause",
    status_code=200,
    permission="jobs.run",
    operation_id="pauseJob",
    tags=TAGS,
    summary="Have a job start nothing more until it is resumed",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
    sync_to_thread=True,
)
def pause(request: Request[Any, Any, Any], name: FromPath[str]) -> Pause:
    """Pause a job; restarts don't end it."""
    load_jobs(tasks.MODULES)
    with asking() as connection:
        changed = control.pause(connection, registry.get(name).name, clock.now())
        if changed:
            _note(connection, request, "job.paused", "job", name, {"paused": True})
        return Pause(name, True, changed)


@post(
    "/v1/jobs/{name:str}/resume",
    status_code=200,
    permission="jobs.run",
    operation_id="resumeJob",
    tags=TAGS,
    summary="End a pause",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
    sync_to_thread=True,
)
def resume(request: Request[Any, Any, Any], name: FromPath[str]) -> Pause:
    """Resume a job; what it missed follows its catch-up policy."""
    load_jobs(tasks.MODULES)
    with asking() as connection:
        changed = control.resume(connection, registry.get(name).name, clock.now())
        if changed:
            _note(connection, request, "job.resumed", "job", name, {"paused": False})
        return Pause(name, False, changed)


@get(
    "/v1/missed-periods",
    permission="jobs.read",
    operation_id="listMissedPeriods",
    tags=TAGS,
    summary="Periods that began without a run, and what becomes of them",
    operation_class=ReadOperation,
    responses=problem_responses(401, 503),
    sync_to_thread=True,
)
def missed() -> list[MissedPeriod]:
    """Return what the catch-up policies decide."""
    with asking() as connection:
        return control.missed_periods(connection, load_jobs(tasks.MODULES), clock.now())


def _note(
    connection: Connection, request: Request[Any, Any, Any], action: str, kind: str, name: str, after: dict[str, Any]
) -> None:
    """Record what an operator does, in the transaction that does it."""
    record(connection, [AuditEntry(principal_of(request).actor, action, kind, name[:200], {}, after)], clock.now())


def _reported(run_id: UUID) -> RunReport:
    with asking() as connection:
        return report_run(connection, run_id, all_shards=False)[0]


JOB_ROUTES: Final[list[HTTPRouteHandler]] = [
    list_jobs,
    list_runs,
    show_run,
    start,
    try_run,
    cancel,
    retry,
    retry_one,
    pause,
    resume,
    missed,
]
