"""The same dialogue as python-telegram-bot's own Application and ConversationHandler, in memory only. Keeps nothing.

python -m benchmarks.conversation URL TOKEN httpx|aiohttp
"""

import asyncio
import logging
import re
import signal
import sys
import warnings
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    filters,
)

from delivery.wire import AiohttpRequest

PROJECT, PHASE, PROGRESS, SPENT, END, PROBLEMS, NOTES, SUMMARY = range(8)
PHASES = ("Progettazione", "Affidamento", "Stipula", "Esecuzione", "Collaudo", "Rendicontazione")
CANCEL = ("✖ Annulla", "d:1:1:cancel")
Context = ContextTypes.DEFAULT_TYPE


def keyboard(*rows: tuple[tuple[str, str], ...]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(text, callback_data=data) for text, data in row] for row in rows]
    )


WAYS = (("◀ Indietro", "d:1:1:back"), CANCEL)
CHOICE = keyboard(*((((f"{n} · Progetto {n}"), f"d:1:1:project-{n}"),) for n in range(1, 4)), (CANCEL,))
PHASE_KEYS = keyboard(*(((name, f"d:1:1:choose-{n}"),) for n, name in enumerate(PHASES)), (CANCEL,))
FIELD = keyboard((("Stessa risposta: 50", "d:1:1:same"),), WAYS)
YES_NO = keyboard((("Sì", "d:1:1:choose-0"),), (("No", "d:1:1:choose-1"),), WAYS)
SKIP = keyboard((*WAYS, ("Salta ▶", "d:1:1:skip")))
SEND = keyboard((("✅ Invia", "d:1:1:send"),), (("✏️ Cambia una risposta", "d:1:1:edit"),), WAYS)
MENU = keyboard((("📝 Aggiorna", "m:update"), ("Menu", "m:menu")))


async def say(update: Update, html: str, keys: InlineKeyboardMarkup) -> None:
    chat = update.effective_chat
    assert chat is not None
    if update.callback_query is not None:
        await update.callback_query.answer()
    await chat.send_message(html, parse_mode="HTML", reply_markup=keys)


def answers(context: Context) -> dict[str, Any]:
    kept: dict[str, Any] | None = context.user_data
    assert kept is not None
    return kept


async def begin(update: Update, context: Context) -> int:
    answers(context).clear()
    lines = "\n".join(f"{n}. <b>Progetto {n}</b> – Ente di prova" for n in range(1, 4))
    await say(update, f"<b>Di quale progetto si tratta?</b>\n\n{lines}", CHOICE)
    return PROJECT


def asks(name: str, question: str, keys: InlineKeyboardMarkup, after: int) -> Any:
    """A handler that keeps the answer and asks the next question."""

    async def handle(update: Update, context: Context) -> int:
        given = update.callback_query.data if update.callback_query else update.message and update.message.text
        answers(context)[name] = given
        title = f"Progetto · {after} di 6\n<b>{question}</b>\n<i>Basta il numero, per esempio 45 oppure 45,5.</i>"
        await say(update, f"{title}\n\nL'ultima volta (30 ottobre 2026): {given}", keys)
        return after

    return handle


async def summary(update: Update, context: Context) -> int:
    answers(context)["notes"] = ""
    lines = "\n".join(f"{name}: <b>{value}</b>" for name, value in answers(context).items())
    await say(update, f"<b>Riepilogo</b> · Progetto\n\n{lines}\n\n<b>È tutto giusto?</b>", SEND)
    return SUMMARY


async def send(update: Update, _context: Context) -> int:
    await say(update, "<b>Ricevuto</b>: aggiornamento n. 1, oggi alle 10:00. Grazie!", MENU)
    return ConversationHandler.END


def conversation() -> ConversationHandler[Context]:
    def text(handle: Any) -> list[Any]:
        return [MessageHandler(filters.TEXT & ~filters.COMMAND, handle)]

    def press(pattern: str, handle: Any) -> list[Any]:
        return [CallbackQueryHandler(handle, re.compile(f".*{pattern}"))]

    return ConversationHandler(
        entry_points=[CommandHandler("aggiorna", begin)],
        states={
            PROJECT: press(":project-", asks("project", "A che punto è il progetto?", PHASE_KEYS, PHASE)),
            PHASE: press(":(same|choose-)", asks("phase", "Quanto dei lavori è fatto?", FIELD, PROGRESS)),
            PROGRESS: text(asks("progress", "Quanto avete speso finora, in tutto?", FIELD, SPENT)),
            SPENT: text(asks("spent", "Quando pensate di finire?", FIELD, END)),
            END: text(asks("end", "C'è qualche problema che rallenta il progetto?", YES_NO, PROBLEMS)),
            PROBLEMS: press(":(same|choose-1)$", asks("problems", "Vuoi aggiungere una nota?", SKIP, NOTES)),
            NOTES: press(":skip$", summary),
            SUMMARY: press(":send$", send),
        },
        fallbacks=[],
    )


async def run(url: str, token: str, wire: str) -> None:
    builder = Application.builder().token(token).base_url(f"{url}/bot")
    if wire == "aiohttp":
        builder = builder.request(AiohttpRequest()).get_updates_request(AiohttpRequest())
    application = builder.build()
    application.add_handler(conversation())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling()
        print("ready", flush=True)
        await stop.wait()
        await application.updater.stop()
        await application.stop()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    asyncio.run(run(*sys.argv[1:4]))
