import asyncio
import importlib.resources
import io
import json
import re
import struct
import zlib

from PIL import Image
from yarl import URL

from tests.serve.conftest import FILM, picture
from vgan.serve import guard

JPEG = {"Content-Type": "image/jpeg"}
VIDEO = {"Content-Type": "video/mp4"}
PAGE = importlib.resources.files("vgan.serve") / "page"


def test_pages_run_their_own_files_alone(serving):
    async def scenario(client):
        for address in ("/", "/film", "/live.js", "/style.css", "/api", "/nothing"):
            answer = await client.get(address)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.status == (404 if address == "/nothing" else 200)
        for address in ("/", "/film"):
            text = await (await client.get(address)).text()
            assert " style=" not in text
            assert "<style" not in text
            assert not re.search(r"<script(?! type=\"module\" src)", text)
            assert not re.search(r"\son\w+=", text)
            for link in re.findall(r'(?:src|href)="([^"]+)"', text):
                assert (await client.get("/" + link.lstrip("/"))).status == 200, link
        for module in PAGE.iterdir():
            for link in re.findall(r'from "\./([^"]+)"', module.read_text()):
                assert (PAGE / link).is_file()

    serving(scenario)


def test_everything_is_labelled():
    """Each control has a name for who hears the page, each id is there once."""
    for name in ("index.html", "film.html"):
        text = (PAGE / name).read_text()
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        for control in re.findall(r"<(?:input|select)\b[^>]*>", text, re.DOTALL):
            (id_,) = re.findall(r'\bid="([^"]+)"', control)
            inside = re.search(rf"<label>\s*<input id=\"{id_}\"", text)
            assert "aria-label" in control or f'for="{id_}"' in text or inside, id_


PATHS = [
    "/../app.py",
    "/..%2fapp.py",
    "/%2e%2e/%2e%2e/setup.py",
    "/page/../../files.py",
    "//etc/passwd",
    "/api/styles/..%2f..%2fetc%2fpasswd/thumbnail",
    "/api/jobs/..%2f..%2fx/result",
    "/sample.mp4/../painterly.keras",
    "/film.html%00.js",
]


def test_nothing_of_the_disk_is_reached(serving):
    async def scenario(client):
        for path in PATHS:
            url = URL(f"http://{client.host}:{client.port}{path}", encoded=True)
            async with client.session.get(url) as answer:
                assert answer.status in (400, 404), path

    serving(scenario)


def test_the_description_names_all_addresses(serving):
    async def scenario(client):
        facts = await (await client.get("/api")).json()
        assert facts["openapi"].startswith("3.1")
        told = {
            (verb.upper(), path) for path, of in facts["paths"].items() for verb in of
        }
        there = {
            (route.method, route.resource.canonical)
            for route in client.app.router.routes()
            if route.resource.canonical.startswith("/api") and route.method != "HEAD"
        }
        assert told == there
        text = json.dumps(facts)
        for name in re.findall(r"#/components/schemas/(\w+)", text):
            assert name in facts["components"]["schemas"]

    serving(scenario)


def test_styles_have_thumbnails_that_the_model_made(serving):
    async def scenario(client):
        health = await (await client.get("/api/health")).json()
        assert health["status"] == "ok"
        assert health["engine"] == "keras"
        (style,) = await (await client.get("/api/styles")).json()
        assert style["id"] == style["title"] == "mosaic"
        answer = await client.get(style["thumbnail"])
        assert Image.open(io.BytesIO(await answer.read())).size == (384, 216)

    serving(scenario)


def test_pictures_are_painted(serving):
    async def scenario(client):
        for kind in ("PNG", "JPEG", "WEBP"):
            data = picture(40, 60, kind)
            answer = await client.post(
                "/api/pictures?style=mosaic",
                data=data,
                headers={"Content-Type": f"image/{kind.lower()}"},
            )
            assert answer.status == 200
            painted = Image.open(io.BytesIO(await answer.read()))
            assert painted.size == (60, 40)
            assert painted.format == ("PNG" if kind == "PNG" else "JPEG")
        untouched = await client.post(
            "/api/pictures?strength=0",
            data=picture(kind="PNG"),
            headers={"Content-Type": "image/png"},
        )
        same = Image.open(io.BytesIO(await untouched.read()))
        assert same.tobytes() == Image.open(io.BytesIO(picture(kind="PNG"))).tobytes()

    serving(scenario)


def test_a_painting_becomes_a_style_that_only_its_visitor_knows(serving):
    async def scenario(client):
        answer = await client.post(
            "/api/styles?name=My%20own", data=picture(), headers=JPEG
        )
        assert answer.status == 201
        facts = await answer.json()
        assert facts["title"] == "My own"
        assert len(await (await client.get("/api/styles")).json()) == 1
        assert await (await client.get(f"/api/styles/{facts['id']}")).json() == facts
        assert (await client.get(facts["thumbnail"])).content_type == "image/jpeg"
        query = f"style={facts['id']}:0.5&style=mosaic:0.5"
        answer = await client.post(
            f"/api/pictures?{query}", data=picture(), headers=JPEG
        )
        assert answer.status == 200

    serving(scenario)


