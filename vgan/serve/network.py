"""The model of one server, and the one thread in which all of its work is done."""

import asyncio
import concurrent.futures
import functools
import typing
from collections.abc import Callable

from vgan.runtime import engines
from vgan.runtime.upsampling import even_size, working_scale

SIZES = 4  # of frames that an engine is kept ready for
WAITING = 64  # calls that may wait for their turn


class BusyError(Exception):
    """Too much waits already; ask again later."""


class Network:
    """Runs a model for many connections, one call at a time.

    Use it in a `with` block; leaving it waits for the call that runs.

    Args:
        model: Path of a generator.keras, or a folder that vgan.export made.
        engine: As of `vgan.load`, but not "litert", which is for one size.

    Attributes:
        model: As given.
        engine_name: What runs it, as "openvino".
        device: What that runs on; None: the usual.
        info: Its ModelInfo.
        encoder: The engine for what comes in many sizes: style pictures and stills.

    Raises:
        vgan.InputError: The model cannot be used, or the engine is not installed.
    """

    def __init__(self, model: str, engine: str = "auto"):
        self.model = model
        self._opened = engines.Model(model, engine)
        self.info = self._opened.info
        self._waiting = 0
        self.encoder = self._opened.load()
        self.engine_name, self.device = self._opened.name or "auto", self._opened.device
        self._of_size = functools.lru_cache(SIZES)(self._load)
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "vgan-network")

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *exception: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def engine(self, height: int, width: int) -> engines.Engine:
        """Return the engine for frames of [height, width]; call it in the thread.

        Most are compiled for one size: frames of several sizes, which take turns, each
        have an engine of their own.
        """
        if self.engine_name == "keras":
            return self.encoder
        return self._of_size(even_size(height, width, working_scale(height, width)))

    async def run(self, function: Callable, *arguments: object) -> typing.Any:
        """Call a function in the thread, after those that wait already.

        Raises:
            BusyError: More than `WAITING` wait.
        """
        if self._waiting >= WAITING:
            raise BusyError
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, function, *arguments)
        finally:
            self._waiting -= 1

    def _load(self, size):
        return engines.load(self.model, self._opened.name, size, self.device)
