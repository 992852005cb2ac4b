"""What can go wrong with money and its books."""

from uuid import UUID

from worker.errors import ElpError


class MoneyError(ElpError):
    """An amount that its currency cannot have, or amounts that do not go together."""


class ForbiddenTransitionError(ElpError):
    """A subscription is asked to become what it cannot become from what it is.

    Attributes:
        subscription_id: of which one.
        before: its present state.
        after: the wanted one.
    """

    def __init__(self, subscription_id: UUID, before: str, after: str) -> None:
        super().__init__(f"subscription {subscription_id} is {before} and cannot become {after}")
        self.subscription_id = subscription_id
        self.before = before
        self.after = after


class UnknownSubscriptionError(ElpError):
    """There is no such subscription."""

    def __init__(self, subscription_id: UUID) -> None:
        super().__init__(f"no subscription {subscription_id}: see `elp billing subscriptions`")
        self.subscription_id = subscription_id


class RefusedChangeError(ElpError):
    """A subscription cannot be changed so now; the message says why and what to do."""


class GatewayError(ElpError):
    """A gateway is not set up, or cannot do what it was asked."""


class ForgedNotificationError(ElpError):
    """A notification's signature is wrong, or it has none: it says nothing about who sent it, or what happened."""


class ReportError(ElpError):
    """A settlement report that can't be read as a whole."""


class UnknownBreakError(ElpError):
    """There is no such break, or it is not in the state that is needed."""

    def __init__(self, break_id: UUID, problem: str) -> None:
        super().__init__(f"break {break_id}: {problem}; `elp billing breaks list --state all` shows them")
        self.break_id = break_id
