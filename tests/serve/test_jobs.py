import asyncio
import io
import json
import pathlib
from unittest import mock

import psutil
import pytest
from PIL import Image

from tests.serve.conftest import FILM, picture
from vgan.serve import jobs

VIDEO = {"Content-Type": "video/mp4"}


async def posted(client, film=b"", query=""):
    answer = await client.post(f"/api/jobs{query}", data=FILM + film, headers=VIDEO)
    assert answer.status == 201, await answer.text()
    return f"/api/jobs/{(await answer.json())['id']}"


async def until(client, job, *states):
    while True:
        facts = await (await client.get(job)).json()
        if facts["state"] in states:
            return facts
        assert facts["state"] not in ("done", "failed"), facts["message"]
        await asyncio.sleep(0.02)


def test_a_film_is_painted_and_taken_back(serving, tmp_path):
    async def scenario(client):
        painting = await client.post(
            "/api/styles", data=picture(), headers={"Content-Type": "image/jpeg"}
        )
        own = (await painting.json())["id"]
        query = f"?style=mosaic:0.25&style={own}:0.75&strength=0.5&keep_color=1"
        job = await posted(client, query=query + "&name=..%2F..%2Fmy%20film.mov")
        facts = await until(client, job, "done", "failed")
        assert facts["title"] == "my film.mov"
        assert (facts["done"], facts["total"], facts["message"]) == (4, 4, "")
        answer = await client.get(facts["result"], params={"download": ""})
        kind = answer.headers["Content-Disposition"]
        assert kind == 'attachment; filename="my_film_painted.mp4"'
        order = json.loads(await answer.read())
        assert (order["strength"], order["keep_color"]) == (0.5, True)
        (name, share), (path, other) = order["style"].items()
        assert (name, share, other) == ("mosaic", 0.25, 0.75)
        assert Image.open(path).size == Image.open(io.BytesIO(picture())).size
        assert not list(tmp_path.glob("*/upload*"))  # the film itself is not kept
        assert (await client.delete(job)).status == 204
        assert (await client.get(job)).status == 404
        assert not list(tmp_path.glob("job-*"))

    serving(scenario)


@pytest.mark.parametrize(
    ("film", "message"),
    [(b"bad", "holiday.mp4: is no film"), (b"crash", "could not be painted")],
)
def test_a_film_that_fails_stops_nothing(serving, film, message):
    async def scenario(client):
        bad = await posted(client, film, "?name=holiday.mp4")
        good = await posted(client)
        facts = await until(client, bad, "failed", "done")
        assert message in facts["message"]
        assert "/" not in facts["message"]
        assert (await client.get(f"{bad}/result")).status == 409
        await until(client, good, "done")

    serving(scenario)


def test_a_job_is_cancelled_and_the_next_one_begins(serving, tmp_path):
    async def scenario(client):
        slow, waiting, next_ = [await posted(client, b"slow") for _ in range(2)] + [
            await posted(client)
        ]
        while not (await until(client, slow, "painting"))["done"]:
            await asyncio.sleep(0.02)
        for job in (waiting, slow):
            assert (await client.delete(job)).status == 204
            assert (await client.get(job)).status == 404
        await until(client, next_, "done")
        assert len(list(tmp_path.glob("job-*"))) == 1

    serving(scenario)


def test_nothing_looks_into_the_folder_of_a_cancelled_job(serving, tmp_path):
    """A thread removes it at the same time."""
    looked, glob = [], pathlib.Path.glob

    def noted(folder, pattern):
        looked.append(folder)
        return glob(folder, pattern)

    async def scenario(client):
        slow = await posted(client, b"slow")
        (folder,) = tmp_path.glob("job-*")
        next_ = await posted(client)
        await until(client, slow, "painting")
        with mock.patch.object(pathlib.Path, "glob", noted):
            assert (await client.delete(slow)).status == 204
            await until(client, next_, "done")
        assert looked
        assert folder not in looked

    serving(scenario)


def test_a_killed_worker_is_a_failed_job(serving, network):
    async def scenario(client):
        slow = await posted(client, b"slow")
        await until(client, slow, "painting")
        for task in asyncio.all_tasks():
            if "Jobs._work" in repr(task):
                found = task.get_coro().cr_frame.f_locals["job"]
        while found.process is None:
            await asyncio.sleep(0.01)
        found.process.kill()
        facts = await until(client, slow, "failed")
        assert "its process ended" in facts["message"]
        assert (await client.get("/api/health")).status == 200

    serving(scenario)


def test_results_make_room_and_are_not_kept_for_ever(serving, monkeypatch):
    monkeypatch.setattr(jobs, "MOST", 2)

    async def scenario(client):
        first = await posted(client)
        await until(client, first, "done")
        slow = [await posted(client, b"slow") for _ in range(2)]
        assert (await client.get(first)).status == 404  # the oldest result went
        answer = await client.post("/api/jobs", data=FILM, headers=VIDEO)
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        for job in slow:
            assert (await client.get(job)).status == 200

    serving(scenario)


def test_a_server_that_ends_ends_its_jobs(serving):
    workers = []

    async def scenario(client):
        await until(client, await posted(client, b"slow"), "painting")
        workers.extend(psutil.Process().children(recursive=True))

    serving(scenario)  # which sees to it that no file stays
    assert workers
    assert not any(worker.is_running() for worker in workers)
