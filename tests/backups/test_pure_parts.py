"""Names, pieces, paths, tar streams and the order of backups: rules without a server."""

import io
import tarfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backups.test_retention import NOW, make_entry
from worker.backups.chains import LATEST, Target, candidates, chain_of, parent_for_next
from worker.backups.codec import Codec, DamagedError, NotOursError, new_key
from worker.backups.errors import BackupError
from worker.backups.lsn import format_lsn, parse_lsn, parse_segment, segment_name
from worker.backups.repository import Repository
from worker.backups.streams import CHUNK, Sink, written_by
from worker.backups.tar_stream import TarTruncatedError, TarWatch
from worker.backups.timeline import draw
from worker.backups.wal_pieces import Piece, Switch, cover, newest_path, parse_history, reach
from worker.backups.wal_spool import written_end
from worker.errors import ConfigurationError

MIB = 1 << 20


@given(st.integers(0, 2**64 - 1))
def test_a_position_survives_its_text(position: int) -> None:
    assert parse_lsn(format_lsn(position)) == position


@given(st.integers(1, 2**31), st.integers(0, 2**30), st.sampled_from([1, 16, 64, 1024]))
def test_a_segments_name_tells_timeline_and_number(timeline: int, number: int, mebibytes: int) -> None:
    name = segment_name(timeline, number, mebibytes * MIB)
    assert len(name) == 24
    assert parse_segment(name, mebibytes * MIB) == (timeline, number)


def test_names_are_postgresqls() -> None:
    assert segment_name(1, 0x1_02, 16 * MIB) == "000000010000000100000002"


pieces = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda each: Piece(each[0], sum(each), "0" * 64, ".zst")),
    max_size=20,
)


@given(pieces)
def test_pieces_cover_as_far_as_bytes_are_there_without_a_hole(given_pieces: list[Piece]) -> None:
    there = {byte for piece in given_pieces for byte in range(piece.start, piece.end)}
    end = 0
    while end in there:
        end += 1
    chosen = cover(given_pieces)
    assert reach(given_pieces) == end
    assert {byte for piece in chosen for byte in range(piece.start, piece.end)} >= set(range(end))


def test_a_piece_is_told_by_its_name() -> None:
    piece = Piece(0x1000, 0x2000, "ab" * 32, ".zst.age")
    assert Piece.parse(piece.name) == piece
    assert Piece.parse("something-else") is None


