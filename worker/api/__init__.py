"""The HTTP API: accepts attempts at once, tells what became of them, hands out due queues."""
