"""The doctor's rules: facts in, findings out. Pure; every finding that is not well names its remedy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from worker.doctor.facts import BrokerFacts, DatabaseFacts, Facts
from worker.metrics.state import DatabaseState

Level = Literal["ok", "warning", "critical"]

CLOCK_WARNING: Final = timedelta(seconds=2)
"""Leases and periods tolerate this much; nudges expire after a minute."""
CLOCK_CRITICAL: Final = timedelta(seconds=30)
AGE_WARNING: Final = timedelta(minutes=1)
"""For attempts, outbox entries and messages: usually they wait for milliseconds."""
AGE_CRITICAL: Final = timedelta(minutes=10)
QUEUE_WARNING: Final = 1_000
"""Nudges expire after a minute and are few: more than this means that nobody takes them."""
RENEWAL_LATE: Final = timedelta(hours=1)
UNKNOWN_LONG: Final = timedelta(days=1)
BREAK_WARNING: Final = timedelta(days=7)
"""A payment that differs for longer costs money: gateways refuse claims and disputes after some weeks."""
REPORT_WARNING: Final = timedelta(days=4)
"""Gateways settle on banking days; a long weekend is no fault."""
RESTORABLE_CRITICAL: Final = timedelta(minutes=10)
"""The look is taken each minute."""
PROVEN_WARNING: Final = timedelta(days=3)
"""Backups are proven daily."""
DISK_WARNING: Final = 0.10
DISK_CRITICAL: Final = 0.03
"""Share of the file system that is free."""
MEMORY_WARNING: Final = 0.80
"""Share of Redis' memory limit in use: at 100 % it refuses messages."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    level: Level
    found: str
    remedy: str | None = None
    """None: nothing needs to be done."""


def examine(facts: Facts) -> list[Finding]:
    """Return what every check found, in the order in which an operator should read them."""
    return list(_examine(facts))


def exit_code(findings: list[Finding]) -> int:
    """Return 0, 1 or 2 as monitoring plug-ins do: all well, a warning, something critical."""
    levels = {finding.level for finding in findings}
    return 2 if "critical" in levels else 1 if "warning" in levels else 0


def _examine(facts: Facts) -> Iterator[Finding]:
    yield _database(facts)
    if facts.database is not None:
        yield _migrations(facts.database, facts.expected_revision)
    yield from _broker(facts)
    yield from _clocks(facts)
    state = facts.database.state if facts.database else None
    if facts.database is not None and state is not None:
        yield from _workers(state, facts)
        yield from _jobs(state, facts)
        yield from _inbox(state, facts)
        yield from _outbox(state, facts)
        yield _search(state)
        yield from _billing(state, facts)
        yield from _reconciliation(state, facts)
        yield _backups(state, facts)
        yield from _unknown_work(facts.database)
        yield from _partitions(facts.database)
        yield from _time_zones(facts.database)
    for disk in facts.disks:
        share = disk.free_bytes / disk.total_bytes if disk.total_bytes else 0.0
        level: Level = "critical" if share < DISK_CRITICAL else "warning" if share < DISK_WARNING else "ok"
        found = f"{disk.free_bytes / 2**30:,.1f} GiB ({share:.0%}) free at {disk.folder}"
        remedy = "free space or move ELP_DATA_DIR: PostgreSQL stops when its disk is full"
        yield Finding("disk", level, found, None if level == "ok" else remedy)


def _database(facts: Facts) -> Finding:
    if facts.database is None:
        remedy = "start PostgreSQL, or correct ELP_DATABASE_URL; nothing is graded and no job runs meanwhile"
        return Finding("database", "critical", f"no answer: {facts.database_problem}", remedy)
    if facts.database.in_recovery:
        remedy = "name the primary in ELP_DATABASE_URL, or promote this server"
        return Finding("database", "critical", "in recovery: it takes no writes", remedy)
    return Finding("database", "ok", f"PostgreSQL {facts.database.version} answers")


