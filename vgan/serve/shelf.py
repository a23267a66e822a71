"""The styles to choose among: those of the model, and paintings that visitors drop."""

import asyncio
import dataclasses
import secrets

import cv2
import numpy as np

from vgan import InputError, pretrained
from vgan.runtime import Stylizer, styles
from vgan.serve.choice import Choice
from vgan.serve.network import Network
from vgan.video import VideoReader
from vgan.video.resizing import resize

THUMBNAIL = (216, 384)  # (H, W)
USUAL = (256, 456)  # (H, W) of a page's frames
SHOWN = 2.5  # second of the sample that thumbnails show
MOST = 32  # paintings that are kept; the oldest goes
LONGEST = 1024  # long side of a painting that is kept, in pixels


@dataclasses.dataclass(eq=False)
class Card:
    """One style.

    Attributes:
        id: Its name in the model; of a painting a secret that only its visitor knows.
        title: To show.
        code: float32 [1, D].
        painting: uint8 RGB [h, w, 3], or None of a style of the model.
        thumbnail: JPEG of a landscape in the style, b"" until it is made.
        made: Set once it is.
    """

    id: str
    title: str
    code: np.ndarray
    painting: np.ndarray | None = None
    thumbnail: bytes = b""
    made: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def facts(self) -> dict:
        """What the page shows."""
        thumbnail = f"/api/styles/{self.id}/thumbnail"
        return {"id": self.id, "title": self.title, "thumbnail": thumbnail}


class Shelf:
    """All styles of one server.

    Args:
        network: What makes codes and thumbnails.
    """

    def __init__(self, network: Network):
        self._network = network
        self._own = {
            name: Card(name, name.replace("_", " "), np.float32([code]))
            for name, code in sorted(network.info.named_styles.items())
        }
        self._dropped = {}
        sample = pretrained.SAMPLE
        with VideoReader(sample, start=SHOWN) as reader:
            self._landscape = resize(next(reader)[0], *THUMBNAIL)

    @property
    def known(self) -> dict[str, Card]:
        """{id: Card} of all."""
        return {**self._own, **self._dropped}

    def listed(self) -> list[dict]:
        """What everyone may see: the model's own styles."""
        return [card.facts() for card in self._own.values()]

    def code(self, choice: Choice) -> np.ndarray:
        """Return the code [1, D] of a choice.

        Raises:
            vgan.InputError: A painting is gone, or the model has no style of its own
                and none was chosen.
        """
        known = self.known
        shares = choice.shares or dict.fromkeys(list(self._own)[:1], 1.0)
        if not shares:
            raise InputError("style: drop a painting; the model has none of its own")
        try:
            codes = [known[style].code for style in shares]
        except KeyError as error:
            raise InputError("style: the painting is gone; drop it again") from error
        return styles.blend(codes, list(shares.values()))

    async def add(self, painting: np.ndarray, title: str) -> dict:
        """Make a style of a painting uint8 RGB [h, w, 3]; return its facts."""
        height, width = painting.shape[:2]
        scale = min(1, LONGEST / max(height, width))
        painting = resize(
            painting, max(1, round(height * scale)), max(1, round(width * scale))
        )

        def encode():
            return styles.code(painting, self._network.encoder)

        code = await self._network.run(encode)
        card = Card(secrets.token_urlsafe(12), title, code, painting)
        await self._paint_thumbnail(card)
        self._dropped[card.id] = card
        while len(self._dropped) > MOST:
            del self._dropped[next(iter(self._dropped))]
        return card.facts()

    async def paint_thumbnails(self) -> None:
        """Make those of the model's styles one by one; frames come between."""
        try:
            await self._network.run(self._warm_up)
            for card in self._own.values():
                await self._paint_thumbnail(card)
        finally:
            for card in self._own.values():
                card.made.set()  # whoever waits is told that there is none

    def _warm_up(self):
        """Let the engine compile for what most pages send, before they do."""
        code = np.zeros((1, self._network.info.code_size), np.float32)
        Stylizer(self._network.engine(*USUAL), code)(np.zeros((*USUAL, 3), np.uint8))

    async def _paint_thumbnail(self, card):
        def paint():
            stylizer = Stylizer(self._network.engine(*THUMBNAIL), card.code)
            return encode_jpeg(stylizer(self._landscape), 88)

        card.thumbnail = await self._network.run(paint)
        card.made.set()


def encode_jpeg(frame: np.ndarray, quality: int = 85) -> bytes:
    """Return a frame uint8 RGB [H, W, 3] as JPEG, of a quality of 0 to 100."""
    frame = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
