"""What can go wrong with content."""

from collections.abc import Sequence

from worker.errors import ElpError


class FaultyContentError(ElpError):
    """The content that was built breaks its own rules, so nothing was written.

    Attributes:
        faults: each a sentence that names the question or lesson.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        shown = "\n  ".join(faults[:20])
        more = f"\n  and {len(faults) - 20} more" if len(faults) > 20 else ""  # noqa: PLR2004 - what fits a screen
        super().__init__(f"the content has {len(faults)} faults, nothing was written:\n  {shown}{more}")
        self.faults = tuple(faults)
