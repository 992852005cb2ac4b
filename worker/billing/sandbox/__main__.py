"""`python -m worker.billing.sandbox [PORT]`: the local gateway as a process of its own."""

import sys

from worker.billing.sandbox.server import Sandbox

if __name__ == "__main__":
    sandbox = Sandbox(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    sys.stdout.write(f"{sandbox.url}\n")
    sys.stdout.flush()
    sandbox.serve()
