"""The painter: a recurrent generator that lays every pixel anew.

In: a content clip [B, T, H, W, 3] in [-1, 1], a style code [B, D], and the state that
the last call returned. Out: the stylized clip [B, T, H, W, 3] in [-1, 1], and the new
state. Patches of 2 x 2 pixels go through a content encoder (CNN) to stride 4, where a
ConvLSTM at stride 8 adds what it remembers; residual blocks at stride 4 do most of the
work; a decoder returns to full size. Nothing skips the blocks and nothing of the
content is laid over the result. From the blocks on every convolution is normalized
(conditional instance normalization: Dumoulin et al., 2017; for any style: Ghiasi et
al., 2017). The last one makes R, G and B, and these take mean and covariance of the
style's colors: the palette is the style's by construction.

The style code is the vector of the scales and shifts of all these normalizations, and
the palette. It is made once per picture: no dense layer runs per frame, named styles
can be tuned one by one, and blends of codes are linear.

Flat walls and skies give a brush nothing to hold on to: a painter is empty there, or
boils with the camera's noise. So a field of noise lies over the scene, which each style
takes as much of as it needs (per-pixel noise: StyleGAN, Karras et al., 2019). It is a
part of the state, so that whoever knows how the scene moves can let the field move
along; left alone, it stands still.

Statistics of single frames flicker: here they are running averages, carried in the
state. A stream, frame by frame, equals the clip.
"""

import typing
from collections.abc import Sequence

import keras
import numpy as np
from keras import KerasTensor, ops

from vgan import DEEPEST
from vgan.models import palette
from vgan.models.layers import (
    ReflectConv2D,
    check_sizes,
    enlarge,
    fold_time,
    unfold_time,
)
from vgan.models.normalization import Normalization
from vgan.models.recurrent import ConvLSTMCell, MotionAdaptiveFilter
from vgan.models.style_encoder import MappingNetwork, PretrainedStyleEncoder

STRIDE = 8  # of the ConvLSTM; H and W must divide by it
NOISE_PERIOD = 64  # of the noise field, in pixels of the state


