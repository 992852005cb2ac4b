"""What can be wrong with a tryout, said so that its client or an editor knows what to do."""

from uuid import UUID

from worker.errors import ElpError


class MalformedScheme(ElpError):  # noqa: N818  as MalformedQuestion: a state of the content, not an accident
    """A question set's scoring scheme cannot be used; an editor has to mend it.

    Attributes:
        field: where in the scheme, as a path: `scheme.pass.total`.
        reason: what is wrong there.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class CalibrationError(ElpError):
    """The responses at hand do not allow a calibration."""


class UnknownSetError(ElpError):
    """There is no such question set."""

    def __init__(self, set_id: UUID) -> None:
        super().__init__(f"no question set {set_id}: see `elp tryouts check` for those there are")
        self.set_id = set_id
