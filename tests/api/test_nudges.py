import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.processes import wait_until
from worker.nudges import LaneNudger


class Broker:
    """Remembers what was published, refuses while `down`, hangs while `blocked`."""

    def __init__(self):
        self.published = []
        self.refusals = 0
        self.down = False
        self.open = threading.Event()
        self.open.set()

    def publish(self, lanes):
        self.open.wait(10)
        if self.down:
            self.refusals += 1
            return False
        self.published += [(time.monotonic(), lane) for lane in range(16) if lanes >> lane & 1]
        return True

    def lanes(self):
        return [lane for _, lane in self.published]


def started(broker, interval_ms=50):
    nudger = LaneNudger(interval_ms, broker.publish)
    nudger.start()
    return nudger


def test_the_first_mark_is_published_at_once():
    broker = Broker()
    nudger = started(broker, interval_ms=60_000)
    nudger.mark(1 << 3 | 1 << 15)
    wait_until(lambda: len(broker.published) == 2, 90)
    assert sorted(broker.lanes()) == [3, 15]
    nudger.stop()


def test_a_lane_is_published_at_most_once_an_interval_and_always_after_the_last_mark():
    broker = Broker()
    nudger = started(broker, interval_ms=100)
    begun_at = time.monotonic()
    end = begun_at + 0.55
    while time.monotonic() < end:
        nudger.mark(1 << 7)
        last_mark = time.monotonic()
        time.sleep(0.001)
    wait_until(lambda: broker.published[-1][0] >= last_mark, 90)
    took_s = time.monotonic() - begun_at
    nudger.stop()
    assert len(broker.published) <= 2 + took_s / 0.1


@settings(max_examples=25, deadline=None)
@given(marks=st.lists(st.integers(1, 0xFFFF), min_size=1, max_size=20))
def test_every_lane_that_was_marked_is_published(marks):
    broker = Broker()
    nudger = started(broker, interval_ms=0)
    for lanes in marks:
        nudger.mark(lanes)
    nudger.stop()
    wanted = {lane for lanes in marks for lane in range(16) if lanes >> lane & 1}
    assert set(broker.lanes()) == wanted


def test_marking_takes_no_time_while_the_broker_hangs():
    broker = Broker()
    broker.open.clear()
    nudger = started(broker)
    nudger.mark(1)
    time.sleep(0.05)
    begun_at = time.monotonic()
    for _ in range(1_000):
        nudger.mark(0xFFFF)
    assert time.monotonic() - begun_at < 5  # the broker hangs for 10 s
    broker.open.set()
    wait_until(lambda: set(broker.lanes()) == set(range(16)), 90)
    nudger.stop()


def test_what_the_broker_refused_is_published_when_it_is_back(monkeypatch):
    monkeypatch.setattr("worker.nudges._RETRY_S", 0.05)
    broker = Broker()
    broker.down = True
    nudger = started(broker)
    nudger.mark(1 << 2 | 1 << 9)
    wait_until(lambda: broker.refusals >= 3, 90)
    broker.down = False
    wait_until(lambda: set(broker.lanes()) == {2, 9}, 90)
    nudger.stop()


def test_stopping_does_not_wait_for_a_broker_that_hangs():
    broker = Broker()
    broker.open.clear()
    nudger = started(broker)
    nudger.mark(1)
    begun_at = time.monotonic()
    nudger.stop(timeout_s=0.2)
    assert time.monotonic() - begun_at < 5  # the broker hangs for 10 s
    broker.open.set()
