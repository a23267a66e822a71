"""What a server is made of, and how it begins and ends."""

import importlib.util
import os
import socket
import webbrowser
from collections.abc import Callable

from vgan import InputError, pretrained

PATIENCE = 5  # seconds that requests may take to finish once the server is stopped


def serve(
    model: str = "painterly",
    engine: str = "auto",
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    name: tuple[str, ...] | list[str] = (),
    open: bool = False,
    max_upload: float = 1000,
    max_live: int = 8,
    report: Callable[[str], object] = print,
) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    A stop closes the pages' streams after the frame that is being painted, ends film
    jobs, lets other requests finish for `PATIENCE` seconds and removes all files.

    Args:
        model: As of `vgan.load`.
        engine: As of `vgan.load`.
        host: Address to listen at. All but this computer's own need a token.
        port: 0 to 65535; 0 takes one that is free.
        token: Secret of 12 or more characters, or None.
        name: Further names by which the page may be called, those of a proxy.
        open: Open the page in the browser.
        max_upload: Largest film, in megabytes.
        max_live: Pages that may be painted at once, 1 or more.
        report: Function that gets a line for the user: the page's address.

    Raises:
        vgan.InputError: An argument cannot be used, the port is taken, or aiohttp is
            not installed.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise InputError("aiohttp is not installed; pip install -e '.[serve]'")
    from aiohttp import web

    from vgan.serve import app, guard, jobs, network, scratch, shelf

    for argument, value, low, high in (
        ("port", port, 0, 65535),
        ("max_upload", max_upload, 1, 1_000_000),
        ("max_live", max_live, 1, 100),
    ):
        if not low <= value <= high:
            raise InputError(f"{argument}={value}: give {low} to {high}")
    door = guard.Guard(host, token, name)
    with _listen(host, port) as listener, scratch.folder() as folder:
        paints = network.Network(pretrained.find(model), engine)
        with paints:
            styles = shelf.Shelf(paints)
            films = jobs.Jobs(
                folder, paints.model, paints.engine_name, device=paints.device
            )
            site = app.make_app(
                door, paints, styles, films, folder, int(max_upload * 1e6), max_live
            )
            address = door.address(listener.getsockname()[1])

            async def announce(_):
                report(f"{address}  (Ctrl-C ends it)")
                if open:
                    webbrowser.open(address)

            site.on_startup.append(announce)
            web.run_app(
                site,
                sock=listener,
                print=None,
                access_log=None,
                shutdown_timeout=PATIENCE,
            )


def _listen(host, port):
    """The socket, bound before the model is loaded: a port in use is said at once."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else error
        raise InputError(
            f"port={port}: {host} cannot be listened at ({reason}); give another port "
            "or host"
        ) from error
