"""Clients of the API under faults: each speaks for some learners, sends in order, and repeats until it is answered."""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from worker.ids import uuid7

TOKEN = "token-of-the-fault-tests"


@dataclass
class Sent:
    """What the clients of one test have sent, and what they were promised."""

    attempted: dict[UUID, int] = field(default_factory=dict)
    """Every attempt id ever sent and how often."""
    promised: set[UUID] = field(default_factory=set)
    """Ids that a 202 called accepted or duplicate: these must be found again."""
    refusals: list[str] = field(default_factory=list)
    """Answers that are neither 202 nor 503: there must be none."""
    interruptions: int = 0
    """Requests that got no answer, or a 503, and were repeated."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client(threading.Thread):
    """A client that sends requests of 1 to 40 attempts until it is told to stop.

    Args:
        url: the API's address; a function, since a restarted API may have another port.
        learner_ids: for whom it speaks; no other client does, so each learner's attempts arrive in their order.
        lesson_id: the lesson the attempts are made in.
        question_ids: multiple-choice questions with the options a and b, of which a is right.
        since: the instant of the first attempt; each learner's next one is some hours later.
        sent: where it keeps the books.
        longest_step_min: minutes between two attempts of a learner, at most; none may lie in the future in the end.
        pause_s: seconds between two requests.
    """

    def __init__(
        self,
        url: str,
        learner_ids: list[UUID],
        lesson_id: UUID,
        question_ids: list[UUID],
        since: datetime,
        sent: Sent,
        seed: int,
        *,
        longest_step_min: int = 600,
        pause_s: float = 0.005,
    ) -> None:
        super().__init__(name=f"client-{seed}", daemon=True)
        self.url = url
        self.learner_ids = learner_ids
        self.lesson_id = lesson_id
        self.question_ids = question_ids
        self.instants = dict.fromkeys(learner_ids, since)
        self.sent = sent
        self.longest_step_min = longest_step_min
        self.pause_s = pause_s
        self.generator = random.Random(seed)
        self.stopping = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10) as client:
            while not self.stopping.is_set():
                self.send(client, [self.make_attempt() for _ in range(self.generator.randint(1, 40))])
                time.sleep(self.pause_s)

    def make_attempt(self) -> dict[str, object]:
        learner_id = self.generator.choice(self.learner_ids)
        self.instants[learner_id] += timedelta(minutes=self.generator.randint(5, self.longest_step_min))
        return {
            "id": str(uuid7(self.instants[learner_id])),
            "user_id": str(learner_id),
            "question_id": str(self.generator.choice(self.question_ids)),
            "lesson_id": str(self.lesson_id),
            "answer": {"choice": self.generator.choice("aaab")},
            "time_spent_ms": self.generator.randint(1_000, 60_000),
            "attempted_at": self.instants[learner_id].isoformat(),
        }

    def send(self, client: httpx.Client, attempts: list[dict[str, object]]) -> None:
        """Send one request until it is answered; at the end of the test an unanswered one is given up."""
        with self.sent.lock:
            for attempt in attempts:
                self.sent.attempted[UUID(str(attempt["id"]))] = self.sent.attempted.get(UUID(str(attempt["id"])), 0) + 1
        while True:
            try:
                response = client.post("/v1/attempts", json=attempts)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            self.sent.interruptions += 1
            if self.stopping.is_set():
                return
            time.sleep(0.05)
        with self.sent.lock:
            if response.status_code != httpx.codes.ACCEPTED:
                self.sent.refusals.append(f"{response.status_code} {response.text[:300]}")
                return
            document = response.json()
            self.sent.promised.update(map(UUID, document["accepted"] + document["duplicates"]))
