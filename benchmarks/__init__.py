"""Measures how fast the house is beside what it could be. Asserts no speed; a wrong answer stops it."""
