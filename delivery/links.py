"""Addresses that people are given. Pure; refuses to know any key: tokens are handed in and not kept."""

from dataclasses import dataclass

from facts.languages import Language


@dataclass(slots=True)
class Links:
    """One for the whole house: `base_url` is where the pages are, `bot` the user name of the Telegram bot.

    `bot` is empty when there is none, or until Telegram has said it.
    """

    base_url: str
    start_pattern: str = "https://t.me/{bot}?start={token}"
    bot: str = ""

    def _at(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}{path}"

    def home(self) -> str:
        return self._at("/")

    def personal(self, token: str) -> str:
        """A referent's own page."""
        return self._at(f"/r/{token}")

    def calendar(self, token: str) -> str:
        """What somebody's calendar reads, by a key of its own."""
        return self._at(f"/calendar/{token}.ics")

    def start(self, token: str) -> str:
        """Opens the chat with the bot and hands it the invitation's key."""
        return self.start_pattern.format(bot=self.bot, token=token)

    def chat(self) -> str:
        """The bot's chat, without a key."""
        return self.start_pattern.format(bot=self.bot, token="").removesuffix("?start=")

    def desk(self, path: str = "") -> str:
        return self._at(f"/desk/{path}" if path else "/desk")

    def desk_questions(self) -> str:
        return self._at("/desk/questions")

    def desk_question(self, question_id: int) -> str:
        return self._at(f"/desk/questions/{question_id}")

    def privacy(self) -> str:
        return self._at("/privacy")

    def faq(self, language: Language = Language.IT) -> str:
        return self._at("/public/faq?lang=en" if language is Language.EN else "/public/faq")

    def accessibility(self) -> str:
        return self._at("/accessibility")