@given(st.binary(max_size=100), st.integers(0, 40_000))
def test_the_end_of_a_padded_segment_is_where_its_last_byte_stands(tmp_path_factory, tail: bytes, pages: int) -> None:
    body = b"".join(b"\x18\xd1" + bytes(8_190) for _ in range(pages % 70)) + tail
    path = tmp_path_factory.mktemp("segment") / "file"
    path.write_bytes(body.ljust(2 * MIB, b"\0"))
    with path.open("rb") as file:
        for begin in (0, len(body.rstrip(b"\0")) // 2):
            assert written_end(file.fileno(), begin) == max(len(body.rstrip(b"\0")), begin)


def test_recovery_follows_the_newest_timeline_that_branched_off_after_the_backup() -> None:
    histories = {2: [Switch(1, 100)], 3: [Switch(1, 100), Switch(2, 200)], 4: [Switch(1, 10)]}
    assert newest_path(1, "0/32", histories).timeline == 3
    assert newest_path(1, "0/8", histories).timeline == 4
    assert newest_path(2, "0/AA", histories).timeline == 3
    path = newest_path(1, "0/32", histories)
    assert path.timelines_of(0, 50) == [1]
    assert path.timelines_of(300, 50) == [3]


def test_a_history_file_is_read() -> None:
    text = "1\t0/3000000\tno recovery target specified\n\n# comment\n2\t0/5000000\tbefore 2026-11-24\n"
    assert parse_history(text) == [Switch(1, 0x3000000), Switch(2, 0x5000000)]


@given(st.lists(st.binary(max_size=2_000), max_size=8), st.integers(1, 1_500))
def test_a_member_of_a_tar_stream_is_kept_however_the_stream_is_cut(contents: list[bytes], step: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, content in enumerate([*contents, b"the manifest"]):
            member = tarfile.TarInfo(f"base/{number}" if number < len(contents) else "backup_manifest")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    data = buffer.getvalue()
    watch = TarWatch(frozenset({"backup_manifest"}))
    for begin in range(0, len(data), step):
        watch.feed(data[begin : begin + step])
    watch.finish()
    assert watch.found == {"backup_manifest": bytearray(b"the manifest")}
    cut = TarWatch(frozenset())
    cut.feed(data[:700])
    with pytest.raises(TarTruncatedError):
        cut.finish()


@pytest.mark.parametrize("keys", [[], [new_key()[0]]], ids=["plain", "encrypted"])
@given(content=st.binary(max_size=5_000))
def test_what_is_sealed_comes_back(keys: list[str], content: bytes) -> None:
    codec = Codec(keys)
    sealed, opened = io.BytesIO(), io.BytesIO()
    codec.seal(io.BytesIO(content), sealed)
    codec.unseal(f"x{codec.suffix}", io.BytesIO(sealed.getvalue()), opened)
    assert opened.getvalue() == content


def test_other_keys_and_changed_bytes_are_told_apart() -> None:
    codec = Codec([new_key()[0]])
    sealed = io.BytesIO()
    codec.seal(io.BytesIO(b"x" * 1_000_000), sealed)
    with pytest.raises(NotOursError):
        Codec([new_key()[0]]).unseal("x.zst.age", io.BytesIO(sealed.getvalue()), io.BytesIO())
    with pytest.raises(NotOursError):
        Codec().unseal("x.zst.age", io.BytesIO(sealed.getvalue()), io.BytesIO())
    changed = bytearray(sealed.getvalue())
    changed[-1] ^= 1
    with pytest.raises(DamagedError):
        codec.unseal("x.zst.age", io.BytesIO(bytes(changed)), io.BytesIO())


def test_a_key_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Codec(["s3cret"])
    assert "s3cret" not in str(caught.value)


def test_a_chain_with_a_missing_or_damaged_link_serves_nothing() -> None:
    full = make_entry(1, NOW - timedelta(days=3))
    damaged = make_entry(2, NOW - timedelta(days=2), kind="incremental", parent="b0001", checksum_state="corrupt")
    child = make_entry(3, NOW - timedelta(days=1), kind="incremental", parent="b0002")
    orphan = make_entry(4, NOW, kind="incremental", parent="gone")
    entries = [full, damaged, child, orphan]
    assert chain_of(orphan, {entry.label: entry for entry in entries}) is None
    assert candidates(entries, LATEST) == [[full]]
    found = parent_for_next(entries, system_identifier="7", major=18, timeline=1)
    assert found == full
    assert parent_for_next(entries, system_identifier="8", major=18, timeline=1) is None
    assert parent_for_next(entries, system_identifier="7", major=18, timeline=2) is None


def test_an_instant_is_served_by_the_backups_that_end_before_it() -> None:
    entries = [make_entry(number, NOW - timedelta(days=number)) for number in (3, 2, 1)]
    found = candidates(entries, Target(at=NOW - timedelta(days=1, hours=12)))
    assert {chain[0].label for chain in found} == {"b0003", "b0002"}


def test_the_picture_shows_what_builds_on_what() -> None:
    full = make_entry(1, NOW - timedelta(days=3), is_held=True)
    entries = [
        full,
        make_entry(2, NOW - timedelta(days=2), kind="incremental", parent="b0001"),
        make_entry(3, NOW - timedelta(days=1), kind="incremental", parent="b0002"),
        make_entry(4, NOW - timedelta(hours=3), kind="logical"),
    ]
    lines = draw(entries, NOW - timedelta(seconds=7), NOW)
    assert lines[0].startswith("● b0001")
    assert lines[3].startswith("◇ b0004")
    assert "held" in lines[0]
    assert lines[1].startswith("└─○ b0002")
    assert lines[2].startswith("  └─○ b0003")
    assert lines[-1].endswith("7 s ago")
    assert draw([], None, NOW) == ["no backup yet"]


def test_location_is_shown_without_credentials(tmp_path: Path) -> None:
    assert Repository(str(tmp_path / "x"), Codec()).location == f"file://{tmp_path}/x"
    with pytest.raises(ConfigurationError, match="cannot be used") as caught:
        Repository("gopher://user:s3cret@host/x", Codec())
    assert "s3cret" not in str(caught.value)


def test_what_a_thread_writes_arrives_whole_and_in_order() -> None:
    def work(sink: Sink) -> None:
        for number in range(1_000):
            sink.write(bytes([number % 251]) * (number * 37))

    with written_by(work) as pieces:
        assert b"".join(pieces) == b"".join(bytes([number % 251]) * (number * 37) for number in range(1_000))


def test_an_error_of_the_writing_thread_is_raised_where_it_is_read() -> None:
    def work(sink: Sink) -> None:
        sink.write(b"x" * CHUNK)
        raise BackupError("cut")

    with written_by(work) as pieces, pytest.raises(BackupError, match="cut"):
        assert list(pieces) == []


def test_the_writing_thread_ends_when_nobody_reads_any_more() -> None:
    def work(sink: Sink) -> None:
        while True:
            sink.write(b"x" * CHUNK)

    with written_by(work) as pieces:
        assert next(pieces)
    assert [thread for thread in threading.enumerate() if thread.name == "written-by"] == []


def test_an_error_of_either_side_comes_through_the_encryption_as_it_was(tmp_path: Path) -> None:
    codec = Codec([new_key()[0]])

    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise BackupError("source")

        def write(self, data: bytes) -> int:
            raise BackupError("sink")

    with pytest.raises(BackupError, match="source"):
        codec.seal(Broken(), io.BytesIO())
    with pytest.raises(BackupError, match="sink"):
        codec.seal(io.BytesIO(b"x"), Broken())
    sealed = io.BytesIO()
    codec.seal(io.BytesIO(b"x"), sealed)
    with pytest.raises(BackupError, match="source"):
        codec.unseal("x.zst.age", Broken(), io.BytesIO())
    with pytest.raises(BackupError, match="sink"):
        codec.unseal("x.zst.age", io.BytesIO(sealed.getvalue()), Broken())


def test_a_local_object_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    repository = Repository(str(tmp_path), Codec())
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "base.zst#4711").write_bytes(b"left by a process that was killed")
    assert list(repository.keys("")) == []
    repository.put_stream("one/base", io.BytesIO(b"x"))
    assert [key for key, _ in repository.keys("")] == ["one/base.zst"]
    repository.delete_below("one")
    assert list(tmp_path.iterdir()) == []
