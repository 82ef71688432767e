"""The addresses people are given, as far as the settings and the last start know them."""

from pathlib import Path

from app.settings import Settings
from delivery.links import Links


def known_links(settings: Settings) -> Links:
    """With the bot's name as last heard; without one, Telegram links cannot be made."""
    path = _name_file(settings)
    name = path.read_text(encoding="ascii").strip() if path.exists() else ""
    return Links(settings.public_url, bot=name)


def remember_bot(settings: Settings, name: str) -> None:
    """So that links work from the command line, and when Telegram is away at the next start."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _name_file(settings).write_text(name, encoding="ascii")


def _name_file(settings: Settings) -> Path:
    return settings.data_dir / "telegram-bot"
