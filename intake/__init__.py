"""Receives, from any door: inbox worker, updates, questions, invitations, files. Never sends."""
