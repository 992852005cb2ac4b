"""Slow clients are cut, quick ones never."""

import socket
from collections.abc import Iterator

import pytest
from litestar import get
from litestar.response import Stream
from structlog.testing import capture_logs

from tests.api.bodies import new_attempt
from tests.api.server import TOKEN, ApiServer
from tests.support.processes import wait_until
from worker.api import protocol

BEGUN = (
    b"POST /v1/attempts HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: Bearer %s\r\n" % TOKEN.encode()
)


@get("/v1/long", opt={"open": True})
async def long_answer() -> Stream:
    async def parts():
        for _ in range(2_000):
            yield b"x" * 65_536

    return Stream(parts())


@pytest.fixture(scope="module")
def impatient(committed_url: str) -> Iterator[ApiServer]:
    """A server with the patience of a fraction of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "LOOK_S", 0.05)
        patch.setattr(protocol, "READ_TIMEOUT_S", 0.4)
        patch.setattr(protocol, "WRITE_TIMEOUT_S", 0.4)
        with ApiServer(committed_url, routes=[long_answer]) as server:
            yield server


def connected(api: ApiServer) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", api.port), timeout=90)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def is_cut(connection: socket.socket) -> bool:
    """Wait for the end of the connection; time out, and fail, if there is none."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "sent",
    [b"", b"P", BEGUN, BEGUN + b"\r\n", BEGUN + b"\r\n{", b"GET /v1/health HTTP/1.1\r\nX-Slow: "],
    ids=["nothing", "a letter", "headers without an end", "no body", "a byte of the body", "half a header"],
)
def test_client_that_does_not_finish_its_request_is_cut(impatient, sent: bytes):
    with connected(impatient) as connection:
        connection.sendall(sent)
        assert is_cut(connection)


def test_client_that_sends_stray_bytes_between_requests_is_cut(impatient):
    with connected(impatient) as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(65_536)
        connection.sendall(b"\r\n")
        assert is_cut(connection)


def test_headers_without_end_are_cut_however_quick(impatient):
    with connected(impatient) as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\n")
        try:
            for number in range(200):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1_000))
        except ConnectionError:
            return
        assert is_cut(connection)


def test_client_that_does_not_take_its_answer_is_cut(impatient):
    with capture_logs() as logged, connected(impatient) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(b"GET /v1/long HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1)
        wait_until(lambda: any(line.get("reason") == "answer not taken" for line in logged), 90, "the cut")


def test_client_that_waits_between_requests_is_kept(impatient):
    for _ in range(3):
        assert impatient.post(new_attempt()).status_code == 202
