"""Keeps deadlines: who owes what by when, what to say next, and why not. Sends nothing itself."""
