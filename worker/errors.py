"""The root of every error this product raises on purpose."""


class ElpError(Exception):
    """Something a caller, an operator or a learner's client can act on; the message names the remedy."""


class ConfigurationError(ElpError):
    """A setting or an installed part does not allow the process to start."""
