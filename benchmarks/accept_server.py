"""The API as it is, plus what it is measured against, in one process: `python -m benchmarks.accept_server <port>`.

* `/v1/attempts`: ours;
* `/limit`: reads and decodes the body into the same types and answers 202: what HTTP and JSON alone cost here;
* `/usual`: what one would write first: a route that calls `.delay()` for the attempt.
"""

import sys
from typing import Any

import msgspec
import uvicorn
from litestar import post

from benchmarks.usual_way import process_attempt
from worker.api.__main__ import process_app
from worker.api.app import Api
from worker.attempts.inbox_rows import NewAttempt

LIMIT = "/limit"
USUAL = "/usual"

_decoder = msgspec.json.Decoder(NewAttempt | list[NewAttempt])
_ANSWER = b'{"accepted":[],"duplicates":[],"errors":[]}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]


@post(USUAL, status_code=202)
async def enqueue(data: dict[str, Any]) -> dict[str, str]:
    process_attempt.delay(data)
    return {"accepted": data["id"]}


class MeasuredApi:
    """The API behind the limit's route."""

    def __init__(self, api: Api) -> None:
        api.register(enqueue)
        self._api = api

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the start and end of the process."""
        if scope["type"] != "http" or scope["path"] != LIMIT:
            await self._api(scope, receive, send)
            return
        message = await receive()
        parts = [message["body"]]
        while message["more_body"]:
            message = await receive()
            parts.append(message["body"])
        _decoder.decode(b"".join(parts))
        await send({"type": "http.response.start", "status": 202, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _ANSWER})


if __name__ == "__main__":
    uvicorn.run(
        MeasuredApi(process_app()),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
    )
