"""Signing in and out, and choosing a password. Never says whether an account exists."""

from fastapi import APIRouter

router = APIRouter()
