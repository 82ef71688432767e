"""Speaks Telegram: raw updates in, the dialogue with referents out. Translates, never decides."""
