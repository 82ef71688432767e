"""The style sheets, scripts, fonts and pictures of the pages, which browsers may keep for good. No page, no words.

A template names a file plainly (`/static/raccordo.css`). When it is read, the name is given the mark of what the file
holds (`?v=…`): another content is another address, so whoever has it need never ask again. A name of a file that is not
there is an error then, and not a page without its looks.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from os import PathLike, stat_result
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import FastAPI
from jinja2.ext import Extension
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# The longest first: a file belongs to the first that its path begins with.
FOLDERS: Mapping[str, Path] = {
    "bootstrap-italia": Path(str(files("bootstrap_italia_template") / "static")),
    "htmx": Path(str(files("django_htmx") / "static/django_htmx")),
    "": Path(__file__).parent / "static",
}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # kept, and asked about each time
NAMED = re.compile(r'(?<=")/static/([\w./-]+\.(?:css|js|svg))')


@cache
def mark(path: str) -> str:
    """Of what is at `/static/{path}` now."""
    return hashlib.sha256(_place(path).read_bytes()).hexdigest()[:10]


def _place(path: str) -> Path:
    folder = next(name for name in FOLDERS if not name or path.startswith(f"{name}/"))
    return FOLDERS[folder] / path.removeprefix(f"{folder}/")


class Marked(Extension):
    """Gives the files that a template names their marks."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return NAMED.sub(lambda found: f"{found[0]}?v={mark(found[1])}", source)


class Shelf(StaticFiles):
    """One folder of files. `under`: its place below `/static/`."""

    def __init__(self, under: str) -> None:
        super().__init__(directory=FOLDERS[under])
        self._folder = FOLDERS[under]
        self._under = f"{under}/" if under else ""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        path = self._under + Path(full_path).relative_to(self._folder.resolve()).as_posix()
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        # A font's name says which version of it this is.
        kept = path.endswith(".woff2") or asked == mark(path)
        response.headers["Cache-Control"] = FOR_GOOD if kept else ASK_AGAIN
        return response


def serve(app: FastAPI) -> None:
    for under in FOLDERS:
        app.mount(f"/static/{under}".rstrip("/"), Shelf(under), under or "static")
