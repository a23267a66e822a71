"""The node of ComfyUI, with arrays in the place of torch's tensors."""

import numpy as np
import pytest

import vgan
from tools import comfyui

CLIP = np.random.default_rng(0).random((3, 18, 32, 3)).astype(np.float32)


class Tensor:
    """As much of torch's as the node asks for."""

    def __init__(self, array):
        self.array = array

    def cpu(self):
        return self.array

    def new_tensor(self, array):
        return Tensor(np.asarray(array, self.array.dtype))


@pytest.fixture
def node(engine, monkeypatch):
    monkeypatch.setattr(comfyui, "_load", lambda model: engine)
    (kind,) = comfyui.NODE_CLASS_MAPPINGS.values()

    def stylize(images=CLIP, **given):
        fields = kind.INPUT_TYPES()["required"]
        defaults = {n: one[1]["default"] for n, one in fields.items() if n != "images"}
        given = {**defaults, "style": "mosaic", **given}
        (result,) = getattr(kind(), kind.FUNCTION)(images=Tensor(images), **given)
        return result.array

    return stylize


def test_a_node_as_comfyui_wants_it():
    assert (
        comfyui.NODE_CLASS_MAPPINGS.keys() == comfyui.NODE_DISPLAY_NAME_MAPPINGS.keys()
    )
    (kind,) = comfyui.NODE_CLASS_MAPPINGS.values()
    assert kind.RETURN_TYPES == ("IMAGE",)
    inputs = kind.INPUT_TYPES()
    names = [*inputs["required"], *inputs["optional"]]
    code = getattr(kind, kind.FUNCTION).__code__
    assert names == list(code.co_varnames[1 : code.co_argcount])
    for kind, *options in (*inputs["required"].values(), *inputs["optional"].values()):
        assert kind in ("IMAGE", "STRING", "FLOAT", "INT")
        assert all(isinstance(one, dict) for one in options)


def test_a_clip_is_painted_as_the_stylizer_does(node, engine):
    stylizer = vgan.Stylizer(engine, "mosaic")
    wanted = [stylizer(np.uint16(np.rint(65535 * frame))) for frame in CLIP]
    found = node()
    assert found.dtype == np.float32
    assert found.shape == CLIP.shape
    np.testing.assert_array_equal(np.rint(found * 65535), wanted)


def test_strength_alpha_and_range(node):
    alpha = np.concatenate([1.5 * CLIP - 0.2, CLIP[..., :1]], -1)
    np.testing.assert_allclose(
        node(alpha, strength=0.0), np.clip(alpha, 0, 1), atol=1e-5
    )


def test_styles(node):
    picture = np.random.default_rng(1).random((2, 32, 32, 3)).astype(np.float32)
    results = [
        node(),
        node(style_image=Tensor(picture)),
        node(style="random", seed=1),
        node(style="random", seed=2),
    ]
    assert len({result.tobytes() for result in results}) == 4
    with pytest.raises(vgan.InputError, match="there is no such file"):
        node(style="gone.jpg")
