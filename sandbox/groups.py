"""Groups the bot is in."""

from sandbox.chats import Chat, World
from sandbox.wire import Json


class Group(Chat):
    """A group the bot is in; people speak in it with `person.sends(text, to=group)`."""

    def __init__(self, world: World, chat_id: int, title: str) -> None:
        super().__init__(world, chat_id)
        self.title, self.started = title, True

    def described(self) -> Json:
        return {"id": self.id, "type": "supergroup" if self.id <= -(10**12) else "group", "title": self.title}
