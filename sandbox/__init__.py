"""A strict Telegram Bot API server and a mailbox on your own machine. Imports nothing of ours."""
