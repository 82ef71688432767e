"""Puts Telegram HTML together. Pure; whatever is not Markup already is escaped: nothing foreign gets through."""

from markupsafe import Markup, escape

__all__ = ["bold", "escape", "italic", "lines", "paragraphs", "quote"]


def bold(text: str) -> Markup:
    return Markup("<b>{}</b>").format(text)


def italic(text: str) -> Markup:
    return Markup("<i>{}</i>").format(text)


def quote(text: str) -> Markup:
    return Markup("<blockquote>{}</blockquote>").format(text)


def lines(*parts: str) -> Markup:
    """One below the other; empty ones are left out."""
    return Markup("\n").join(part for part in parts if part)


def paragraphs(*parts: str) -> Markup:
    """With an empty line between; empty ones are left out."""
    return Markup("\n\n").join(part for part in parts if part)
