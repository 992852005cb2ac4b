"""Due queues of 1,000 learners with 10,000 cards each, 1,894 of them due: ours, Anki's scheduler, the usual way.

All in the same run on the same machine, in turns, one process each; the rate is due cards a second:

* ours: the whole job `srs.build_due_queues`, planning, ledger and cache included: queues stored in PostgreSQL;
* Anki (package `anki`, a Rust back end): a collection a learner, opened, its queue of the day fetched, closed; nothing
  is stored. Ours yields the whole queue, so the like of it is Anki handing out all due cards (with their contents,
  which it can't leave out). Timed as well: Anki building its queue and handing out the first card only. Ours must be
  twice as fast as either;
* the usual way (benchmarks/due_queue_usual.py): one learner after the other through the ORM.

No limit cuts the queues on either side. Our learners' cards lie scattered over the table, as years of use leave them;
each of Anki's collections is a compact file of its own that was read a moment ago.
"""

import shutil
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Final

from anki.collection import AddNoteRequest, Collection

import tasks
from benchmarks import due_queues
from benchmarks.due_queue_tables import TODAY, autocommit, without_card_indexes
from benchmarks.report import Figure, Report, measured
from worker import logging
from worker.db.engines import transaction
from worker.jobs.registry import load_jobs
from worker.settings import get_settings

CARDS: Final = 10_000
DUE: Final = 1_894
_AT_ONCE: Final = 500
"""Cards of each learner that one statement writes: a learner's cards lie in as many places as that leaves."""
_USERS: Final = """
    WITH made AS (
        INSERT INTO users (id, email, full_name)
        SELECT gen_random_uuid(), 'bench-' || n || '@example.org', 'Learner ' || n
        FROM generate_series(1, %(learners)s::int) AS n
        RETURNING id
    )
    INSERT INTO user_preferences (user_id, review_limit, backlog_days)
    SELECT id, 10000, 1 FROM made
    RETURNING user_id
"""
_CARDS: Final = """
    INSERT INTO srs_cards
        (user_id, item_id, state, interval, repetitions, next_review_date, last_reviewed_at, stability, difficulty)
    SELECT learner.id, gen_random_uuid(), 'review', 5 + dice %% 56, 3,
           %(today)s::date + CASE WHEN n <= %(due)s THEN -(dice >> 8) %% 30 ELSE 1 + (dice >> 8) %% 60 END::int,
           timestamptz '2026-10-01', 5 + dice %% 56, 5
    FROM unnest(%(numbers)s::int[]) AS n
    CROSS JOIN unnest(%(learners)s::uuid[]) AS learner (id)
    CROSS JOIN LATERAL (SELECT hashtextextended(learner.id::text, n) & 9223372036854775807 AS dice) AS thrown
"""


def fill(learners: int) -> None:
    """Make the learners and their cards, of which the first `DUE` numbers, scattered among all, are due."""
    numbers = list(range(1, CARDS + 1))
    Random(1).shuffle(numbers)
    with transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # the foreign keys hold by construction
        ids = [row[0] for row in connection.execute(_USERS, {"learners": learners})]
        with without_card_indexes(connection):
            for start in range(0, CARDS, _AT_ONCE):
                connection.execute(
                    _CARDS, {"learners": ids, "numbers": numbers[start : start + _AT_ONCE], "today": TODAY, "due": DUE}
                )
    with autocommit() as connection:
        connection.execute("VACUUM ANALYZE users, user_preferences, srs_cards")
        connection.execute("CHECKPOINT")


class Collections:
    """A learner's collection of Anki, copied for each learner."""

    def __init__(self, folder: Path, learners: int) -> None:
        template = folder / "template.anki2"
        _make_collection(template)
        self._paths = [folder / f"learner{number}.anki2" for number in range(learners)]
        for path in self._paths:
            shutil.copyfile(template, path)

    def fetch(self, limit: int) -> float:
        """Return the seconds in which every learner's queue of the day is fetched, `limit` cards of it handed out."""
        begun_at = time.perf_counter()
        for path in self._paths:
            collection = Collection(str(path))
            queued = collection.sched.get_queued_cards(fetch_limit=limit)
            assert queued.review_count == DUE, queued.review_count
            assert len(queued.cards) == min(limit, DUE)
            collection.close()
        return time.perf_counter() - begun_at


def _make_collection(path: Path) -> None:
    collection = Collection(str(path))
    kind = collection.models.by_name("Basic")
    requests = []
    for number in range(CARDS):
        note = collection.new_note(kind)
        note["Front"], note["Back"] = f"word {number}", f"kata {number}"
        requests.append(AddNoteRequest(note=note, deck_id=1))
    collection.add_notes(requests)
    options = collection.decks.config_dict_for_deck_id(1)
    options["rev"]["perDay"] = 9_999  # the most that Anki takes
    collection.decks.update_config(options)
    generator = Random(1)
    due = set(generator.sample(range(CARDS), DUE))
    today = collection.sched.today
    rows = [
        (
            today - generator.randrange(30) if place in due else today + generator.randint(1, 60),
            generator.randint(5, 60),
            card_id,
        )
        for place, (card_id,) in enumerate(collection.db.execute("SELECT id FROM cards ORDER BY id"))
    ]
    collection.db.executemany(
        "UPDATE cards SET type = 2, queue = 2, reps = 3, factor = 2500, due = ?, ivl = ? WHERE id = ?", rows
    )
    collection.close()


def run(report: Report, *, quick: bool = False) -> None:
    """Measure in a database of its own and add the figures; `quick` is small, for the shape of the output only."""
    load_jobs(tasks.MODULES)
    logging.configure("benchmarks", get_settings().model_copy(update={"log_level": "WARNING"}))
    learners, collections, sample, rounds = (50, 10, 5, 2) if quick else (1_000, 200, 20, 5)
    mine: list[float] = []
    anki: list[float] = []
    anki_all: list[float] = []
    loop: list[float] = []
    with due_queues.own_database(), tempfile.TemporaryDirectory(prefix="elp-anki-") as folder:
        fill(learners)
        others = Collections(Path(folder), collections)
        due_queues.ours()
        others.fetch(1)
        for _ in range(rounds):
            elapsed, queues = due_queues.ours()
            assert queues == learners
            mine.append(learners * DUE / elapsed)
            anki.append(collections * DUE / others.fetch(1))
            anki_all.append(collections * DUE / others.fetch(CARDS))
            loop.append(DUE / due_queues.usual(sample))
    name = f"{learners:,} learners × {CARDS:,} cards"
    unit = "due cards/s"
    for who, rates, times in (
        ("Anki, all handed out", anki_all, 2),
        ("Anki, first card only", anki, 2),
        ("a loop", loop, 20),
    ):
        usual = measured(rates)
        report.add(
            Figure(f"{name}; usual: {who}", unit, measured(mine), usual=usual, least_of_usual=None if quick else times)
        )
    report.note(
        "µs a due card: "
        + ", ".join(
            f"{who} {1e6 / measured(rates).median:.2f}"
            for who, rates in (
                ("ours", mine),
                ("Anki, all handed out", anki_all),
                ("Anki, first card", anki),
                ("a loop", loop),
            )
        )
    )
    report.note(f"Anki was timed on {collections:,} collections a round, the loop on {sample:,} learners")
