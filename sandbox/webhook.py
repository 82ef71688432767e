"""setWebhook and its kin; refuses what Telegram refuses, save that this machine may be reached by plain http.

So does a Bot API server of one's own. An address elsewhere is taken, but never looked up nor reached.
"""

import re
from urllib.parse import urlsplit

from sandbox.botside import BotSide
from sandbox.posting import Webhook, is_loopback
from sandbox.wire import Json, Params, bad_request, too_many

PORTS = {80, 88, 443, 8443}
CONNECTIONS, MOST_CONNECTIONS = 40, 100
LONGEST_SECRET = 256
BETWEEN_SETS = 1.0  # seconds


def set_webhook(bot: BotSide, params: Params) -> bool:
    url = params.text("url")
    if not url:
        return delete_webhook(bot, params)
    _check_pace(bot)
    secret, connections = params.text("secret_token"), params.integer("max_connections", CONNECTIONS)
    _check_url(url)
    _check_secret(secret)
    _forget_pending(bot, params)
    bot.world.updates.remember_allowed(params.json("allowed_updates"))
    webhook = Webhook(url, secret, min(max(connections, 1), MOST_CONNECTIONS), params.text("ip_address"))
    if bot.webhook is None or not webhook.is_as(bot.webhook):
        bot.webhook = webhook
        bot.world.poster.start(webhook)
    return True


def delete_webhook(bot: BotSide, params: Params) -> bool:
    bot.webhook = None
    bot.world.poster.stop()
    _forget_pending(bot, params)
    return True


def get_webhook_info(bot: BotSide, params: Params) -> Json:
    updates, webhook = bot.world.updates, bot.webhook
    info: Json = {"url": webhook.url if webhook else "", "has_custom_certificate": False}
    info["pending_update_count"] = len(updates.pending)
    if webhook:
        names = ("ip_address", "last_error_date", "last_error_message", "max_connections")
        info |= {name: value for name in names if (value := getattr(webhook, name))}
    if updates.allowed is not None:
        info["allowed_updates"] = sorted(updates.allowed)
    return info


def _forget_pending(bot: BotSide, params: Params) -> None:
    if params.flag("drop_pending_updates"):
        bot.world.updates.drop_pending()


def _check_pace(bot: BotSide) -> None:
    """One a second."""
    if bot.limits is None:
        return
    now = bot.world.clock()
    if now < bot.webhook_set_at + BETWEEN_SETS:
        raise too_many(1)
    bot.webhook_set_at = now


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise bad_request("invalid webhook URL specified") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise bad_request("invalid webhook URL specified")
    if is_loopback(parts.hostname):
        return
    if parts.scheme == "http":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if port not in {None, *PORTS}:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _check_secret(secret: str) -> None:
    if len(secret) > LONGEST_SECRET:
        raise bad_request("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad_request("secret token contains unallowed characters")