def _migrations(database: DatabaseFacts, expected: str) -> Finding:
    if database.revision == expected:
        return Finding("migrations", "ok", f"the schema is at {expected}, as this code needs")
    if database.revision is not None and database.revision > expected:
        remedy = "deploy the newer code here, too; the checks below that need the schema were left out"
        return Finding("migrations", "warning", f"schema {database.revision} is newer than this code's", remedy)
    remedy = "run `elp migrate`; the checks below that need the schema were left out"
    return Finding("migrations", "critical", f"schema {database.revision or 'none'}, needed {expected}", remedy)


def _broker(facts: Facts) -> Iterator[Finding]:
    if facts.broker is None:
        remedy = "start Redis, or correct ELP_REDIS_URL; attempts are accepted meanwhile and graded when it is back"
        yield Finding("broker", "critical", f"no answer: {facts.broker_problem}", remedy)
        return
    yield Finding("broker", "ok", "Redis answers")
    yield from _broker_memory(facts.broker)
    state = facts.broker.state
    if state.beat_lock_s is None:
        remedy = "start the process `beat`; meanwhile the pulse starts each period some seconds late"
        yield Finding("beat", "warning", "no beat holds RedBeat's lock", remedy)
    else:
        yield Finding("beat", "ok", "a beat holds RedBeat's lock")
    full = {queue: messages for queue, messages in state.queues.items() if messages >= QUEUE_WARNING}
    if full:
        listed = ", ".join(f"{queue}: {messages:,}" for queue, messages in full.items())
        remedy = "start workers for these queues (-Q in the Procfile); unread nudges are harmless and expire"
        yield Finding("queues", "warning", f"messages pile up: {listed}", remedy)
    else:
        waiting = sum(state.queues.values())
        yield Finding("queues", "ok", f"{waiting:,} messages wait, {state.unacknowledged:,} are being worked on")


def _broker_memory(broker: BrokerFacts) -> Iterator[Finding]:
    if broker.eviction_policy not in {None, "noeviction"}:
        found = f"maxmemory-policy is {broker.eviction_policy}: Redis may drop queues when memory is short"
        yield Finding("broker memory", "warning", found, "set `maxmemory-policy noeviction`")
    if broker.limit_bytes and broker.used_bytes >= MEMORY_WARNING * broker.limit_bytes:
        found = f"{broker.used_bytes / broker.limit_bytes:.0%} of Redis' memory limit is used"
        yield Finding("broker memory", "warning", found, "raise maxmemory, or lower ELP_DUE_QUEUE_CACHE_HOURS")


def _clocks(facts: Facts) -> Iterator[Finding]:
    shown = []
    if facts.database is not None and facts.database.state is not None:
        shown.append(("PostgreSQL", facts.database.state.clock))
    if facts.broker is not None:
        shown.append(("Redis", facts.broker.state.clock))
    for name, clock in shown:
        difference = clock.difference
        beyond = abs(difference) - clock.trip / 2
        level: Level = "critical" if beyond > CLOCK_CRITICAL else "warning" if beyond > CLOCK_WARNING else "ok"
        if level == "ok":
            yield Finding("clocks", "ok", f"{name}'s clock agrees with this machine's")
        else:
            found = f"{name}'s clock is {difference.total_seconds():+.1f} s off this machine's"
            remedy = "have both machines follow NTP: leases and periods are decided by these clocks"
            yield Finding("clocks", level, found, remedy)


