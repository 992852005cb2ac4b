"""`python -m worker.billing.sandbox [PORT [URL]]`: the local gateway as a process of its own.

With the platform's URL it sends its notifications there.
"""

import sys

from worker.billing.sandbox.server import Sandbox

if __name__ == "__main__":
    port, webhooks = (*sys.argv[1:3], *("0", "")[len(sys.argv[1:3]) :])
    sandbox = Sandbox(port=int(port), webhooks=webhooks or None)
    sys.stdout.write(f"{sandbox.url}\n")
    sys.stdout.flush()
    sandbox.serve()
