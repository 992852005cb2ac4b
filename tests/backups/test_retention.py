"""What is kept and what goes: rules over any history of backups."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from worker.backups.chains import chain_of, is_sound
from worker.backups.entry import Entry, Proof
from worker.backups.retention import Policy, decide

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def make_entry(number: int, at: datetime, **values: object) -> Entry:
    entry = Entry(
        id=UUID(int=number),
        label=f"b{number:04}",
        kind="full",
        system_identifier="7",
        server_version="18.6",
        database="elp",
        superuser="elp",
        timeline=1,
        start_lsn=f"0/{number:08X}",
        end_lsn=f"0/{number:08X}",
        started_at=at,
        finished_at=at,
        size_bytes=1,
        stored_bytes=1,
        objects={},
    )
    return msgspec.structs.replace(entry, **values)


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    entries: list[Entry] = []
    at = NOW - timedelta(days=draw(st.integers(0, 1_500)))
    for number in range(1, draw(st.integers(1, 40)) + 1):
        at += timedelta(hours=draw(st.integers(1, 24 * 60)))
        kind = draw(st.sampled_from(["full", "incremental", "incremental", "logical"]))
        physical = [entry for entry in entries if entry.is_physical]
        parent = draw(st.sampled_from(physical)).label if kind == "incremental" and physical else None
        if kind == "incremental" and parent is None:
            kind = "full"
        proof = Proof(at=at + timedelta(hours=1), restore_ms=1, target="x", checks=[])
        entries.append(
            make_entry(
                number,
                at,
                kind=kind,
                parent=parent,
                is_held=draw(st.integers(0, 9)) == 0,
                checksum_state="corrupt" if draw(st.integers(0, 9)) == 0 else "unchecked",
                proven=proof if draw(st.integers(0, 4)) == 0 else None,
            )
        )
    return entries


policies = st.builds(
    Policy,
    window=st.integers(1, 60).map(lambda days: timedelta(days=days)),
    daily=st.integers(0, 20),
    weekly=st.integers(0, 10),
    monthly=st.integers(0, 15),
    yearly=st.integers(0, 4),
)


@given(histories(), policies)
def test_no_kept_backup_loses_what_it_builds_on(entries: list[Entry], policy: Policy) -> None:
    decision = decide(entries, policy, NOW)
    by_label = {entry.label: entry for entry in entries}
    for label in decision.kept:
        chain = chain_of(by_label[label], by_label)
        assert chain is not None
        assert all(link.label in decision.kept for link in chain)


@given(histories(), policies)
def test_each_backup_is_kept_or_removed_and_children_go_before_parents(entries: list[Entry], policy: Policy) -> None:
    decision = decide(entries, policy, NOW)
    assert {*decision.kept, *decision.removed} == {entry.label for entry in entries}
    assert not set(decision.kept) & set(decision.removed)
    parents = {entry.label: entry.parent for entry in entries}
    for place, label in enumerate(decision.removed):
        assert parents[label] not in decision.removed[:place]


@given(histories(), policies)
def test_the_last_proven_the_newest_and_the_held_stay_whatever_the_policy(entries: list[Entry], policy: Policy) -> None:
    kept = decide(entries, policy, NOW).kept
    by_label = {entry.label: entry for entry in entries}
    sound = [entry for entry in entries if is_sound(entry, by_label)]
    for entry in entries:
        if entry.is_held:
            assert entry.label in kept
    proven = [entry for entry in sound if entry.proven]
    if proven:
        newest_proof = max(entry.proven.at for entry in proven if entry.proven)
        assert any(entry.label in kept for entry in proven if entry.proven and entry.proven.at == newest_proof)
    for physical in (True, False):
        of_kind = [entry for entry in sound if entry.is_physical is physical]
        if of_kind:
            assert max(of_kind, key=lambda entry: entry.finished_at).label in kept


@given(histories(), policies, st.floats(0, 1))
def test_each_instant_of_the_window_that_could_be_restored_still_can(
    entries: list[Entry], policy: Policy, share: float
) -> None:
    decision = decide(entries, policy, NOW)
    instant = NOW - policy.window * share
    by_label = {entry.label: entry for entry in entries}

    def serving(among: list[Entry]) -> Entry | None:
        fitting = [
            entry for entry in among if entry.is_physical and entry.finished_at <= instant and is_sound(entry, by_label)
        ]
        return max(fitting, key=lambda entry: entry.finished_at, default=None)

    best = serving(entries)
    if best is not None:
        assert best.label in decision.kept
        assert best.start_lsn is not None
        assert decision.log_from["7"] <= best.start_lsn


@given(histories(), policies)
def test_deciding_again_removes_nothing_more(entries: list[Entry], policy: Policy) -> None:
    first = decide(entries, policy, NOW)
    left = [entry for entry in entries if entry.label in first.kept]
    assert decide(left, policy, NOW).removed == []


def test_what_comes_from_the_future_is_kept() -> None:
    policy = Policy(window=timedelta(days=1))
    entries = [make_entry(1, NOW - timedelta(days=300)), make_entry(2, NOW + timedelta(days=300))]
    assert decide(entries, policy, NOW).kept["b0002"] == "its time lies in the future"


def test_generations_grow_sparser_with_age() -> None:
    entries = [make_entry(number, NOW - timedelta(days=800 - number)) for number in range(800)]
    decision = decide(entries, Policy(window=timedelta(days=3), daily=7, weekly=4, monthly=6, yearly=2), NOW)
    reasons = list(decision.kept.values())
    assert reasons.count("within the recovery window") == 1
    assert reasons.count("newest of its day") == 4
    assert reasons.count("newest of its week") >= 1
    assert reasons.count("newest of its year") >= 1
    assert 12 <= len(decision.kept) <= 18


def test_an_older_clusters_log_goes_when_the_window_has_left_it() -> None:
    policy = Policy(window=timedelta(days=10), yearly=3)
    old = [make_entry(number, NOW - timedelta(days=100 - number), system_identifier="1") for number in range(3)]
    new = [make_entry(number, NOW - timedelta(days=30 - number), system_identifier="2") for number in range(10, 13)]
    assert set(decide([*old, *new], policy, NOW).log_from) == {"2"}
