"""The two ways in which the queue says no. Holds a sentence for the reader, in no language yet."""


class Refused(Exception):
    """Not possible as things stand. `sentence` is a msgid, `values` fill it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.values = values


class Denied(Refused):
    """Not for this person: a refusal about rights, which is written in the log of who did what."""
