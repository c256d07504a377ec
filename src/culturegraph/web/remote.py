"""Serves a generation of stores on other servers: the same app, on a dataset that is asked over the network.

One process: a store has evaluators, limits and memory of its own. A generation that is published while it serves is
opened beside the one that is served; requests under way end on theirs.
"""

from __future__ import annotations

import threading

from fastapi import FastAPI

from culturegraph.settings import Settings
from culturegraph.store.remote.generation import Generation
from culturegraph.store.remote.opening import Progress, Watch, connect, open_generation, open_remote
from culturegraph.web.app import create_app, make_site
from culturegraph.web.site import Site


def create_remote_app(settings: Settings, progress: Progress) -> FastAPI:
    """Return the app that serves what is published at `settings.endpoints`.

    Raises UpstreamError where none of them answers, or nothing is published there.
    """
    # Its threads wait for the store: as many as the embedded server has evaluators at most, so that one client with
    # its share of slow queries does not hold them all.
    settings = settings.model_copy(update={"workers": settings.workers + settings.long_queries})
    replicas = connect(settings)
    snapshot = open_remote(settings, replicas, progress)
    app = create_app(settings, snapshot)

    def change(generation: Generation) -> None:
        newer = open_generation(replicas, generation, settings)
        old: Site = app.state.site
        app.state.site = make_site(settings, newer, board=old.board, alone=old.alone)
        # What was begun on the old generation may run as long as a query may, and be sent as long again.
        closing = threading.Timer(3 * settings.query_timeout, old.evaluators.close)
        closing.daemon = True
        closing.start()

    app.state.watch = Watch(replicas, settings.endpoint_check, snapshot.path.name, change)
    return app
