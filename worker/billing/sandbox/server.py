"""The sandbox as a server: `Sandbox()` in a thread, or `python -m worker.billing.sandbox` as its own process."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from worker.billing.sandbox import dialects
from worker.billing.sandbox.pushing import Pusher, Pushes
from worker.billing.sandbox.store import Book

SETTINGS: Final = {
    "midtrans_server_key": dialects.SERVER_KEY,
    "xendit_secret_key": "sandbox-secret-key",
    "xendit_callback_token": dialects.CALLBACK_TOKEN,
    "stripe_secret_key": "sk_test_sandbox",
    "stripe_webhook_secret": dialects.WEBHOOK_SECRET,
}
"""What a process needs to talk to it, beside the addresses."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, book: Book, pushes: Pushes) -> None:
        self.book = book
        self.pushes = pushes
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away: some were killed on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Keep no log."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        book = self.server.book
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = dialects.Asked(self.command, url.path, parse_qs(url.query), headers, body)
        if book.latency_s:
            time.sleep(book.latency_s)
        try:
            if url.path == "/sandbox":
                reply = self._control(asked)
            elif book.is_down:
                reply = dialects.Reply(503, {"error": "down"})
            else:
                reply = dialects.answer(book, asked)
        except dialects.ConnectionLost:
            self.close_connection = True
            self.connection.shutdown(2)
            return
        except dialects.ServerError:
            reply = dialects.Reply(500, {"error": {"type": "api_error"}, "error_code": "SERVER_ERROR"})
        content = json.dumps(reply.content).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _control(self, asked: dialects.Asked) -> dialects.Reply:
        """Show the book, or set its faults: what tests in other processes use."""
        book = self.server.book
        if asked.method == "POST":
            wanted = json.loads(asked.body)
            with book.lock:
                book.next.extend(wanted.get("next", ()))
                book.chances.update(wanted.get("chances", {}))
                book.is_down = wanted.get("is_down", book.is_down)
                book.latency_s = wanted.get("latency_s", book.latency_s)
                pushes = self.server.pushes
                pushes.url = wanted.get("webhooks", pushes.url)
                pushes.chances.update(wanted.get("mischief", {}))
                pushes.late_s = wanted.get("late_s", pushes.late_s)
        with book.lock:
            orders = [
                {"gateway": each.gateway, "key": each.key, "status": each.status, "amount": str(each.amount)}
                for each in book.orders.values()
            ]
            told = dict(self.server.pushes.answers)
            return dialects.Reply(200, {"orders": orders, "asked": dict(book.asked), "told": told})


class Sandbox:
    """Serves until the end of its `with` block; `book` is its state."""

    def __init__(self, book: Book | None = None, *, port: int = 0, webhooks: str | None = None) -> None:
        """Take a free port, or the one named.

        Args:
            book: its state; None: an empty one.
            port: 0: any that is free.
            webhooks: the platform's address, to which notifications go; None: none are sent.
        """
        self.book = book or Book()
        self.pushes = Pushes(url=webhooks)
        self.pusher = Pusher(self.pushes)
        self.book.listeners.append(self.pusher.tell)
        self._server = _Server(port, self.book, self.pushes)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self) -> dict[str, str]:
        """Return the settings with which a process talks to it, by their names."""
        urls = dict.fromkeys(("midtrans_url", "xendit_url", "stripe_url"), self.url)
        return {**SETTINGS, **urls}

    def serve(self) -> None:
        """Serve until the process ends."""
        with self.pusher:
            self._server.serve_forever()

    def __enter__(self) -> Self:
        self._thread.start()
        self.pusher.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.pusher.__exit__()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
