"""A local gateway for tests and the demo: Midtrans', Xendit's and a part of Stripe's HTTP, with faults on demand."""
