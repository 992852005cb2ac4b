"""What can go wrong with achievements."""

from uuid import UUID

from worker.errors import ElpError


class CatalogueError(ElpError):
    """The catalogue holds something that cannot work."""

    def __init__(self, entry: str, field: str, problem: str) -> None:
        super().__init__(f"catalogue of achievements, {entry}, {field}: {problem}")
        self.entry = entry
        self.field = field


class UnknownAchievementError(ElpError):
    """The catalogue has no such code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the catalogue has no achievement {code!r}: `elp achievements list` shows all")
        self.code = code


class NotAwardedError(ElpError):
    """A learner does not hold an achievement, or it is (not) revoked already."""

    def __init__(self, user_id: UUID, code: str, state: str) -> None:
        super().__init__(f"learner {user_id} has no {state} achievement {code!r}: `elp achievements show {user_id}`")
        self.user_id = user_id
        self.code = code
