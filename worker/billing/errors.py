"""What can go wrong with money and its books."""

from worker.errors import ElpError


class MoneyError(ElpError):
    """An amount that its currency cannot have, or amounts that do not go together."""


class ReportError(ElpError):
    """A settlement report that can't be read as a whole."""
