"""Whether the service lives, is ready, and in what figures. Names nobody."""

from fastapi import APIRouter

router = APIRouter()
