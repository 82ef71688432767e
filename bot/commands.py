"""The commands people may write, in Italian and English, and how Telegram learns of them. Names without accents."""

from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats

from facts.languages import N_, Language, speaking

# What Telegram lists beside the text field: name in Italian, name in English, what it does.
LISTED = (
    ("aggiorna", "update", N_("Update a project")),
    ("domanda", "ask", N_("Ask a question")),
    ("progetti", "projects", N_("My projects")),
    ("scadenze", "deadlines", N_("My deadlines")),
    ("domande", "questions", N_("My questions")),
    ("moduli", "forms", N_("Other forms")),
    ("faq", "faq", N_("Frequently asked questions")),
    ("menu", "menu", N_("Everything you can do")),
    ("sostituto", "substitute", N_("Who answers in your place")),
    ("lingua", "language", N_("Italiano or English")),
    ("aiuto", "help", N_("Help and contacts")),
    ("annulla", "cancel", N_("Leave what you are doing")),
    ("privacy", "privacy", N_("How we treat your data")),
    ("esci", "leave", N_("Unlink this chat")),
)


def names(italian: str) -> tuple[str, ...]:
    """A command and its English twin."""
    return tuple(dict.fromkeys(next(one[:2] for one in LISTED if one[0] == italian)))


def listed(language: Language) -> list[BotCommand]:
    _ = speaking(language)
    column = 0 if language is Language.IT else 1
    return [BotCommand(one[column], _(one[2])) for one in LISTED]


async def set_up(bot: Bot) -> None:
    """Tells Telegram which commands there are: Italian for everybody, English for English phones. In private chats."""
    scope = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands(listed(Language.IT), scope=scope)
    await bot.set_my_commands(listed(Language.EN), scope=scope, language_code="en")
