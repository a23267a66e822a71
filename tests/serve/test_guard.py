import socket

import pytest

from vgan import InputError
from vgan.serve import guard

TOKEN = "open sesame 42"


HOSTS = [
    "evil.example",
    "evil.example:80",
    "",
    "a@127.0.0.1",
    "127.0.0.1:8000; script-src *",
    "10.0.0.5",
]
ORIGINS = ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "x"]


def test_names_made_to_point_here_are_refused(serving):
    """DNS rebinding: the page of another site asks this server, under its own name."""

    async def scenario(client):
        for host in HOSTS:
            for address in ("/", "/api/styles", "/api/live"):
                answer = await client.get(address, headers={"Host": host})
                assert answer.status in (400, 403), host

    serving(scenario)


def test_other_pages_are_refused(serving):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    async def scenario(client):
        for origin in ORIGINS:
            headers = {"Origin": origin}
            answer = await client.post("/api/jobs", data=b"x", headers=headers)
            assert answer.status == 403, origin
            answer = await client.get("/api/live", headers={**headers, **upgrade})
            assert answer.status == 403, origin

    serving(scenario)


def test_the_own_page_is_let_in(serving):
    async def scenario(client):
        origin = f"http://{client.host}:{client.port}"
        answer = await client.get("/api/styles", headers={"Origin": origin})
        assert answer.status == 200
        async with client.ws_connect("/api/live", headers={"Origin": origin}):
            pass

    serving(scenario)


def test_a_token_opens_the_page_once_and_for_all(serving):
    async def scenario(client):
        assert (await client.get("/")).status == 401
        assert (await client.get("/api/live")).status == 401
        assert (await client.get("/?token=wrong")).status == 401
        answer = await client.get(
            "/", params={"token": TOKEN, "source": "camera"}, allow_redirects=False
        )
        assert answer.status == 303
        assert answer.headers["Location"] == "/?source=camera"  # without the secret
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert (await client.get("/")).status == 200
        client.session.cookie_jar.clear()
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert (await client.get("/api/styles", headers=bearer)).status == 200
        statuses = {(await client.get("/?token=guess")).status for _ in range(15)}
        assert statuses == {401, 429}

    serving(scenario, token=TOKEN)


def test_others_come_in_with_a_token_only():
    for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", ""):
        with pytest.raises(InputError, match="token="):
            guard.Guard(host)
        guard.Guard(host, TOKEN)
    for host in ("127.0.0.1", "localhost", "::1", "127.1.2.3"):
        guard.Guard(host)
    for token in ("short", "ünïcödé ünïcödé"):
        with pytest.raises(InputError, match="token"):
            guard.Guard("127.0.0.1", token)


def test_addresses_are_printed_as_a_browser_takes_them():
    assert guard.Guard("::1").address(80) == "http://[::1]:80/"
    name = socket.gethostname()
    address = guard.Guard("0.0.0.0", TOKEN).address(8000)
    assert address == f"http://{name}:8000/?token=open+sesame+42"


def test_a_bucket_fills_again(monkeypatch):
    now = 0.0
    monkeypatch.setattr(guard.time, "monotonic", lambda: now)
    bucket = guard.Bucket(2)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_visitors_have_buckets_of_their_own_and_few_are_kept():
    buckets = guard.Buckets(0.001, 1)
    assert buckets.take("a")
    assert not buckets.take("a")
    assert buckets.take("b")
    for index in range(2 * guard.KEPT):
        buckets.take(str(index))
    assert len(buckets._known) == guard.KEPT
