"""What can be wrong with a question about the audit log."""

from worker.errors import ElpError


class InvalidAnchorError(ElpError):
    """A block to compare with is not written as `NUMBER:DIGEST`."""

    def __init__(self) -> None:
        super().__init__("an anchor is NUMBER:DIGEST, as `elp audit verify` printed it, such as 1204:9f86d081…")
