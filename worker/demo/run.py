"""The demonstration from start to summary: servers, content, processes, learners, due queues, verdicts."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import UUID

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from worker import clock
from worker.content.seed import seed_content
from worker.db import transaction
from worker.demo import checks, store
from worker.demo.checks import Verdict
from worker.demo.learners import SimulatedLearner, make_learners, plan_attempts
from worker.demo.renewals import renew_some
from worker.demo.traffic import Answers, Traffic, make_traffic, send
from worker.errors import ElpError
from worker.jobs.execution import start_run, work_on_run
from worker.settings import Settings
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR
from worker.supervisor import Entry
from worker.supervisor.platform import Platform, platform

_PROCESSING_LIMIT_S = 120.0
_POLL_S = 0.2
_QUEUES_READ_OVER_HTTP = 50


class DemoStalledError(ElpError):
    """Accepted attempts were not processed in time."""

    def __init__(self, waiting: int, logs: Path) -> None:
        super().__init__(f"{waiting} attempts still wait after {_PROCESSING_LIMIT_S:.0f} s; the logs are in {logs}")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a demonstration is."""

    attempts: int = 20_000
    learners: int = 500
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """What the demonstration measured, in seconds, and how many attempts of each kind there were."""

    sent: int
    graded: int
    sending_s: float
    processed_s: float
    """From the first request until the last attempt was graded."""
    queues: int
    queues_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the summary shows."""

    verdicts: Sequence[Verdict]
    figures: Figures


@contextmanager
def running_platform(settings: Settings, entries: Sequence[Entry], logs: Path) -> Iterator[Platform]:
    """Run the processes with made-up secrets where none are set; each process's output goes to its file in `logs`."""
    logs.mkdir(parents=True, exist_ok=True)
    lock = threading.Lock()

    def write(name: str, line: str) -> None:
        with lock, (logs / f"{name}.log").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    with platform(settings, entries, write, demo_secrets=True) as running:
        yield running


def run(running: Platform, scale: Scale, console: Console, logs: Path) -> Outcome:
    """Let simulated learners study on a healthy platform and return the verdicts on what came of it.

    Raises:
        DemoStalledError: the workers did not process everything in time.
    """
    generator = Random(scale.seed)  # noqa: S311 - a simulation
    learners = make_learners(scale.learners, generator)
    learner_ids = [learner.id for learner in learners]
    with transaction() as connection:
        report = seed_content(connection)
        store.enrol(connection, learners)
        catalogue = store.read_catalogue(connection)
        before = store.read_effects(connection, learner_ids)
        reviewed_before = store.read_reviewed_pairs(connection, learner_ids)
    console.print(f"content: {report.questions:,} questions in {report.lessons:,} lessons; {len(learners):,} learners")

    attempts = plan_attempts(learners, catalogue, count=scale.attempts, until=clock.now(), generator=generator)
    traffic = make_traffic(attempts, generator)
    answers, sending_s, processed_s = _study(running, learner_ids, traffic, console, logs)
    queues, queues_s = _build_queues(learner_ids)
    console.print(f"due queues: {queues:,} built in {queues_s:.2f} s")

    ids = sorted(traffic.expected_graded | traffic.expected_rejected)
    today = {learner.id: clock.local_day(clock.now(), learner.timezone, DEFAULT_DAY_START_HOUR) for learner in learners}
    starts_at = {
        learner.id: clock.local_day_start(today[learner.id], learner.timezone, DEFAULT_DAY_START_HOUR)
        for learner in learners
    }
    with transaction() as connection:
        graded = store.read_ids(connection, "question_attempts", ids)
        rejected = store.read_ids(connection, "attempt_rejections", ids)
        after = store.read_effects(connection, learner_ids)
        pairs = store.read_pairs(connection, sorted(graded))
        reviewed_after = store.read_reviewed_pairs(connection, learner_ids)
        decks = store.read_decks(connection, starts_at)
        built = store.read_queues(connection, learner_ids)
    sent = len(ids) + traffic.resent + traffic.expected_refused
    verdicts = [
        *checks.check_answers(traffic, answers),
        *checks.check_fates(traffic, answers, graded, rejected, sent),
        Verdict(
            "cards reviewed: one a learner and question",
            f"{len(reviewed_before | pairs):,}",
            f"{len(reviewed_after):,}",
            reviewed_before | pairs == reviewed_after,
        ),
        checks.equal(
            "attempts counted in lesson progress", len(graded), after.attempts_in_lessons - before.attempts_in_lessons
        ),
        checks.equal(
            "attempts counted in statistics", len(graded), after.attempts_in_statistics - before.attempts_in_statistics
        ),
        *checks.check_queues(decks, built, today),
        _check_queues_over_http(running, learners, {learner: queue for learner, (_, queue) in built.items()}),
        *renew_some(scale.seed),
    ]
    figures = Figures(sent, len(graded), sending_s, processed_s, queues, queues_s)
    return Outcome(verdicts, figures)


