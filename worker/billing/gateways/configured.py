"""The gateways that the settings turn on, each behind its guard; one set a process, so that limits are kept."""

import os
from collections.abc import Mapping
from functools import lru_cache

from pydantic import SecretStr

from worker.billing.errors import GatewayError
from worker.billing.gateways.guard import Guard
from worker.billing.gateways.midtrans import Midtrans
from worker.billing.gateways.port import Gateway
from worker.billing.gateways.stripe import Stripe
from worker.billing.gateways.xendit import Xendit
from worker.settings import Settings, get_settings


def adapters(settings: Settings) -> dict[str, Gateway]:
    """Return the adapters of the gateways that the settings turn on, by their names; they connect when used."""
    timeout_s, connections = settings.billing_timeout_s, settings.billing_concurrency
    found: list[Gateway] = []
    if settings.midtrans_server_key:
        key = _text(settings.midtrans_server_key)
        found.append(Midtrans(key, settings.midtrans_url, timeout_s=timeout_s, connections=connections))
    if settings.xendit_secret_key:
        key, token = _text(settings.xendit_secret_key), _text(settings.xendit_callback_token)
        found.append(Xendit(key, token, settings.xendit_url, timeout_s=timeout_s, connections=connections))
    if settings.stripe_secret_key:
        key, secret = _text(settings.stripe_secret_key), _text(settings.stripe_webhook_secret)
        found.append(Stripe(key, secret, settings.stripe_url, timeout_s=timeout_s))
    return {each.name: each for each in found}


def guards() -> Mapping[str, Guard]:
    """Return this process's gateways, by their names."""
    return _guards(get_settings().model_dump_json(), os.getpid())


def guard_of(gateway: str) -> Guard:
    """Return one of them.

    Raises:
        GatewayError: the settings do not turn it on.
    """
    try:
        return guards()[gateway]
    except KeyError:
        raise GatewayError(f"the gateway {gateway} is not set up: see docs/billing.md") from None


@lru_cache(maxsize=1)
def _guards(settings_text: str, process_id: int) -> Mapping[str, Guard]:
    del settings_text, process_id  # parts of the key: changed settings, and a forked child's own connections
    settings = get_settings()
    return {
        name: Guard(
            adapter,
            per_second=settings.billing_calls_per_second,
            failures=settings.billing_failures,
            rest_s=settings.billing_rest_s,
        )
        for name, adapter in adapters(settings).items()
    }


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
