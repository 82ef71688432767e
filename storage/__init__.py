"""Remembers: tables, migrations, queries, the only commit. Knows no rule of the office."""