def _study(
    running: Platform, learner_ids: Sequence[UUID], traffic: Traffic, console: Console, logs: Path
) -> tuple[Answers, float, float]:
    """Send the traffic, wait until everything accepted is processed, and show both while they go on."""
    accepted = len(traffic.expected_graded) + len(traffic.expected_rejected)
    total = accepted + traffic.resent + traffic.expected_refused
    token = running.settings.api_token
    assert token is not None
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        sending = progress.add_task("attempts sent", total=total, rate="")
        grading = progress.add_task("attempts processed", total=accepted, rate="")
        begun_at = time.monotonic()
        watcher = _Watcher(learner_ids, accepted)

        def show() -> None:
            elapsed = time.monotonic() - begun_at
            progress.update(grading, completed=watcher.processed, rate=f"{watcher.processed / elapsed:,.0f}/s")

        async def send_and_watch() -> Answers:
            watching = asyncio.create_task(asyncio.to_thread(watcher.watch, show))
            sent = await send(
                traffic,
                url=running.api_url,
                token=token.get_secret_value(),
                sent=lambda count: progress.update(sending, advance=count),
            )
            elapsed = time.monotonic() - begun_at
            progress.update(sending, rate=f"{total / elapsed:,.0f}/s")
            watcher.sending_s = elapsed
            watcher.give_up_at = time.monotonic() + _PROCESSING_LIMIT_S
            await watching
            return sent

        answers = asyncio.run(send_and_watch())
    if watcher.processed < accepted:
        raise DemoStalledError(accepted - watcher.processed, logs)
    return answers, watcher.sending_s, watcher.finished_at - begun_at


class _Watcher:
    """Polls PostgreSQL for how many of the learners' attempts have been graded or rejected since it was made."""

    def __init__(self, learner_ids: Sequence[UUID], wanted: int) -> None:
        self._learner_ids = learner_ids
        self._wanted = wanted
        self._since = clock.now()
        self._before = self._read()
        self.processed = 0
        self.sending_s = 0.0
        self.finished_at = 0.0
        self.give_up_at = float("inf")

    def watch(self, show: Callable[[], None]) -> None:
        while self.processed < self._wanted and time.monotonic() < self.give_up_at:
            time.sleep(_POLL_S)
            self.processed = self._read() - self._before
            self.finished_at = time.monotonic()
            show()

    def _read(self) -> int:
        with transaction() as connection:
            return store.read_processed(connection, self._learner_ids, self._since)


def _build_queues(learner_ids: Sequence[UUID]) -> tuple[int, float]:
    """Build the learners' due queues anew through the job, and return how many there are and the seconds it took.

    Beat may have built some of them in the middle of the traffic; those are discarded, so that each is built from
    everything that was learnt.
    """
    with transaction() as connection:
        store.discard_queues(connection, learner_ids)
    begun_at = time.monotonic()
    started = start_run("srs.build_due_queues", clock.now(), trigger="manual")
    work_on_run(started.run.run_id)
    elapsed = time.monotonic() - begun_at
    with transaction() as connection:
        return len(store.read_queues(connection, learner_ids)), elapsed


def _check_queues_over_http(
    running: Platform, learners: Sequence[SimulatedLearner], built: dict[UUID, list[UUID]]
) -> Verdict:
    token = running.settings.api_token
    assert token is not None
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    asked = learners[:_QUEUES_READ_OVER_HTTP]
    right = 0
    with httpx.Client(base_url=running.api_url, headers=headers, timeout=10, trust_env=False) as client:
        for learner in asked:
            response = client.get(f"/v1/users/{learner.id}/due-queue")
            right += response.is_success and [UUID(card) for card in response.json()["card_ids"]] == built[learner.id]
    return checks.equal("due queues over HTTP, the same", len(asked), right)
