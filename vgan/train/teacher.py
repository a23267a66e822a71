"""Teachers: models that show what the result should be (Hinton et al., 2015)."""

import pathlib
import zipfile
import zlib

import keras
import numpy as np
from keras import KerasTensor, ops

from vgan import InputError
from vgan.models.layers import fold_time, unfold_time
from vgan.train import noise_field


def load_teacher(path: str | pathlib.Path, size: int) -> keras.Model:
    """Load any Keras model that stylizes: a generator of vgan, or one of pictures.

    Args:
        path: A `.keras` file. Where it holds no generator of vgan, the model takes the
            inputs "content" [N, H, W, 3] and "style" [N, h, w, 3], any sizes, and
            returns [N, H, W, 3], all in [-1, 1].
        size: Height and width in pixels that it will be asked for.

    Raises:
        InputError: There is no such file, it is damaged, or its model has other inputs
            or outputs.
    """
    if not pathlib.Path(path).is_file():
        raise InputError(f"train.teacher: there is no file {path}; give a .keras file")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (
        *(ValueError, TypeError, KeyError, OSError),
        *(zipfile.BadZipFile, zlib.error, RuntimeError),
    ) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        if "File not found" in reason:  # what Keras says of what is no zip file
            reason = "is not a Keras model"
        raise InputError(
            f"train.teacher: {path} cannot be loaded ({reason:.200}); "
            "give a .keras file"
        ) from error
    model.trainable = False
    stride = getattr(model, "stride", 1)
    clip = np.zeros((1, 1, *[-(-size // stride) * stride] * 2, 3), np.float32)
    try:
        made = teach(model, clip, clip)
    except Exception as error:  # whatever another's layers raise
        raise InputError(
            f"train.teacher: {path} takes no inputs content and style, pictures "
            f"[N, {size}, {size}, 3]; give a model that does, or another "
            "data.image_size"
        ) from error
    if tuple(made.shape) != clip.shape:
        raise InputError(
            f"train.teacher: {path} makes {list(made.shape)[1:]} of pictures "
            f"{list(clip.shape)[1:]}; give a model that keeps their shape"
        )
    if not np.all(np.isfinite(ops.convert_to_numpy(made))):
        raise InputError(
            f"train.teacher: {path} makes what is not finite; give another model"
        )
    return model


def teach(model: keras.Model, content: KerasTensor, style: KerasTensor) -> KerasTensor:
    """What a teacher makes of clips.

    Args:
        model: As `load_teacher` gives it.
        content: [B, T, H, W, 3] in [-1, 1].
        style: [B, T', h, w, 3] in [-1, 1]; a model of pictures sees the first of each.

    Returns:
        [B, T, H, W, 3] in [-1, 1].
    """
    if hasattr(model, "encode_style"):
        return generate(model, content, model.encode_style(style))[0]
    num_frames = content.shape[1]
    picture = ops.repeat(style[:, 0], num_frames, axis=0)
    made = model({"content": fold_time(content), "style": picture})
    return unfold_time(made, num_frames)


def generate(
    generator: keras.Model,
    content: KerasTensor,
    code: KerasTensor,
    state: dict[str, KerasTensor] | None = None,
    flow: KerasTensor | None = None,
) -> tuple[KerasTensor, dict[str, KerasTensor]]:
    """Run a generator over a clip, from its initial state unless one is given.

    With the clip's flow [B, T - 1, H, W, 2] a noise field moves along with it.
    """
    batch, _, height, width, _ = content.shape
    state = state or generator.initial_state(batch, height, width)
    if flow is not None and "noise_field" in state:
        fields = noise_field.moving(generator, state, flow)
        return generator(content, code, state, noise_fields=fields)
    return generator(content, code, state)
