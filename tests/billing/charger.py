"""`python -m tests.billing.charger`: what the jobs of billing do at Midtrans, again and again, until it is killed."""

import time

from worker.billing.charging import renew
from worker.billing.gateways.configured import guard_of
from worker.billing.resolving import resolve
from worker.secrets import Cipher
from worker.settings import get_settings


def main() -> None:
    cipher = Cipher.from_settings(get_settings())
    print("ready", flush=True)  # noqa: T201
    while True:
        for work in (renew, resolve):
            work(guard_of("midtrans"), cipher, concurrency=8, go_on=lambda: True, actor="job:billing.renew")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
