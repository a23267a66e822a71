"""The server: who is let in, what its answers carry, how it begins and ends."""

import asyncio
import logging
import pathlib

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from vgan import InputError
from vgan.serve import guard
from vgan.serve.handlers import Site
from vgan.serve.jobs import Jobs
from vgan.serve.live import Live
from vgan.serve.network import BusyError, Network
from vgan.serve.shelf import Shelf

_log = logging.getLogger("vgan")


def make_app(
    door: guard.Guard,
    network: Network,
    shelf: Shelf,
    jobs: Jobs,
    folder: pathlib.Path,
    max_upload: int,
    max_live: int,
) -> web.Application:
    """Return the server, ready to run.

    Args:
        door: Who may ask.
        network: What paints.
        shelf: The styles.
        jobs: The films.
        folder: For files while they are read.
        max_upload: Bytes of a film.
        max_live: Streams at once.
    """
    app = web.Application(middlewares=[_answers(door)], client_max_size=4096)

    async def add_headers(request, response):
        response.headers.update(door.headers(request))
        response.headers.setdefault("Cache-Control", "no-store")

    app.on_response_prepare.append(add_headers)
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    live = Live(network, shelf, max_live)
    site = Site(network, shelf, jobs, live, folder, max_upload)

    async def while_running(_):
        jobs.start()
        painting = asyncio.create_task(_thumbnails(shelf))
        yield
        painting.cancel()
        await asyncio.gather(painting, return_exceptions=True)

    async def stop(_):
        await asyncio.gather(live.close(), jobs.close())

    app.cleanup_ctx.append(while_running)
    app.on_shutdown.append(stop)
    app.add_routes(site.routes())
    return app


def _is_ours(record):
    """Whether an error is the server's: who sends no HTTP is told so already."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _answers(door):
    """Whoever may not come in is told so; what goes wrong is one line of JSON."""

    @web.middleware
    async def middleware(request, handler):
        try:
            door.check(request)
            return await handler(request)
        except InputError as error:
            return _error(422, str(error))
        except BusyError:
            return _error(503, "the server is busy; wait", {"Retry-After": "5"})
        except web.HTTPException as error:
            if error.status < 400:
                raise
            kept = ("Retry-After", "WWW-Authenticate", "Allow")
            headers = {k: v for k, v in error.headers.items() if k in kept}
            return _error(error.status, error.reason, headers)
        except ConnectionError:  # the visitor is gone
            raise
        except Exception:
            _log.exception("%s %s", request.method, request.path)
            return _error(500, "the server made a mistake; its log says more")

    return middleware


def _error(status, message, headers=None):
    return web.json_response({"error": message}, status=status, headers=headers)


async def _thumbnails(shelf):
    try:
        await shelf.paint_thumbnails()
    except InputError as error:  # of a model for frames of one size, say
        _log.warning("no thumbnails: %s", error)
