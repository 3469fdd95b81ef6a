"""What browsers see: the page at /, as built, and /docs, which needs no other host."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

_HERE: Final = Path(__file__).parent
BUILT: Final = _HERE / "static"
"""Where the built page lies, if it was built."""

PLAIN: Final = _HERE / "pages"
"""Pages that need no building."""

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> FileResponse:
    """Show the OpenAPI document for people."""
    return FileResponse(PLAIN / "docs.html", headers={"Cache-Control": "no-cache"})


@router.get("/tally")
async def tally() -> RedirectResponse:
    """Lead to the page's tally, by an address that can be typed on a phone."""
    # Relative, so that it also leads there below a path of a proxy.
    return RedirectResponse("./#/tally", 307)


def root(built: Path | None = None) -> Path:
    """Return the folder of the page.

    Args:
        built: Folder of the built page, by default `BUILT`; without an index in it, a plain
            page is served.
    """
    built = built or BUILT
    return built if (built / "index.html").is_file() else PLAIN


class _Files(StaticFiles):
    """Static files; those whose names bear a hash of their content may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        response = await super().get_response(path, scope)
        hashed = path.startswith("assets/") and response.status_code < 400
        kept = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def install(app: FastAPI, built: Path | None = None) -> None:
    """Serve the page and the documents.

    Args:
        app: The application.
        built: As for `root`.
    """
    app.include_router(router)
    app.mount("/pages", _Files(directory=PLAIN), name="pages")
    files, otherwise = _Files(directory=root(built), html=True), app.router.default

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        handler = files if scope["type"] == "http" else otherwise
        await handler(scope, receive, send)

    # Not mounted at /, which would stand before the answer to a wrong method.
    app.router.default = page