def _workers(state: DatabaseState, facts: Facts) -> Iterator[Finding]:
    if state.pulse.leads:
        yield Finding("pulse", "ok", "a worker's pulse leads")
    else:
        remedy = "start a worker; if one runs, its log says `pulse_lost_database` and why"
        yield Finding("pulse", "critical", "no pulse leads: nothing is started, caught up or relayed", remedy)
    alive = [heartbeat for heartbeat in state.heartbeats if heartbeat.is_alive(facts.now)]
    lost = [heartbeat.worker for heartbeat in state.heartbeats if not heartbeat.is_alive(facts.now)]
    if not alive:
        remedy = "start the workers of the Procfile (`elp up`)"
        yield Finding("workers", "critical", "no worker was heard of in the last 30 s", remedy)
        return
    deaf = [heartbeat.worker for heartbeat in alive if not heartbeat.is_consuming]
    listed = ", ".join(heartbeat.worker for heartbeat in alive)
    if deaf:
        remedy = "see that they reach Redis; they reconnect by themselves, or restart them"
        yield Finding("workers", "warning", f"not connected to the broker: {', '.join(deaf)}", remedy)
    if lost:
        remedy = "restart it, or ignore this if it is gone for good (forgotten after a day)"
        yield Finding("workers", "warning", f"not heard of for 30 s: {', '.join(lost)}", remedy)
    if len({heartbeat.version for heartbeat in alive}) > 1:
        versions = ", ".join(f"{heartbeat.worker}: {heartbeat.version}" for heartbeat in alive)
        yield Finding("workers", "warning", f"different versions run: {versions}", "finish the deploy")
    if not deaf and not lost:
        yield Finding("workers", "ok", f"{listed} alive")
    unread = sorted(
        {"attempts", "default", "batch", "billing"} - {queue for heartbeat in alive for queue in heartbeat.queues}
    )
    if unread:
        remedy = "start a worker with -Q for them, as the Procfile has it"
        yield Finding("workers", "critical", f"nobody reads the queues {', '.join(unread)}", remedy)


def _jobs(state: DatabaseState, facts: Facts) -> Iterator[Finding]:
    late = [job for job in state.jobs if job.is_late(facts.now)]
    failed = [job.job for job in state.jobs if job.latest_state == "failed"]
    expired = sum(shards for _, doing, shards in state.open_shards if doing == "expired")
    if late:
        listed = ", ".join(f"{job.job} ({job.behind} periods)" for job in late)
        remedy = "`elp jobs history JOB` shows why; `elp jobs run JOB --period …` runs one by hand"
        yield Finding("jobs", "warning", f"behind: {listed}", remedy)
    if failed:
        remedy = "`elp jobs history JOB` names the run, `elp jobs show RUN` the error, `elp jobs retry RUN` repeats it"
        yield Finding("jobs", "warning", f"the newest run failed: {', '.join(failed)}", remedy)
    if expired:
        remedy = "the pulse hands them to other workers within seconds; if they stay, see the workers above"
        yield Finding("jobs", "warning", f"{expired} shards have a worker that fell silent", remedy)
    paused = [job.job for job in state.jobs if job.is_paused]
    if paused:
        yield Finding("jobs", "ok", f"paused by an operator: {', '.join(paused)} (`elp jobs resume JOB`)")
    if not (late or failed or expired):
        yield Finding("jobs", "ok", f"{len(state.jobs)} jobs are on time")


def _inbox(state: DatabaseState, facts: Facts) -> Iterator[Finding]:
    waiting = sum(lane.attempts for lane in state.lanes)
    old = [lane for lane in state.lanes if lane.oldest_at is not None and facts.now - lane.oldest_at > AGE_WARNING]
    if not old:
        yield Finding("inbox", "ok", f"{waiting:,} attempts wait, none for longer than a minute")
        return
    oldest = max(facts.now - lane.oldest_at for lane in old if lane.oldest_at is not None)
    lanes = ", ".join(str(lane.lane) for lane in old)
    idle = [lane for lane in old if not lane.is_draining]
    remedy = (
        f"nobody drains {len(idle)} of them: start workers for the queue `attempts`, and see their log for errors"
        if idle
        else "they are being drained: add workers for the queue `attempts` if the age grows"
    )
    level: Level = "critical" if oldest > AGE_CRITICAL else "warning"
    yield Finding("inbox", level, f"{waiting:,} attempts wait, up to {_words(oldest)}, in lanes {lanes}", remedy)


