"""Knows the projects: import, export, public data. Talks to nobody."""
