"""Sends, on any channel: outbox, limits, senders, wording. Decides nothing about what to say."""