def _outbox(state: DatabaseState, facts: Facts) -> Iterator[Finding]:
    outbox = state.outbox
    age = timedelta() if outbox.oldest_at is None else facts.now - outbox.oldest_at
    if outbox.parked:
        remedy = "`elp jobs outbox --parked` shows their errors; `elp jobs outbox retry` or `discard` ends it"
        yield Finding("outbox", "warning", f"{outbox.parked:,} entries were given up", remedy)
    if age > AGE_WARNING:
        level: Level = "critical" if age > AGE_CRITICAL else "warning"
        remedy = "the pulse relays it: see `pulse` and `broker` above"
        found = f"{outbox.waiting + outbox.sent:,} entries are not done, due for up to {_words(age)}"
        yield Finding("outbox", level, found, remedy)
    elif not outbox.parked:
        yield Finding("outbox", "ok", f"{outbox.waiting:,} entries wait, {outbox.deferred:,} are for later")


def _search(state: DatabaseState) -> Finding:
    search = state.search
    if search.is_rolling_out:
        found = f"a new definition of the vectors is being rolled out; {search.marks:,} marks wait"
        return Finding("search", "ok", f"{found} (`elp search status`)")
    if search.oldest_s <= AGE_WARNING.total_seconds():
        return Finding(
            "search", "ok", f"{search.marks:,} edits are to become searchable, none for longer than a minute"
        )
    remedy = "start a worker: its log says `refresher_leads`; `elp search rebuild --resume` does the work by hand"
    found = f"{search.marks:,} edits are not searchable, for up to {_words(timedelta(seconds=search.oldest_s))}"
    return Finding("search", "warning", found, remedy)


def _billing(state: DatabaseState, facts: Facts) -> Iterator[Finding]:
    late = [each for each in state.billing if each.oldest_due_at and facts.now - each.oldest_due_at > RENEWAL_LATE]
    unknown = [each for each in state.billing if each.oldest_open_at and facts.now - each.oldest_open_at > UNKNOWN_LONG]
    if late:
        listed = ", ".join(f"{each.gateway} ({each.due:,})" for each in late)
        remedy = (
            "is the gateway set up (ELP_…_KEY) and answering? `elp jobs history billing.renew`, and the worker's log"
        )
        yield Finding("billing", "warning", f"subscriptions have been due for more than an hour: {listed}", remedy)
    if unknown:
        listed = ", ".join(f"{each.gateway} ({each.open:,})" for each in unknown)
        remedy = "`elp billing charges --state unknown` shows them; ask the gateway, its status API does not tell"
        yield Finding("billing", "warning", f"payments have been unknown for more than a day: {listed}", remedy)
    if not (late or unknown):
        waiting = sum(each.due for each in state.billing)
        yield Finding("billing", "ok", f"{waiting:,} subscriptions are due, none for more than an hour")


def _reconciliation(state: DatabaseState, facts: Facts) -> Iterator[Finding]:
    count = sum(breaks for _, _, breaks, _ in state.breaks)
    old = sum(breaks for _, _, breaks, oldest_at in state.breaks if facts.now - oldest_at > BREAK_WARNING)
    late = [
        f"{gateway} (up to {covered})"
        for gateway, covered in state.settlement_reports
        if covered is not None and facts.now.date() - covered > REPORT_WARNING
    ]
    if old:
        oldest = max(facts.now - oldest_at for _, _, _, oldest_at in state.breaks)
        remedy = "`elp billing breaks list` shows them, `elp billing report` makes finance's page"
        yield Finding("reconciliation", "warning", f"{count:,} breaks are open, up to {_words(oldest)}", remedy)
    if late:
        remedy = "`elp jobs history billing.fetch_settlements`; reports in files come in by `elp billing import FILE`"
        yield Finding("reconciliation", "warning", f"settlement reports are missing: {', '.join(late)}", remedy)
    if not (old or late):
        yield Finding("reconciliation", "ok", f"{count:,} breaks are open, none for longer than a week")


