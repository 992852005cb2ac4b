"""Lines of several processes on one screen."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from worker.supervisor.output import PrefixedOutput, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_each_line_stands_under_its_name_in_one_column() -> None:
    stream = io.StringIO()
    output = PrefixedOutput(stream, ["api", "worker"], colour=False)
    output("api", "up")
    output("worker", "ready")
    assert stream.getvalue() == "api    | up\nworker | ready\n"


def test_each_name_has_a_colour_of_its_own_and_the_line_has_none() -> None:
    stream = io.StringIO()
    output = PrefixedOutput(stream, ["api", "worker"], colour=True)
    output("api", "up")
    output("worker", "up")
    first, second = stream.getvalue().splitlines()
    assert first != second.replace("worker", "api   ")
    assert first.startswith("\x1b[")
    assert first.endswith("\x1b[0m up")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_refused(environment: dict[str, str]) -> None:
    assert wants_colour(Terminal(), {})
    assert not wants_colour(Terminal(), environment)
    assert not wants_colour(io.StringIO(), {})


def test_lines_of_many_threads_stay_whole() -> None:
    stream = io.StringIO()
    output = PrefixedOutput(stream, ["a"], colour=False)
    with ThreadPoolExecutor(8) as pool:
        for number in range(200):
            pool.submit(output, "a", str(number) * 50)
    assert sorted(stream.getvalue().splitlines()) == sorted(f"a | {str(number) * 50}" for number in range(200))


def test_reader_that_is_gone_does_not_end_the_supervisor() -> None:
    stream = io.StringIO()
    output = PrefixedOutput(stream, ["a"], colour=False)
    stream.close()
    output("a", "line")
