"""Payment methods: encrypted at rest, read at the last moment."""

from worker.logging import get_logger
from worker.secrets import Cipher, UnreadableSecretError

_log = get_logger(__name__)


def read_method(encrypted: bytes | None, cipher: Cipher) -> str | None:
    """Return a payment method in its gateway's own terms; None: there is none, or no key reads it (which is logged)."""
    if encrypted is None:
        return None
    try:
        return cipher.decrypt(bytes(encrypted))
    except UnreadableSecretError:
        _log.error("payment_method_unreadable")
        return None
