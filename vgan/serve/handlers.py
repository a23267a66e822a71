"""What each address answers; `api.json` describes the same to programs.

What `Site.routes` does not name does not exist.
"""

import asyncio
import contextlib
import importlib.resources
import io
import json
import pathlib
import re

from aiohttp import web
from PIL import Image

from vgan import __version__, pretrained
from vgan.runtime import Stylizer
from vgan.serve import choice, guard, uploads
from vgan.serve.jobs import Jobs
from vgan.serve.live import Live
from vgan.serve.network import BusyError, Network
from vgan.serve.shelf import Shelf

UPLOADS = 4  # at once
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Site:
    """Handlers of one server."""

    def __init__(
        self,
        network: Network,
        shelf: Shelf,
        jobs: Jobs,
        live: Live,
        folder: pathlib.Path,
        max_upload: float,
    ):
        self._network, self._shelf, self._jobs = network, shelf, jobs
        self._live, self._folder, self._max_upload = live, folder, max_upload
        self._uploading = 0
        self._rates = {
            "live": guard.Buckets(5, 60),
            "picture": guard.Buckets(4, 12),
            "style": guard.Buckets(1, 10),
            "job": guard.Buckets(0.2, 6),
        }

    def routes(self) -> list[web.RouteDef]:
        """All addresses; what is not named here does not exist."""
        pages = importlib.resources.files("vgan.serve") / "page"
        found = []
        for page in pages.iterdir():
            suffix = pathlib.PurePath(page.name).suffix
            if suffix in TYPES:
                handler = _file(page.read_bytes(), TYPES[suffix])
                names = {"index.html": "/", "film.html": "/film"}
                found.append(web.get(names.get(page.name, f"/{page.name}"), handler))
        return [
            *found,
            web.get("/sample.mp4", self.sample),
            web.get("/api", self.api),
            web.get("/api/health", self.health),
            web.get("/api/live", self.live),
            web.get("/api/styles", self.styles),
            web.post("/api/styles", self.add_style),
            web.get("/api/styles/{id}", self.style),
            web.get("/api/styles/{id}/thumbnail", self.thumbnail),
            web.post("/api/pictures", self.picture),
            web.post("/api/jobs", self.add_job),
            web.get("/api/jobs/{id}", self.job),
            web.delete("/api/jobs/{id}", self.remove_job),
            web.get("/api/jobs/{id}/result", self.result),
        ]

    async def sample(self, _: web.Request) -> web.StreamResponse:
        """The film that comes with vgan."""
        return web.FileResponse(pretrained.SAMPLE)

    async def api(self, _: web.Request) -> web.StreamResponse:
        """The description in OpenAPI."""
        text = importlib.resources.files("vgan.serve").joinpath("api.json").read_bytes()
        facts = json.loads(text)
        facts["info"]["version"] = __version__
        return web.json_response(facts)

    async def health(self, _: web.Request) -> web.StreamResponse:
        """Whether it works, and with what."""
        return web.json_response(
            {
                "status": "ok",
                "version": __version__,
                "model": pathlib.Path(self._network.model).stem,
                "engine": self._network.engine_name,
                "live": len(self._live.sockets),
                "jobs": len(self._jobs),
                "max_upload": self._max_upload,
            }
        )

    async def live(self, request: web.Request) -> web.StreamResponse:
        """A page's stream, see `live`."""
        self._limit("live", request)
        return await self._live(request)

    async def styles(self, _: web.Request) -> web.StreamResponse:
        """The model's styles."""
        return web.json_response(self._shelf.listed())

    async def add_style(self, request: web.Request) -> web.StreamResponse:
        """A painting becomes a style."""
        self._limit("style", request)
        async with self._one_upload(), uploads.picture(request, self._folder) as taken:
            painting, _ = taken
            facts = await self._shelf.add(painting, _title(request, "painting"))
        return web.json_response(facts, status=201)

    async def style(self, request: web.Request) -> web.StreamResponse:
        """One style, also a painting that its visitor knows the id of."""
        return web.json_response(self._card(request).facts())

    async def thumbnail(self, request: web.Request) -> web.StreamResponse:
        """A landscape in the style; waits until it is painted."""
        card = self._card(request)
        await card.made.wait()
        if not card.thumbnail:
            raise web.HTTPNotFound(reason="the style has no thumbnail")
        return web.Response(
            body=card.thumbnail,
            content_type="image/jpeg",
            headers={"Cache-Control": "private, max-age=3600"},
        )

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """A picture, painted."""
        self._limit("picture", request)
        chosen = choice.from_query(request.query, self._shelf.known)
        async with self._one_upload(), uploads.picture(request, self._folder) as taken:
            picture, kind = taken

            def paint():
                stylizer = Stylizer(
                    self._network.encoder,
                    self._shelf.code(chosen),
                    strength=chosen.strength,
                    keep_color=chosen.keep_color,
                )
                return stylizer(picture)

            painted = await self._network.run(paint)
        kind = "PNG" if kind == "PNG" else "JPEG"
        body = await asyncio.to_thread(_encode, painted, kind)
        return web.Response(body=body, content_type=f"image/{kind.lower()}")

    async def add_job(self, request: web.Request) -> web.StreamResponse:
        """A film, to be painted."""
        self._limit("job", request)
        chosen = choice.from_query(request.query, self._shelf.known)
        self._shelf.code(chosen)
        async with self._one_upload():
            job = await self._jobs.new(_title(request, "film"))
            try:
                await uploads.receive(request, job.upload, self._max_upload, "video")
                self._jobs.put(job, chosen, self._shelf)
            except BaseException:
                await self._jobs.remove(job)
                raise
        return web.json_response(
            job.facts(), status=201, headers={"Location": f"/api/jobs/{job.id}"}
        )

    async def job(self, request: web.Request) -> web.StreamResponse:
        """How far a film is."""
        return web.json_response(self._job(request).facts())

    async def remove_job(self, request: web.Request) -> web.StreamResponse:
        """Cancel, and remove."""
        await self._jobs.remove(self._job(request))
        return web.Response(status=204)

    async def result(self, request: web.Request) -> web.StreamResponse:
        """The painted film."""
        job = self._job(request)
        if job.state != "done":
            raise web.HTTPConflict(reason="the film is not done")
        name = re.sub(r"[^A-Za-z0-9_-]", "_", pathlib.PurePath(job.title).stem)
        kind = "attachment" if "download" in request.query else "inline"
        return web.FileResponse(
            job.result,
            headers={
                "Content-Disposition": f'{kind}; filename="{name}_painted.mp4"',
                "Content-Type": "video/mp4",
            },
        )

    def _card(self, request):
        try:
            return self._shelf.known[request.match_info["id"]]
        except KeyError:
            raise web.HTTPNotFound(reason="there is no such style") from None

    def _job(self, request):
        try:
            return self._jobs[request.match_info["id"]]
        except KeyError:
            raise web.HTTPNotFound(reason="there is no such job") from None

    def _limit(self, what, request):
        if not self._rates[what].take(request.remote):
            raise web.HTTPTooManyRequests(
                reason="too many requests; wait", headers={"Retry-After": "5"}
            )

    @contextlib.asynccontextmanager
    async def _one_upload(self):
        if self._uploading >= UPLOADS:
            raise BusyError
        self._uploading += 1
        try:
            yield
        finally:
            self._uploading -= 1


def _file(body, kind):
    async def handler(_):
        return web.Response(
            body=body,
            content_type=kind,
            charset="utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    return handler


def _title(request, default):
    """What the visitor calls a file: to show, never to open."""
    name = request.query.get("name", "").replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isprintable()).strip()
    return name[:80] or default


def _encode(picture, kind):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, quality=95)
    return file.getvalue()