def bomb(side=50_000):
    """PNG of 7 gigabytes of pixels in a few kilobytes."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", b"")
        + chunk(b"IEND", b"")
    )


UNUSABLE = [
    ("/api/pictures", picture(), "text/html", 415),
    ("/api/pictures", picture(), "multipart/form-data", 415),
    ("/api/pictures", b"", "image/png", 422),
    ("/api/pictures", b"<svg onload='x'/>", "image/svg+xml", 422),
    ("/api/pictures", b"%!PS-Adobe-3.0 EPSF-3.0", "image/x-eps", 422),
    ("/api/pictures", picture()[:300], "image/jpeg", 422),
    ("/api/pictures", bomb(), "image/png", 422),
    ("/api/styles", bomb(), "image/png", 422),
    ("/api/pictures?style=unknown", picture(), "image/jpeg", 422),
    ("/api/pictures?style=/etc/passwd", picture(), "image/jpeg", 422),
    ("/api/pictures?style=mosaic:nan", picture(), "image/jpeg", 422),
    ("/api/pictures?style=mosaic:0", picture(), "image/jpeg", 422),
    ("/api/pictures?strength=2", picture(), "image/jpeg", 422),
    ("/api/pictures?strength=x", picture(), "image/jpeg", 422),
    ("/api/pictures?keep_color=maybe", picture(), "image/jpeg", 422),
    ("/api/jobs", FILM, "image/png", 415),
    ("/api/jobs", b"", "video/mp4", 422),
    ("/api/jobs", b"#EXTM3U\nfile:///etc/passwd", "video/mp4", 422),
    ("/api/jobs", b"ffconcat version 1.0\nfile /etc/passwd", "video/mp4", 422),
    ("/api/jobs?style=random", FILM, "video/mp4", 422),
]


def test_what_cannot_be_used_is_one_line(serving, monkeypatch):
    monkeypatch.setattr(guard.Buckets, "take", lambda self, visitor: True)

    async def scenario(client):
        for address, data, kind, status in UNUSABLE:
            answer = await client.post(
                address, data=data, headers={"Content-Type": kind}
            )
            assert answer.status == status, (address, data[:20])
            message = (await answer.json())["error"]
            assert message
            assert "\n" not in message
            assert "/tmp" not in message
        assert (await client.get("/api/health")).status == 200

    serving(scenario)


def test_what_is_not_encoded_as_it_says_is_refused(serving):
    async def scenario(client):
        told = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture())}"
        reader, writer = await asyncio.open_connection(client.host, client.port)
        head = f"POST /api/pictures HTTP/1.1\r\nHost: {client.host}:{client.port}\r\n"
        head += f"{told}\r\nContent-Encoding: gzip\r\n\r\n"
        writer.write(head.encode() + picture())
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        writer.close()

    serving(scenario)


def test_who_sends_no_http_leaves_no_traceback(serving, caplog):
    async def scenario(client):
        for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"):
            reader, writer = await asyncio.open_connection(client.host, client.port)
            writer.write(said)
            assert b" 400 " in await reader.readline()
            writer.close()

    serving(scenario)
    assert not caplog.records


def test_uploads_are_bounded(serving, tmp_path):
    async def pieces():
        for _ in range(20):
            yield bytes(100_000)

    async def scenario(client):
        told = {**VIDEO, "Content-Length": str(2_000_000_000)}
        reader, writer = await asyncio.open_connection(client.host, client.port)
        lines = [f"{name}: {value}" for name, value in told.items()]
        head = ["POST /api/jobs HTTP/1.1", f"Host: {client.host}:{client.port}", *lines]
        writer.write("\r\n".join([*head, "", ""]).encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")  # before the body
        writer.close()
        answer = await client.post("/api/jobs", data=pieces(), headers=VIDEO)  # unknown
        assert answer.status == 413
        assert "0.1 MB" in (await answer.json())["error"]
        assert not list(tmp_path.iterdir())

    serving(scenario)


def test_an_upload_that_breaks_off_leaves_nothing(serving, tmp_path):
    async def scenario(client):
        _, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(
            f"POST /api/jobs HTTP/1.1\r\nHost: {client.host}:{client.port}\r\n"
            "Content-Type: video/mp4\r\nContent-Length: 90000\r\n\r\n".encode()
        )
        writer.write(FILM)
        await writer.drain()
        async with asyncio.timeout(30):  # what hangs fails
            while not list(tmp_path.glob("*/upload")):
                await asyncio.sleep(0.01)
            writer.transport.abort()
            while list(tmp_path.iterdir()):
                await asyncio.sleep(0.01)
        assert (await client.get("/api/health")).status == 200

    serving(scenario)


def test_many_requests_are_slowed_down(serving):
    async def scenario(client):
        statuses = [
            (await client.post("/api/jobs", data=b"", headers=VIDEO)).status
            for _ in range(12)
        ]
        assert statuses[0] == 422
        assert statuses[-1] == 429

    serving(scenario)