@keras.saving.register_keras_serializable("vgan")
class Painter(keras.Model):
    """Conditional recurrent generator that repaints, with its style encoder.

    The default takes 1.1 GMAC for a frame of 256 x 256.

    Args:
        filters: Channels at strides 2, 4 and, of the decoder, 2.
        hidden_filters: Channels of the ConvLSTM, at stride 8.
        blocks: Residual blocks at stride 4.
        recursive: Whether what stands still is averaged with its own past; see
            `MotionAdaptiveFilter`.
        noise_channels: Channels of the noise field at stride 4; 0 for none.
        recolors: Whether colors are those measured in the style; else only scales and
            shifts of R, G and B are learnt, as in files of before.
        separable: Whether the ConvLSTM and the residual blocks are of separable
            convolutions, the first kernels are 3 x 3, and channels are reduced before
            they are enlarged: some quarter of the work.
        latent_size: Numbers that the style encoder boils a picture down to; the code
            is a linear map of them.
        noise_size: Z of the noise that stands for a style.
        style_filters: Channels of the style encoder's five stages.
        style_size: Short side in pixels of the style pictures in training; others
            are brought to it before they are encoded.
        named_styles: Codes to keep with the model, {name: [D floats]}.

    Example:
        painter = Painter()
        code = painter.encode_style(style)              # [B, T', h, w, 3] -> [B, D]
        state = painter.initial_state(1, 256, 256)
        for frame in frames:                            # each [1, 1, 256, 256, 3]
            stylized, state = painter(frame, code, state)
    """

    code_layers = ("modulate",)  # they make codes, and nothing else

    def __init__(
        self,
        filters: Sequence[int] = (16, 40, 32),
        hidden_filters: int = 32,
        blocks: int = 5,
        recursive: bool = True,
        noise_channels: int = 4,
        recolors: bool = True,
        separable: bool = False,
        latent_size: int = 100,
        noise_size: int = 32,
        style_filters: Sequence[int] = (16, 32, 64, 128, 128),
        style_size: int = 256,
        named_styles: dict[str, list[float]] | None = None,
        **kwargs: typing.Any,
    ) -> None:
        # Layers choose their precision; the picture itself stays float32.
        super().__init__(**{"autocast": False, **kwargs})
        check_sizes(
            filters=filters,
            hidden_filters=hidden_filters,
            latent_size=latent_size,
            noise_size=noise_size,
            style_filters=style_filters,
            style_size=style_size,
        )
        if not isinstance(filters, list | tuple) or len(filters) != 3:
            raise ValueError(f"filters takes three numbers, got {filters!r}")
        if type(blocks) is not int or not 1 <= blocks <= DEEPEST:
            raise ValueError(
                f"blocks must be a whole number from 1 to {DEEPEST}, got {blocks!r}"
            )
        if type(noise_channels) is not int or not 0 <= noise_channels <= 64:
            raise ValueError(
                f"noise_channels must be a number from 0 to 64, got {noise_channels!r}"
            )
        switches = dict(recursive=recursive, separable=separable, recolors=recolors)
        for name, value in switches.items():
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be True or False, got {value!r}")
        if not isinstance(named_styles, dict | type(None)):
            raise ValueError(f"named_styles must be a dict, got {named_styles!r}")
        self.filters = tuple(filters)
        self.hidden_filters = hidden_filters
        self.blocks = blocks
        self.noise_channels = noise_channels
        self.recursive = recursive
        self.recolors = recolors
        self.separable = separable
        self.latent_size = latent_size
        self.noise_size = noise_size
        self.style_filters = tuple(style_filters)
        self.style_size = style_size
        self.named_styles = dict(named_styles or {})

        fine, deep, up = self.filters
        self.stem = ReflectConv2D(12, fine, 3 if separable else 5, name="stem")
        self.down = ReflectConv2D(fine, deep, strides=2, name="down")
        self.shrink = ReflectConv2D(deep, hidden_filters, strides=2, name="shrink")
        self.recurrent = ConvLSTMCell(
            hidden_filters, hidden_filters, separable, name="recurrent"
        )
        # Faint at first: what there is to remember is learnt after how to paint.
        self.recall = ReflectConv2D(
            hidden_filters, deep, 1, gain=0.1, upsample=True, name="recall"
        )
        # Normalized, so without a bias.
        self.residual = [
            ReflectConv2D(
                *(deep, deep),
                use_bias=False,
                separable=separable,
                name=f"block{i}_{j}",
            )
            for i in range(blocks)
            for j in (0, 1)
        ]
        if separable:
            self.reduce = ReflectConv2D(deep, up, 1, use_bias=False, name="reduce")
        self.up = ReflectConv2D(
            up if separable else deep, up, use_bias=False, name="up"
        )
        self.to_rgb = ReflectConv2D(up, 12, use_bias=False, name="to_rgb")
        # The pixels of a patch start alike: no grid to unlearn (Aitken et al., 2017).
        kernel = self.to_rgb.kernel
        kernel.assign(ops.tile(kernel[..., :3], (1, 1, 1, 4)))
        self.normalized = [deep] * (2 * blocks) + [up]  # channels, in order
        if not recolors:
            self.normalized.append(3)
        self.code_size = 2 * sum(self.normalized)
        if noise_channels:
            self.grain = ReflectConv2D(
                noise_channels, deep, use_bias=False, name="grain"
            )
            self.code_size += deep  # how much of each channel a style takes
        if recolors:
            self.code_size += palette.SIZE

        self.style_encoder = PretrainedStyleEncoder(
            latent_size, style_filters, name="style"
        )
        self.mapping = MappingNetwork(
            latent_size, noise_size, normalized=False, name="mapping"
        )
        self.modulate = keras.layers.Dense(
            self.code_size,
            kernel_initializer=keras.initializers.RandomNormal(0.2 * latent_size**-0.5),
            bias_initializer=_Unmodulated(
                self.normalized, self.code_size - 2 * sum(self.normalized)
            ),
            dtype="float32",
            name="modulate",
        )
        self.modulate.build((None, latent_size))
        if recolors:  # it starts as it is measured
            learnt = np.arange(self.code_size) < self.code_size - palette.SIZE
            self.modulate.kernel.assign(self.modulate.kernel * learnt.astype("float32"))
        if recursive:
            self.filter = MotionAdaptiveFilter(
                12, STRIDE // 2, name="filter", dtype="float32"
            )
        self.built = True

    @property
    def stride(self) -> int:
        """H and W must divide by this."""
        return STRIDE

    def encode_style(self, style: KerasTensor) -> KerasTensor:
        """Style image or clip [B, T', h, w, 3] in [-1, 1] -> code [B, D]."""
        code = self.modulate(self.style_encoder(style))
        return self._with_palette(code, palette.palette(ops.cast(style, "float32")))

    def encode_noise(self, noise: KerasTensor) -> KerasTensor:
        """Noise [B, Z], standard normal -> code [B, D]."""
        code = self.modulate(ops.cast(self.mapping(noise), "float32"))
        return self._with_palette(code, ops.convert_to_tensor([palette.DEFAULT]))

    def initial_state(
        self, batch_size: int, height: int, width: int
    ) -> dict[str, KerasTensor]:
        """State before the first frame, a flat dict of named tensors.

        Args:
            batch_size: B.
            height: H of the frames in pixels, a multiple of `stride`.
            width: W, likewise.

        Returns:
            {"hidden", "cell"} of the ConvLSTM, [B, H / 8, W / 8, hidden_filters];
            {"mean", "variance"}, running, of all normalized channels in their order;
            {"age"} [B, 1], the number of frames seen; with `recolors` {"color_mean"}
            [B, 3] and {"color_covariance"} [B, 6], running; with `recursive` the last
            {"past", "past_light"}, [B, H / 8, W / 8, 192] and [..., 16]; with
            `noise_channels` {"noise_field"} [B, H / 8, W / 8, 4 noise_channels], which
            counts from the second frame on and may be moved with the scene.
        """
        cell = self.recurrent.initial_state(
            batch_size, height // STRIDE, width // STRIDE
        )
        channels = sum(self.normalized)
        size = batch_size, height // STRIDE, width // STRIDE
        if self.noise_channels:
            cell["noise_field"] = ops.zeros((*size, 4 * self.noise_channels))
        if self.recursive:
            cell.update(self.filter.initial_state(*size))
        if self.recolors:
            cell.update(palette.initial_state(batch_size))
        return {
            **cell,
            "mean": ops.zeros((batch_size, channels)),
            "variance": ops.zeros((batch_size, channels)),
            "age": ops.zeros((batch_size, 1)),
        }

    def call(
        self,
        content: KerasTensor,
        style_code: KerasTensor,
        state: dict[str, KerasTensor],
        noise_fields: KerasTensor | None = None,
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Stylize a clip.

        Args:
            content: Frames [B, T, H, W, 3] in [-1, 1]; T is static.
            style_code: [B, D].
            state: From `initial_state`, or from the call for the frames before.
            noise_fields: The noise field at each frame, where it moves with the scene,
                [B, T, H / 8, W / 8, 4 noise_channels]. By default the state's.

        Returns:
            Stylized frames [B, T, H, W, 3] in [-1, 1], and the new state.
        """
        num_frames = content.shape[1]
        patches = ops.space_to_depth(fold_time(content), 2)
        x, new_state = self._encode(patches, state, num_frames)
        if self.noise_channels:
            if noise_fields is None:
                noise_fields = ops.repeat(
                    self.noise_field(state)[:, None], num_frames, 1
                )
            new_state["noise_field"] = noise_fields[:, -1]
            x = x + self._grain(noise_fields, style_code, x.dtype)
        norm = Normalization(self.normalized, style_code, state, num_frames)
        for first, second in zip(self.residual[::2], self.residual[1::2], strict=True):
            x = x + norm(second(ops.relu(norm(first(x)))))
        if self.separable:
            x = self.reduce(x)
        x = ops.relu(norm(self.up(enlarge(x))))
        x = self.to_rgb(x)  # patches of 4 pixels, R, G, B
        if self.recolors:
            x, colors = palette.recolor(
                *(ops.cast(x, "float32"), style_code[:, -palette.SIZE :]),
                *(state, [state["age"] + 1.0 + t for t in range(num_frames)]),
            )
            new_state.update(colors)
        else:
            x = ops.cast(norm(x), "float32")
        # Half the argument: then tanh is the sigmoid of Ghiasi et al., to [-1, 1].
        x = ops.tanh(0.5 * x)
        new_state.update(norm.new_state())
        if self.recursive:
            ages = [state["age"] + t for t in range(num_frames)]
            brightness = ops.mean(patches, axis=-1, keepdims=True)
            x, past = self.filter(x, brightness, state, ages)
            new_state.update(past)
        return unfold_time(ops.depth_to_space(x, 2), num_frames), new_state

    def encode_content(self, content: KerasTensor) -> list[KerasTensor]:
        """Frames [B, T, H, W, 3] in [-1, 1] -> features at strides 2 and 4.

        Each frame by itself, [B, T, H / stride, W / stride, C].
        """
        num_frames = content.shape[1]
        levels = self._features(ops.space_to_depth(fold_time(content), 2))
        return [unfold_time(x, num_frames) for x in levels]

    @classmethod
    def from_config(cls, config: dict[str, typing.Any]) -> typing.Self:
        """Files of before the noise field and the palette have none."""
        return cls(**{"noise_channels": 0, "recolors": False, **config})

    def _with_palette(self, code, colors):
        if not self.recolors:
            return code
        return code + ops.pad(colors, ((0, 0), (self.code_size - palette.SIZE, 0)))

    def _features(self, patches):
        fine = ops.relu(self.stem(patches))
        return fine, ops.relu(self.down(fine))

    def _encode(self, patches, state, num_frames):
        """Features at stride 4, with what the ConvLSTM recalls, and its new state."""
        _, x = self._features(patches)
        cell = {name: state[name] for name in self.recurrent.state_names}
        hidden, cell = self.recurrent(
            ops.relu(self.shrink(x)), cell, num_frames=num_frames
        )
        return x + self.recall(hidden), cell

    def noise_field(self, state: dict[str, KerasTensor]) -> KerasTensor:
        """The noise field that a state holds [B, H / 8, W / 8, 4 noise_channels].

        Before the first frame it is a fixed one.
        """
        held = state["noise_field"]
        rows, columns = (ops.arange(n) % NOISE_PERIOD for n in ops.shape(held)[1:3])
        first = ops.take(_first_noise_field(self.noise_channels), rows, axis=0)
        first = ops.take(first, columns, axis=1)
        return ops.where(state["age"][:, :, None, None] > 0, held, first)

    def _grain(self, noise_fields, code, dtype):
        """What a style makes of the noise at each frame, features at stride 4."""
        noise = ops.depth_to_space(fold_time(noise_fields), 2)
        amount = code[:, 2 * sum(self.normalized) :][:, : self.grain.filters]
        amount = ops.repeat(amount, noise_fields.shape[1], 0)
        return (
            self.grain(ops.cast(noise, dtype)) * ops.cast(amount, dtype)[:, None, None]
        )

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "hidden_filters": self.hidden_filters,
            "blocks": self.blocks,
            "recursive": self.recursive,
            "separable": self.separable,
            "noise_channels": self.noise_channels,
            "recolors": self.recolors,
            "latent_size": self.latent_size,
            "noise_size": self.noise_size,
            "style_filters": self.style_filters,
            "style_size": self.style_size,
            "named_styles": self.named_styles,
        }


def _first_noise_field(channels):
    """The fixed noise before the first frame, which repeats at its borders.

    Blurred, from fine to coarse by channel, so that it keeps its contrast when it is
    moved by parts of a pixel.

    Returns:
        float32 [NOISE_PERIOD, NOISE_PERIOD, 4 channels], patches of 2 x 2 pixels;
        each channel of mean 0 and variance 1.
    """
    side = 2 * NOISE_PERIOD
    noise = np.random.default_rng(0).standard_normal((channels, side, side))
    distance = np.fft.fftfreq(side)
    blur = np.geomspace(0.7, 1.6, channels)[:, None, None]  # sigma in pixels
    square = distance[:, None] ** 2 + distance**2
    noise = np.fft.fft2(noise) * np.exp(-2 * (np.pi * blur) ** 2 * square)
    noise = np.fft.ifft2(noise).real
    noise -= noise.mean((1, 2), keepdims=True)
    noise /= noise.std((1, 2), keepdims=True)
    patches = noise.reshape(channels, NOISE_PERIOD, 2, NOISE_PERIOD, 2)
    patches = patches.transpose(1, 3, 2, 4, 0)
    return np.float32(patches.reshape(NOISE_PERIOD, NOISE_PERIOD, -1))


@keras.saving.register_keras_serializable("vgan")
class _Unmodulated(keras.initializers.Initializer):
    """The code that changes nothing: scales 1, shifts 0."""

    def __init__(self, channels, others=0):
        self.channels = channels
        self.others = others

    def __call__(self, shape, dtype=None):
        parts = [ops.repeat([1.0, 0.0], size) for size in self.channels]
        parts.append(ops.zeros(self.others))
        return ops.cast(ops.reshape(ops.concatenate(parts), shape), dtype or "float32")

    def get_config(self):
        return {"channels": self.channels, "others": self.others}
