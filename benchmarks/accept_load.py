"""A load generator: `python -m benchmarks.accept_load <port> <path> <requests> <attempts each> <connections>`.

Requests are made before the clock starts and sent over keep-alive connections, one at a time on each, straight from
epoll: 15–30 µs of processor time a request, most of it the kernel's, so that the server fills its core first. It prints
a line of JSON when it is ready, waits for a line, sends, and prints another with what came of it.
"""

import json
import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from worker.clock import now
from worker.ids import uuid7

_QUESTIONS = [str(uuid4()) for _ in range(1_000)]
_LEARNERS = [str(uuid4()) for _ in range(500)]
_LESSON = str(UUID(int=7))
_READ_BYTES = 1 << 18
_ACCEPTED = b"HTTP/1.1 202"


def attempts(count: int) -> list[dict[str, Any]]:
    attempted_at = now().isoformat()
    return [
        {
            "id": str(uuid7()),
            "user_id": _LEARNERS[number % 500],
            "question_id": _QUESTIONS[number % 1_000],
            "lesson_id": _LESSON,
            "answer": {"choice": "b"},
            "time_spent_ms": 4_000 + number,
            "attempted_at": attempted_at,
        }
        for number in range(count)
    ]


def requests(path: str, count: int, each: int) -> Iterator[bytes]:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {os.environ['ELP_API_TOKEN']}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    for _ in range(count):
        items = attempts(each)
        body = json.dumps(items if each > 1 else items[0]).encode()
        yield b"%b%d\r\n\r\n%b" % (head, len(body), body)


def send_all(port: int, prepared: list[bytes], connections: int) -> dict[str, float]:
    """Send all requests and return seconds, the share of a core that this took, and how many were not accepted."""
    poll = select.epoll()
    sockets = {}
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[connection.fileno()] = connection
        poll.register(connection.fileno(), select.EPOLLIN)
    received = dict.fromkeys(sockets, b"")
    waiting = iter(prepared)
    answered = refused = 0
    begun_at, processor_s = time.perf_counter(), time.process_time()
    for connection in sockets.values():
        connection.sendall(next(waiting))
    while answered < len(prepared):
        for descriptor, _ in poll.poll():
            connection = sockets[descriptor]
            answer = received[descriptor] + connection.recv(_READ_BYTES)
            if not answer.endswith(b"}"):  # head and body may come apart; only the end of the body ends so
                received[descriptor] = answer
                continue
            received[descriptor] = b""
            answered += 1
            refused += not answer.startswith(_ACCEPTED)
            request = next(waiting, None)
            if request is not None:
                connection.sendall(request)
    seconds = time.perf_counter() - begun_at
    share = (time.process_time() - processor_s) / seconds
    for connection in sockets.values():
        connection.close()
    return {"seconds": seconds, "processor_share": share, "refused": refused}


def main() -> None:
    port, path, count, each, connections = sys.argv[1:]
    prepared = list(requests(path, int(count), int(each)))
    print(json.dumps({"ready": len(prepared)}), flush=True)
    sys.stdin.readline()
    print(json.dumps(send_all(int(port), prepared, int(connections))), flush=True)


if __name__ == "__main__":
    main()
