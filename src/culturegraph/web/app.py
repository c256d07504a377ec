"""The app factory: one FastAPI app over one snapshot, and `/sparql` beside its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from culturegraph import __version__
from culturegraph.protocols.dashboards import read_dashboards
from culturegraph.queries import read_queries
from culturegraph.server.alone import Alone
from culturegraph.server.board import Board
from culturegraph.server.cache import AnswerCache
from culturegraph.settings import Settings
from culturegraph.store.evaluators import Evaluate, Evaluators
from culturegraph.store.kept_answers import remember
from culturegraph.store.snapshot import Snapshot, open_current
from culturegraph.web import (
    about,
    browse,
    corrections,
    dashboards,
    dereferencing,
    entities,
    exports,
    front,
    harvesting,
    kept,
    law,
    machines,
    mementos,
    metrics,
    ontology,
    problems,
    profiles,
    questions,
    reconcile,
    releases,
    schemes,
    search,
    statements,
    statistics,
    suggest,
    validation,
)
from culturegraph.web.entity_route import EntityRoute
from culturegraph.web.middleware import CommonHeaders
from culturegraph.web.pages import Pages
from culturegraph.web.private import check_door
from culturegraph.web.site import Site, compute_revision
from culturegraph.web.sparql import SparqlEndpoint

_FOLDER = Path(__file__).parent
# Entities and what redirects to them come last: they answer for every path that nothing else knows better.
_ROUTERS = (
    front.router,
    corrections.router,
    questions.router,
    dashboards.router,
    suggest.router,
    harvesting.router,
    machines.router,
    search.router,
    reconcile.router,
    schemes.router,
    browse.router,
    law.router,
    about.router,
    metrics.router,
    releases.router,
    mementos.router,
    exports.router,
    statistics.router,
    profiles.router,
    statements.router,
    validation.router,
    ontology.router,
    entities.router,
    dereferencing.router,
)


def make_site(
    settings: Settings,
    snapshot: Snapshot,
    *,
    board: Board | None = None,
    evaluate: Evaluate | None = None,
    room: AnswerCache | None = None,
    alone: Alone | None = None,
) -> Site:
    """Return what the routers share for one snapshot. An app may change from one to another: `app.state.site`.

    `alone` is that of the site before, so that clients have one share on both.
    """
    check_door(settings, snapshot.manifest)
    every = read_queries(settings.queries)
    queries = [query for query in every if query.kind in questions.SHOWN_KINDS]
    board = board or Board()
    if evaluate is None:
        alone = alone or Alone.open(settings, board)
        evaluators = Evaluators(snapshot, settings, remember(snapshot, settings), alone.places.take)
    else:
        # Evaluators that are processes count themselves.
        evaluators = Evaluators(snapshot, settings, evaluate)
    site = Site(
        settings=settings,
        snapshot=snapshot,
        evaluators=evaluators,
        board=board,
        alone=alone,
        pages=Pages(snapshot.version),
        queries={query.id: query for query in queries},
        dashboards=read_dashboards(settings.queries / "dashboards", queries),
        revision=compute_revision(snapshot, settings, every),
        kept=kept.KeptPages(room or kept.make_room(settings.kept_pages)),
    )
    site.pages.lead_to({"/sparql", *(path for router in _ROUTERS for path in _paths(router))})
    return site


def create_app(
    settings: Settings,
    snapshot: Snapshot | None = None,
    *,
    board: Board | None = None,
    evaluate: Evaluate | None = None,
    room: AnswerCache | None = None,
) -> FastAPI:
    """Return the app that serves a snapshot: the published one where none is given.

    `board` holds the counters of all processes; `evaluate` asks another process instead of evaluating here;
    `room` is where kept pages are, which several processes may share.
    Raises StorageError where nothing is published or it is damaged.
    """
    snapshot = snapshot or open_current(settings.store, in_memory=True)
    site = make_site(settings, snapshot, board=board, evaluate=evaluate, room=room)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.site.evaluators.close()

    app = FastAPI(
        title="culturegraph",
        version=__version__,
        description="Linked open data on Peruvian cultural expressions.",
        lifespan=lifespan,
        # Its pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
    )
    app.state.site = site
    # Before all other routes: it answers most requests.
    app.router.routes.insert(0, Route("/sparql", SparqlEndpoint(), methods=None))
    for router in _ROUTERS:
        app.include_router(router)
    # Next: the kind of page that there is most of.
    app.router.routes.insert(1, EntityRoute({path for router in _ROUTERS for path in _paths(router)}))
    app.mount("/static", StaticFiles(directory=_FOLDER / "static"), name="static")
    problems.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=kept.SMALL, compresslevel=kept.LEVEL)
    app.add_middleware(CommonHeaders)
    return app


def _paths(router: APIRouter) -> list[str]:
    return [getattr(route, "path", "") for route in router.routes]
