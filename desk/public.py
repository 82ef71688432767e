"""Pages for everybody: landing, privacy notice, accessibility declaration. Shows nothing of anybody."""

from fastapi import APIRouter

router = APIRouter()
