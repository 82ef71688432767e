"""How something that a person wrote is not taken. Holds a sentence for them, in no language yet."""


class NotTaken(Exception):
    """`sentence` is a message id that says what to do instead, `values` fill it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.values = values
