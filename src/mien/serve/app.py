"""The application: everything put together for one set of settings."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from mien import __version__
from mien.serve import health, inference, models, openapi, pages, problems, published, reading
from mien.serve import stream as streams
from mien.serve.headers import SecurityHeaders
from mien.serve.hosts import KnownHosts, names_of
from mien.serve.logs import failure, log
from mien.serve.observing import HEADER, Observer
from mien.serve.service import Service, check_access
from mien.serve.settings import Settings


def create_app(settings: Settings, peers: Path | None = None) -> FastAPI:
    """Return an application, which shares nothing with any other.

    Args:
        settings: Its settings.
        peers: Where the workers' sockets lie, if it is to be one of several workers.

    Raises:
        ModelError: A model cannot be used.
        SettingsError: The settings do not fit together.

    Example:
        >>> app = create_app(Settings(port=9000))
    """
    service = Service(settings, peers)
    app = FastAPI(
        title="mien",
        version=__version__,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        # The service has figures and a log of its own, and tells no other host of its requests.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = service
    _add_routes(app)
    problems.install(app)
    openapi.install(app)
    _add_middleware(app, service)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    warming = asyncio.create_task(_warm_up(service))
    if service.settings.workers > 1:
        # It takes no connections before: those that work already take them, and whoever asks for
        # readiness is not told this by one worker and that by another.
        await warming
    if service.peers:
        await service.peers.open()
    try:
        yield
    finally:
        await warming
        if service.peers:
            await service.peers.close()
        await asyncio.to_thread(service.close)
        log("ended")


async def _warm_up(service: Service) -> None:
    try:
        await asyncio.to_thread(service.warm_up)
    except Exception as error:
        # It stays alive and says why, and that it is not ready.
        log("warm-up failed", level=logging.ERROR, **failure(error))


def _add_routes(app: FastAPI) -> None:
    app.include_router(reading.router)
    app.include_router(models.router, dependencies=[Depends(check_access)])
    app.include_router(published.router)
    app.include_router(streams.router)
    app.include_router(health.router)
    app.include_router(inference.router)
    app.include_router(inference.guarded, prefix="/v2", tags=["open inference protocol"])
    pages.install(app)


def _add_middleware(app: FastAPI, service: Service) -> None:
    """Add what stands round the routes; what is added last stands outermost."""
    settings = service.settings
    # Within CORS, so that a page that may call is told what is wrong with the name.
    app.add_middleware(KnownHosts, names=names_of(settings))
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", HEADER],
            expose_headers=["ETag", "Retry-After", HEADER],
            max_age=600,
        )
    app.add_middleware(
        SecurityHeaders,
        servers=settings.servers,
        lasting_tls=settings.tls and not settings.tls_self_signed,
    )
    app.add_middleware(Observer, metrics=service.metrics)
