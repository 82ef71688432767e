"""Knows Italy: codes, working calendar, numbers and dates as people write them, two languages. Pure."""
