"""Text with soft line ends (RFC 3676) as it was written. Pure: letters in, letters out."""

SIGNATURE = "-- "


def unflowed(text: str, *, delete_space: bool = False) -> str:
    """Lines that end in a blank go on in the next one of the same depth of quoting."""
    result: list[str] = []
    waiting: list[str] = []
    waiting_depth = 0
    for line in text.split("\n"):
        depth, rest = _depth(line)
        soft = rest.endswith(" ") and rest != SIGNATURE
        if waiting and (depth != waiting_depth or rest == SIGNATURE):
            result.append(_line(waiting_depth, waiting))
            waiting = []
        waiting.append(rest[:-1] if soft and delete_space else rest)
        waiting_depth = depth
        if not soft:
            result.append(_line(depth, waiting))
            waiting = []
    if waiting:
        result.append(_line(waiting_depth, waiting))
    return "\n".join(result)


def _depth(line: str) -> tuple[int, str]:
    rest = line.lstrip(">")
    return len(line) - len(rest), rest.removeprefix(" ")  # §4.4: the blank was put there for safety


def _line(depth: int, pieces: list[str]) -> str:
    return f"{'>' * depth}{' ' if depth else ''}{''.join(pieces)}"
