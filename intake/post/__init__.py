"""The post office: the doors by which mail comes in, and what a mail means. Reads none: `intake/mail.py` does."""
