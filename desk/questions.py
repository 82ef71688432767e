"""The queue of questions, and one question with its thread. The rules are in `answering`, not here."""

from fastapi import APIRouter

router = APIRouter()
