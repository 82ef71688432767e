"""The pages of a house on a loopback socket, and Chromium before them: with a mouse, by keyboard, without scripts."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright

from app.service import Server
from tests.conftest import needed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # milliseconds; the machine may be busy
LAPTOP, PHONE, SMALL = (1280, 900), (390, 844), (320, 568)


@asynccontextmanager
async def served(app: FastAPI, port: int) -> AsyncIterator[None]:
    """On loopback until the block ends."""
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off")
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.listening.wait(), 60)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        needed("Chromium", "apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Window:
    """A page, and what its console complained about."""

    page: Page
    complaints: list[str]

    async def violations(self) -> list[str]:
        """Everything that axe finds here, of whatever impact; and whether the page scrolls sideways."""
        response: dict[str, Any] = (await Axe().run(self.page)).response
        found = [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in response["violations"]]
        wide = await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return [*found, "scrolls sideways"] if wide else found

    async def resize(self, size: tuple[int, int]) -> None:
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})


async def a_window(browser: Browser, size: tuple[int, int] = LAPTOP, *, scripts: bool = True, **more: Any) -> Window:
    viewport = {"width": size[0], "height": size[1]}
    context = await browser.new_context(
        locale="it-IT",
        viewport=viewport,  # type: ignore[arg-type]  # as its documentation has it
        java_script_enabled=scripts,
        **more,
    )
    context.set_default_timeout(PATIENCE)
    window = Window(await context.new_page(), [])
    window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
    window.page.on("console", lambda said: window.complaints.append(said.text) if _is_ours(said.text) else None)
    return window


def _is_ours(text: str) -> bool:
    """The browser also notes answers like 422 and 409, which are answers and no mistakes."""
    return "Content Security Policy" in text or "Uncaught" in text