def _backups(state: DatabaseState, facts: Facts) -> Finding:
    backups = state.backups
    if backups is None:
        remedy = "set ELP_BACKUP_REPOSITORY and start the process `wal`"
        return Finding("backups", "warning", "none are made: the database's disk is the only copy", remedy)
    restorable = None if backups.restorable_at is None else facts.now - backups.restorable_at
    proven = None if backups.proven_at is None else facts.now - backups.proven_at
    remedy = "`elp backups check` names what is wrong"
    if restorable is None or restorable > RESTORABLE_CRITICAL:
        since = "no instant can" if restorable is None else f"nothing of the last {_words(restorable)} could"
        return Finding("backups", "critical", f"{since} be restored", remedy)
    if backups.corrupt:
        remedy = "`elp backups list` names them; an older chain serves, `elp backups now full` makes a new one"
        return Finding("backups", "warning", f"{backups.corrupt} are damaged", remedy)
    if proven is None or proven > PROVEN_WARNING:
        since = "none was ever proven" if proven is None else f"none was proven for {_words(proven)}"
        remedy = "`elp backups verify` proves the newest; `elp jobs history backups.verify` shows why it was not"
        return Finding("backups", "warning", f"{since} by a restore", remedy)
    return Finding("backups", "ok", f"restorable up to {_words(restorable)} ago, proven {_words(proven)} ago")


def _unknown_work(database: DatabaseFacts) -> Iterator[Finding]:
    if not database.unknown_work:
        yield Finding("unknown tasks", "ok", "every task and job that waits is known")
    for what, name, entries in database.unknown_work:
        where, remedy = (
            ("outbox entries", "deploy the code that has it, or discard them (`elp jobs outbox`)")
            if what == "outbox"
            else ("unfinished runs", "deploy the code that has it, or end them with `elp jobs cancel RUN`")
        )
        yield Finding("unknown tasks", "warning", f"{entries:,} {where} name {name!r}, which nobody knows", remedy)


def _partitions(database: DatabaseFacts) -> Iterator[Finding]:
    remedy = "run `elp jobs run attempts.ensure_partitions`"
    if not database.next_partition_exists:
        yield Finding("partitions", "warning", "question_attempts has no partition for the next month", remedy)
    if database.default_partition_has_rows:
        # Ids that are no UUIDv7 fall there by design, so rows alone are no fault.
        yield Finding("partitions", "ok", "the default partition holds rows: ids that are not UUIDv7 belong there")
    elif database.next_partition_exists:
        yield Finding("partitions", "ok", "the next month's partition is there, the default one is empty")


def _time_zones(database: DatabaseFacts) -> Iterator[Finding]:
    unknown = [zone for zone in database.zones if zone.offset is None or zone.offset_here is None]
    differing = [zone for zone in database.zones if zone not in unknown and zone.offset != zone.offset_here]
    if unknown:
        listed = ", ".join(f"{zone.name} ({zone.learners:,} learners)" for zone in unknown)
        remedy = "update the package tzdata here and at PostgreSQL, or correct the learners' zones"
        yield Finding("time zones", "warning", f"not known everywhere: {listed}", remedy)
    if differing:
        listed = ", ".join(
            f"{zone.name} ({_offset(zone.offset_here)} here, {_offset(zone.offset)} in PostgreSQL)"
            for zone in differing
        )
        remedy = "update tzdata where it is older: local days begin at different instants"
        yield Finding("time zones", "warning", f"offsets differ: {listed}", remedy)
    if not (unknown or differing):
        yield Finding("time zones", "ok", f"{len(database.zones)} zones of learners are known here and in PostgreSQL")


def _words(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds} s"
    if seconds < 2 * 3_600:
        return f"{seconds // 60} min"
    return f"{seconds // 3_600} h" if seconds < 48 * 3_600 else f"{seconds // 86_400} days"


def _offset(offset: timedelta | None) -> str:
    return "unknown" if offset is None else f"{offset.total_seconds() / 3_600:+g} h"
