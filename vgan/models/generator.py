"""The recurrent generator.

In: a content clip [B, T, H, W, 3] in [-1, 1], a style code [B, D], and the state that
the last call returned. Out: the stylized clip [B, T, H, W, 3] in [-1, 1], and the new
state. A content encoder (CNN) halves H and W at each level; a ConvLSTM or ConvGRU runs
over time at the lowest; a decoder under the style code climbs back with skips. Nothing
looks ahead and all memory is in the state, so that a stream, frame by frame, equals the
clip.
"""

import itertools
import typing
from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from vgan import DEEPEST, LUMA
from vgan.models.layers import (
    ReflectConv2D,
    StyledConv2D,
    check_sizes,
    enlarge,
    fold_time,
    local_contrast,
    unfold_time,
)
from vgan.models.recurrent import ConvGRUCell, ConvLSTMCell, RecursiveFilter
from vgan.models.style_encoder import MappingNetwork, StyleEncoder

CELLS = {"lstm": ConvLSTMCell, "gru": ConvGRUCell}


@keras.saving.register_keras_serializable("vgan")
class Generator(keras.Model):
    """Conditional recurrent generator with its style encoder and mapping network.

    The default takes 1.8 GMAC for a frame of 256 x 256; `filters=(8, 16, 32, 64),
    hidden_filters=32, blocks=1` takes 0.6 GMAC.

    Args:
        filters: Channels at strides 1, 2, 4, ... times `patch_size`; the last is where
            the cell runs.
        hidden_filters: Channels of the recurrent state.
        blocks: Residual blocks under the style code after the cell.
        fine_blocks: The same at each finer level of the decoder, where the brush is.
        cell: "lstm" or "gru".
        recursive: Whether the colors are averaged with their own past; see
            `RecursiveFilter`.
        modulation: "weight" or "adain"; see `StyledConv2D`.
        code_size: D of the style code.
        noise_size: Z of the noise that stands for a style.
        style_filters: Channels of the style encoder.
        style_size: Short side in pixels of the style pictures in training; others
            are brought to it before they are encoded.
        named_styles: Codes to keep with the model, {name: [D floats]}.
        patch_size: 1, or 2: the network sees patches of 2 x 2 pixels, and its color
            is enlarged smoothly; luma keeps all pixels. On a CPU such a frame takes
            about half the time, since layers at full size have few channels and move
            much memory.

    Example:
        generator = Generator()
        code = generator.encode_style(style)            # [B, T', h, w, 3] -> [B, D]
        state = generator.initial_state(1, 256, 256)
        for frame in frames:                            # each [1, 1, 256, 256, 3]
            stylized, state = generator(frame, code, state)
    """

    def __init__(
        self,
        filters: Sequence[int] = (16, 32, 64, 96),
        hidden_filters: int = 48,
        blocks: int = 2,
        fine_blocks: int = 0,
        cell: str = "lstm",
        recursive: bool = False,
        modulation: str = "weight",
        code_size: int = 64,
        noise_size: int = 32,
        style_filters: Sequence[int] = (16, 32, 64, 64),
        style_size: int = 128,
        named_styles: dict[str, list[float]] | None = None,
        patch_size: int = 1,
        **kwargs: typing.Any,
    ) -> None:
        # Layers choose their precision; the picture itself stays float32.
        super().__init__(**{"autocast": False, **kwargs})
        check_sizes(
            filters=filters,
            hidden_filters=hidden_filters,
            code_size=code_size,
            noise_size=noise_size,
            style_filters=style_filters,
            style_size=style_size,
        )
        for name, value in (("blocks", blocks), ("fine_blocks", fine_blocks)):
            if type(value) is not int or not 0 <= value <= DEEPEST:
                raise ValueError(
                    f"{name} must be a whole number from 0 to {DEEPEST}, got {value!r}"
                )
        if not isinstance(recursive, bool):
            raise ValueError(f"recursive must be True or False, got {recursive!r}")
        if not isinstance(named_styles, dict | type(None)):
            raise ValueError(f"named_styles must be a dict, got {named_styles!r}")
        if not isinstance(filters, list | tuple) or len(filters) < 2:
            raise ValueError(f"filters needs at least two levels, got {filters}")
        if patch_size not in (1, 2):
            raise ValueError(f"patch_size must be 1 or 2, got {patch_size!r}")
        if not isinstance(cell, str) or cell not in CELLS:
            raise ValueError(f"cell must be one of {sorted(CELLS)}, got {cell!r}")
        self.filters = tuple(filters)
        self.hidden_filters = hidden_filters
        self.blocks = blocks
        self.fine_blocks = fine_blocks
        self.cell = cell
        self.recursive = recursive
        self.modulation = modulation
        self.code_size = code_size
        self.noise_size = noise_size
        self.style_filters = tuple(style_filters)
        self.style_size = style_size
        self.named_styles = dict(named_styles or {})
        self.patch_size = patch_size

        def styled(in_filters, out_filters, name, modulation=modulation):
            return StyledConv2D(
                in_filters, out_filters, code_size, modulation, name=name
            )

        self.style_encoder = StyleEncoder(code_size, style_filters, name="style")
        self.mapping = MappingNetwork(code_size, noise_size, name="mapping")
        self.stem = ReflectConv2D(3 * patch_size**2 + 1, filters[0], name="stem")
        self.down = [
            ReflectConv2D(a, b, strides=2, name=f"down{i}")
            for i, (a, b) in enumerate(itertools.pairwise(filters))
        ]
        deep = filters[-1]
        self.recurrent = CELLS[cell](deep, hidden_filters, name="recurrent")
        self.merge = styled(deep + hidden_filters, deep, "merge")
        self.residual = [
            styled(deep, deep, f"block{i}_{j}") for i in range(blocks) for j in (0, 1)
        ]
        levels = list(zip(filters[:0:-1], filters[-2::-1], strict=True))
        self.reduce = [
            ReflectConv2D(above, above // 2, 1, upsample=True, name=f"reduce{i}")
            for i, (above, _) in enumerate(levels)
        ]
        self.up = [
            styled(above // 2 + skip, skip, f"up{i}")
            for i, (above, skip) in enumerate(levels)
        ]
        # Of normalized colors, one bright blob could hold all the spread (StyleGAN2).
        self.to_rgb = styled(filters[0], 3, "to_rgb", "weight")
        # Faint at first: a network that has been trained without them can get them.
        self.fine, self.fine_out = [], []
        for i, (_, size) in enumerate(levels):
            for j in range(fine_blocks):
                self.fine.append(styled(size, size, f"fine{i}_{j}"))
                self.fine_out.append(
                    ReflectConv2D(size, size, gain=0.1, name=f"fine{i}_{j}_out")
                )
        if recursive:
            stride = 2 ** len(self.down)
            self.filter = RecursiveFilter(stride, name="filter", dtype="float32")
        self.built = True

    @property
    def stride(self) -> int:
        """H and W must divide by this."""
        return self.patch_size * 2 ** len(self.down)

    def encode_style(self, style: KerasTensor) -> KerasTensor:
        """Style image or clip [B, T', h, w, 3] in [-1, 1] -> code [B, D]."""
        return ops.cast(self.style_encoder(style), "float32")

    def encode_noise(self, noise: KerasTensor) -> KerasTensor:
        """Noise [B, Z], standard normal -> code [B, D]."""
        return ops.cast(self.mapping(noise), "float32")

    def initial_state(
        self, batch_size: int, height: int, width: int
    ) -> dict[str, KerasTensor]:
        """State before the first frame, a flat dict of named tensors.

        Args:
            batch_size: B.
            height: H of the frames in pixels, a multiple of `stride`.
            width: W, likewise.
        """
        height, width = height // self.stride, width // self.stride
        cell = self.recurrent.initial_state(batch_size, height, width)
        state = {f"recurrent_{name}": value for name, value in cell.items()}
        for layer in self._styled_layers():
            for name, value in layer.initial_state(batch_size).items():
                state[f"{layer.name}_{name}"] = value
        if self.recursive:
            past = self.filter.initial_state(batch_size, height, width)
            state.update(_prefixed(past, "filter"))
        return state

    def call(
        self,
        content: KerasTensor,
        style_code: KerasTensor,
        state: dict[str, KerasTensor],
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Stylize a clip.

        Args:
            content: Frames [B, T, H, W, 3] in [-1, 1]; T is static.
            style_code: [B, D].
            state: From `initial_state`, or from the call for the frames before.

        Returns:
            Stylized frames [B, T, H, W, 3] in [-1, 1], and the new state.
        """
        num_frames = content.shape[1]
        content = fold_time(content)
        if num_frames > 1:
            style_code = ops.repeat(style_code, num_frames, axis=0)
        new_state = {}

        def styled(layer, x):
            own = _take(state, layer.name)
            x, own = layer(x, style_code, own, num_frames=num_frames)
            new_state.update(_prefixed(own, layer.name))
            return x

        def styled_relu(layer, x):
            return ops.leaky_relu(styled(layer, x), 0.2)

        luma = _luma(content)
        *skips, x = self._encode(content, luma)
        cell_state = _take(state, "recurrent")
        hidden, cell_state = self.recurrent(x, cell_state, num_frames=num_frames)
        new_state.update(_prefixed(cell_state, "recurrent"))
        x = styled_relu(self.merge, ops.concatenate([x, hidden], axis=-1))
        for first, second in zip(self.residual[::2], self.residual[1::2], strict=True):
            x = (x + styled_relu(second, styled_relu(first, x))) * 0.5**0.5
        fine = iter(zip(self.fine, self.fine_out, strict=True))
        for reduce, up in zip(self.reduce, self.up, strict=True):
            x = ops.concatenate([reduce(x), skips.pop()], axis=-1)
            x = styled_relu(up, x)
            for inner, out in itertools.islice(fine, self.fine_blocks):
                x = x + out(styled_relu(inner, x))
        # Light and dark are the content's from the first step on: a network that begins
        # with its negative needs hundreds of steps to turn it round. Color is free.
        color = ops.cast(styled(self.to_rgb, x), "float32")
        if self.recursive:
            own = _take(state, "filter")
            guide = self._of_patches(luma)
            color, own = self.filter(color, guide, own, num_frames=num_frames)
            new_state.update(_prefixed(own, "filter"))
        if self.patch_size == 2:
            color = enlarge(color)
        return unfold_time(ops.tanh(0.5 * (color + luma)), num_frames), new_state

    def encode_content(self, content: KerasTensor) -> list[KerasTensor]:
        """Frames [B, T, H, W, 3] in [-1, 1] -> features at the strides of `filters`.

        Each frame by itself, [B, T, H / stride, W / stride, C].
        """
        num_frames, content = content.shape[1], fold_time(content)
        levels = self._encode(content, _luma(content))
        return [unfold_time(x, num_frames) for x in levels]

    def _encode(self, content, luma):
        if self.patch_size == 2:
            content = ops.space_to_depth(content, 2)
        luma = self._of_patches(luma)
        # Faint texture is what strokes can hold on to, and what moves with the scene.
        x = ops.concatenate([content, local_contrast(luma)], axis=-1)
        levels = [ops.leaky_relu(self.stem(x), 0.2)]
        for down in self.down:
            levels.append(ops.leaky_relu(down(levels[-1]), 0.2))
        return levels

    def _of_patches(self, luma):
        """The mean of each patch."""
        if self.patch_size == 1:
            return luma
        return ops.average_pool(luma, 2, 2, "valid", "channels_last")

    def _styled_layers(self):
        return [self.merge, *self.residual, *self.up, *self.fine, self.to_rgb]

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "hidden_filters": self.hidden_filters,
            "blocks": self.blocks,
            "fine_blocks": self.fine_blocks,
            "cell": self.cell,
            "recursive": self.recursive,
            "modulation": self.modulation,
            "code_size": self.code_size,
            "noise_size": self.noise_size,
            "style_filters": self.style_filters,
            "style_size": self.style_size,
            "named_styles": self.named_styles,
            "patch_size": self.patch_size,
        }


def _luma(content):
    """[..., 3] -> [..., 1]."""
    return ops.sum(content * ops.array(LUMA), axis=-1, keepdims=True)


def _take(state, layer):
    """The entries of one layer, without its prefix."""
    prefix = f"{layer}_"
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _prefixed(state, layer):
    return {f"{layer}_{name}": value for name, value in state.items()}
