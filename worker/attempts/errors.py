"""What can be wrong with an attempt or with the question it answers."""

from worker.errors import ElpError


class MalformedAnswer(ElpError):  # noqa: N818  the reason code of the rejection carries the same name
    """The learner's answer does not have the shape that the question's type asks for.

    Attributes:
        field: where in the answer, as a path: `answer.choices[2]`.
        reason: what is wrong there; holds no value of the learner's longer than an option's id.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class MalformedQuestion(ElpError):  # noqa: N818  the reason code of the rejection carries the same name
    """The question's own content (options, answer key) cannot be graded against; an editor has to mend it.

    Attributes:
        field: where in the question, as a path: `answer_key.correct`.
        reason: what is wrong there.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
