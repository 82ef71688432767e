"""The rules of the queue: take, answer, note, close. The same from web, Telegram and mail."""
