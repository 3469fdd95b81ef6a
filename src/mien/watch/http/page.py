"""The page of a watch: the service's own, which begins with the audience here."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mien.serve import pages

router = APIRouter(include_in_schema=False)

_BEGINNING: Final = "<html "


@router.api_route("/", methods=["GET", "HEAD"])
def page() -> HTMLResponse:
    """Serve the page, and tell it where to begin."""
    text = (pages.root() / "index.html").read_text("utf-8")
    text = text.replace(_BEGINNING, f'{_BEGINNING}data-first="audience" ', 1)
    return HTMLResponse(text, headers={"Cache-Control": "no-cache"})
