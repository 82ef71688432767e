"""What can go wrong at the border, with the one bit that matters: is it worth trying again. Sends nothing.

DeliveryError(reason, permanent)
├── Blocked          they closed this door: the address is unreachable from now on (permanent)
├── Undecodable      the markup was refused: once again as plain text (permanent when it already was)
├── NotAPhoto        pictures that it cannot show as photos: once again as documents (permanent when they already were)
├── Migrated         the chat has another id now (`address`)
├── Throttled        too fast: wait `seconds`
├── NeverLeft        no connection: certainly not delivered
└── Uncertain        the connection broke after it left: perhaps delivered, perhaps not
"""


class DeliveryError(Exception):
    """The message was not delivered, or we cannot know. `reason` is for the log and the desk: no personal data."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class Blocked(DeliveryError):
    """This address does not accept messages any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


class Undecodable(DeliveryError):
    """The markup of the text was refused; the words themselves may pass without it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


class NotAPhoto(DeliveryError):
    """A picture was refused as a photo (its proportions, its format); as a document it may pass."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


class Migrated(DeliveryError):
    """The recipient lives at another address of the same channel now."""

    def __init__(self, address: str) -> None:
        super().__init__("migrated", permanent=False)
        self.address = address


class Throttled(DeliveryError):
    """The provider asks to wait; the message was refused without effect."""

    def __init__(self, seconds: float) -> None:
        super().__init__("throttled", permanent=False)
        self.seconds = seconds


class NeverLeft(DeliveryError):
    """No usable connection to the provider: nothing was handed over. Whoever waits for that is hastened together."""

    REASON = "no connection"

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.REASON}: {detail}" if detail else self.REASON, permanent=False)


class Uncertain(DeliveryError):
    """The provider may have it: no answer, or an answer that says nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=False)
