"""A whole system of a test's own: PostgreSQL, Valkey, API and worker as real processes, and clients that send."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import httpx
import psycopg

from tests.factories import make_lesson, make_question, make_user
from tests.reliability.books import assert_nothing_lost, assert_nothing_twice
from tests.reliability.clients import TOKEN, Client, Sent
from tests.support.processes import Program, wait_until
from worker import clock
from worker.embedded.ports import free_port
from worker.embedded.postgres import PostgresServer
from worker.embedded.valkey import ValkeyServer

CLIENTS = 4
LEARNERS_PER_CLIENT = 8


class System:
    """The servers, the processes and the learners of one test."""

    def __init__(
        self, postgres: PostgresServer, valkey: ValkeyServer, program: Callable[..., Program], redis_url: str
    ) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.history_days, self.longest_step_min, self.pause_s = 900, 600, 0.005
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment = {
            "ELP_DATABASE_URL": postgres.url,
            "ELP_REDIS_URL": redis_url,
            "ELP_API_TOKEN": TOKEN,
            "ELP_API_PORT": str(self.port),
            "ELP_DRAIN_BATCH_SIZE": "500",
        }
        self.api = program("python", "-m", "worker.api", **environment)
        self.worker = program(
            sys.executable, "-m", "celery", "-A", "worker.app", "worker", "-Q", "attempts,default,batch", "-c", "2",
            "-n", f"reliability-{self.port}@%h", **environment,
        )  # fmt: skip
        self.sent = Sent()
        with psycopg.connect(postgres.url) as connection:
            self.question_ids = [
                make_question(
                    connection,
                    options=[{"id": "a", "text": "house"}, {"id": "b", "text": "horse"}],
                    answer_key={"correct": "a"},
                )
                for _ in range(12)
            ]
            self.lesson_id = make_lesson(connection, question_ids=self.question_ids)
            # FSRS for every other one, as new learners have it; SM-2 for those who were there before.
            self.learner_ids = [
                make_user(connection, **({"scheduler": "sm2"} if number % 2 else {}))
                for number in range(CLIENTS * LEARNERS_PER_CLIENT)
            ]

    def start(self) -> "System":
        self.start_api()
        self.start_worker()
        return self

    def start_api(self) -> None:
        self.api.start(ready=self.is_serving, timeout_s=90)

    def start_worker(self) -> None:
        seen = self.worker.output().count(" ready.")
        self.worker.start(ready=lambda: self.worker.output().count(" ready.") > seen, timeout_s=90)

    def is_serving(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v1/health", timeout=2).is_success
        except httpx.TransportError:
            return False

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.postgres.url, autocommit=True)

    def clients(self) -> list[Client]:
        since = clock.now() - timedelta(days=self.history_days)
        return [
            Client(
                self.url,
                learners,
                self.lesson_id,
                self.question_ids,
                since,
                self.sent,
                seed,
                longest_step_min=self.longest_step_min,
                pause_s=self.pause_s,
            )
            for seed in range(CLIENTS)
            for learners in [self.learner_ids[seed * LEARNERS_PER_CLIENT :][:LEARNERS_PER_CLIENT]]
        ]

    @contextmanager
    def load(self) -> Iterator[None]:
        """Keep clients sending inside the block; each finishes its last request after it."""
        clients = self.clients()
        for client in clients:
            client.start()
        try:
            yield
            self.sent_more(50)
        finally:
            for client in clients:
                client.stopping.set()
            for client in clients:
                client.join(30)

    def sent_more(self, attempts: int, timeout_s: float = 60) -> None:
        """Wait until the clients were promised so many attempts more."""
        wanted = len(self.sent.promised) + attempts
        try:
            wait_until(lambda: len(self.sent.promised) >= wanted, timeout_s, f"{attempts} more accepted attempts")
        except TimeoutError as error:
            said = f"refusals: {self.sent.refusals[-3:]}, interruptions: {self.sent.interruptions}"
            raise AssertionError(f"{error}; {said}; the API said:\n{self.api.output()[-2_000:]}") from error

    def graded(self) -> int:
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM question_attempts").fetchone()
        assert row is not None
        return int(row[0])

    def waiting(self) -> int:
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM attempt_inbox").fetchone()
        assert row is not None
        return int(row[0])

    def fill_inbox(self, attempts: int) -> None:
        """Put attempts into the inbox without the API, and count them as promised."""
        [client] = self.clients()[:1]
        rows = [client.make_attempt() for _ in range(attempts)]
        self.sent.attempted.update((UUID(str(row["id"])), 1) for row in rows)
        self.sent.promised.update(UUID(str(row["id"])) for row in rows)
        columns = ["id", "user_id", "question_id", "lesson_id", "time_spent_ms", "attempted_at"]
        with (
            self.connect() as connection,
            connection.cursor().copy(f"COPY attempt_inbox ({', '.join(columns)}, answer) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row([row[column] for column in columns] + [json.dumps(row["answer"])])

    def assert_books_balance(self, timeout_s: float = 60) -> None:
        """Wait until everything accepted is processed; then nothing is lost and nothing happened twice."""
        try:
            wait_until(lambda: self.waiting() == 0, timeout_s, "an empty inbox")
        except TimeoutError as error:
            raise AssertionError(f"{error}; the worker said:\n{self.worker.output()[-3_000:]}") from error
        with self.connect() as connection:
            assert_nothing_lost(connection, self.sent)
            assert_nothing_twice(connection)
        assert len(self.sent.promised) > 0
