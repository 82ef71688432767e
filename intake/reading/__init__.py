"""How a mail is taken apart, piece by piece. Pure: bytes in, values out; never raises for what somebody wrote.

Loads neither the database nor the pages: it runs in a process of its own (`child.py`).
"""
