"""A node of ComfyUI that paints a clip in the style of a picture; see README.md."""

import functools
import typing

import numpy as np

import vgan

_WHITE = 65535


class Stylize:
    """Images are a clip: each remembers those before it, as frames of a film do."""

    DESCRIPTION = (
        "Paints a clip in the style of a picture, steadily from frame to frame"
    )
    CATEGORY = "image/style"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "stylize"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, typing.Any]:  # noqa: N802
        """Sockets and fields of the node, as ComfyUI asks for them."""
        share = {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.05}
        return {
            "required": {
                "images": ("IMAGE", {"tooltip": "the frames of one clip, in order"}),
                "model": (
                    "STRING",
                    {
                        "default": "painterly",
                        "tooltip": "painterly, painterly_small, a generator.keras or "
                        "a folder that vgan export made",
                    },
                ),
                "style": (
                    "STRING",
                    {
                        "default": "irises",
                        "tooltip": "one that the model knows, the path of a picture, "
                        "or random; not used where style_image is connected",
                    },
                ),
                "strength": ("FLOAT", share),
                "seed": (
                    "INT",
                    {"default": 0, "min": 0, "max": 2**32 - 1, "tooltip": "of random"},
                ),
            },
            "optional": {"style_image": ("IMAGE", {"tooltip": "the first is taken"})},
        }

    def stylize(
        self,
        images: typing.Any,
        model: str,
        style: str,
        strength: float,
        seed: int,
        style_image: typing.Any = None,
    ) -> tuple[typing.Any]:
        """Return the clip, painted.

        Args:
            images: Tensor, float [B, H, W, 3] in 0..1; alpha, a fourth channel, stays.
            model: As of `vgan.load`.
            style: A name or path.
            strength: 0 to 1.
            seed: Of the style "random".
            style_image: Tensor, float [B, h, w, 3], in the place of `style`, or None.

        Raises:
            vgan.InputError: The model or the style cannot be used.
        """
        if style_image is not None:
            style = np.uint8(np.rint(255 * _array(style_image)[0, ..., :3]))
        stylizer = vgan.Stylizer(_load(model), style, strength, seed=seed)
        clip = _array(images)
        # 16 bits each, so that flat areas show no steps.
        frames = np.uint16(np.rint(_WHITE * clip[..., :3]))
        painted = np.stack([stylizer(frame) for frame in frames])
        result = np.float32(painted) / np.float32(_WHITE)
        result = np.concatenate([result, clip[..., 3:]], -1)
        return (images.new_tensor(result),)


@functools.lru_cache(2)
def _load(model):
    return vgan.load(model)


def _array(tensor):
    """A tensor, wherever it is, as float32 in 0..1."""
    return np.clip(np.asarray(tensor.cpu(), np.float32), 0, 1)


NODE_CLASS_MAPPINGS = {"VganStylize": Stylize}
NODE_DISPLAY_NAME_MAPPINGS = {"VganStylize": "Stylize a clip (vgan)"}
