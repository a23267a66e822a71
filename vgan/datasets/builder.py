"""Clips that `vgan.prepare` has made, as a tensorflow-datasets data set.

After `import vgan.datasets`, `tfds.load("video_clips/mine")` is what was prepared in
data/mine, in the folder that holds data/. Elsewhere: `data_dir="anywhere/mine"`.
"""

import contextlib
import functools
import io
import logging
import os
import pathlib
import re
import shutil
import types
import typing
from collections.abc import Callable, Iterator

import tensorflow_datasets as tfds

from vgan import InputError, pipelines
from vgan.datasets import shards


class VideoClips(tfds.core.GeneratorBasedBuilder):
    """Clips of one scene each: every frame a JPEG file, photos as clips of one frame.

    Features of an example:
        frames: uint8 [T, H, W, 3].
        source: Name of the file that it is from, and `start`, seconds in it.
        fps: Frames per second.
        label: What it shows, or its style; may be empty.
        licence: Of the file; may be empty.
        shot: Number of the shot in its file.

    Examples are in order of source and start, so clips of a shot are neighbors.

    Args:
        config: Name of the prepared set; any.
        data_dir: Folder that it was prepared in; None: data/NAME, or where tfds looks.
        clips: {split: [Clip]} to write; None to read.
        run: Function of (function, list of its arguments) that calls it with each of
            them, in any order.
    """

    VERSION = tfds.core.Version("1.0.0")

    def __init__(
        self,
        *,
        config: str | None = None,
        data_dir: str | pathlib.Path | None = None,
        clips: dict[str, list[shards.Clip]] | None = None,
        run: Callable[[Callable, list], object] | None = None,
        **kwargs: typing.Any,
    ) -> None:
        if config is None:
            raise InputError(
                "video_clips: say which set, as in video_clips/mine for data/mine"
            )
        if isinstance(config, str):
            config = tfds.core.BuilderConfig(name=config)
        near = pathlib.Path("data", config.name)
        if data_dir is None and (near / self.name / config.name).is_dir():
            data_dir = near
        self._clips, self._run = clips, run
        super().__init__(config=config, data_dir=data_dir, **kwargs)

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Clips of one scene each, made by vgan.prepare.",
            features=shards.make_features(),
            disable_shuffling=True,
        )

    def download_and_prepare(self, **kwargs: typing.Any) -> None:
        """Write the clips; does nothing if they are there.

        Raises:
            InputError: There are none to write.
        """
        if self._clips is None and not self.is_prepared():
            raise InputError(
                f"{self.info.full_name}: is not prepared in {self.data_dir_root}; run "
                "python -m vgan.prepare, or give the folder that it made as data_dir"
            )
        super().download_and_prepare(**kwargs)

    def _split_generators(self, dl_manager):
        raise NotImplementedError

    _generate_examples = _split_generators

    def _download_and_prepare(self, dl_manager, download_config):
        # tfds's own ways locally and with Beam cut shards at other places.
        tasks, splits = [], []
        for split, clips in self._clips.items():
            divided = shards.divide(clips)
            template = tfds.core.ShardedFileTemplate(
                dataset_name=self.name,
                data_dir=self.data_path,
                split=split,
                filetype_suffix=shards.FORMAT.file_suffix,
            )
            paths = [str(path) for path in template.sharded_filepaths(len(divided))]
            tasks += zip(paths, divided, strict=True)
            splits.append((split, [len(shard) for shard in divided], paths, template))
        self._run(shards.write_shard, tasks)
        infos = [
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=lengths,
                num_bytes=sum(os.path.getsize(path) for path in paths),
                filename_template=template,
            )
            for split, lengths, paths, template in splits
        ]
        self.info.set_splits(tfds.core.splits.SplitDict(infos))


def load() -> types.ModuleType:
    """Import TensorFlow, which takes seconds: what reads and scans does without it."""
    import tensorflow as tf

    return tf


def write(
    folder: str | pathlib.Path,
    name: str,
    parts: dict[str, list[str | pathlib.Path]],
    chosen: set[str] | None = None,
    beam: list[str] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, tuple[int, int]]:
    """Write `video_clips/NAME` in a folder, in place of an older one.

    The bytes of the shards depend on the chosen clips, on nothing else. What is killed
    leaves the older version as it was.

    Shards are TFRecord files: every program of TensorFlow reads them; and `records`, at
    any place, in a seventh of the time of ArrayRecord.

    Args:
        folder: The folder; it becomes the `data_dir`.
        name: NAME.
        parts: {"train": paths, "validation": paths} of parts, see `shards`.
        chosen: Keys of the clips to take; None: all.
        beam: Flags of an Apache Beam pipeline, as ["--runner=DirectRunner"], whose
            workers write the shards; None: they are written here, one by one.
        progress: Called with (clips written, clips in all), if there is no `beam`.

    Returns:
        {split: (number of clips, number of shards)}.

    Raises:
        InputError: No clip is chosen, a part of one is missing or damaged, the disk is
            full, or Beam is not installed.
    """
    tf = load()
    clips = {
        split: shards.chosen_clips(parts[split], chosen) for split in sorted(parts)
    }
    clips = {split: found for split, found in clips.items() if found}
    folder, total = pathlib.Path(folder), sum(map(len, clips.values()))
    if not total:
        raise InputError(f"{folder}: no clip is left to write")
    if chosen is not None and total < len(chosen):
        raise InputError(
            f"{folder}: {len(chosen) - total} of {len(chosen)} clips are gone from its "
            ".parts; run the same again"
        )
    building = folder / ".building"
    shutil.rmtree(building, ignore_errors=True)  # of a run that was killed

    def here(function, tasks):
        done = 0
        for task in tasks:
            function(task)
            done += len(task[1])
            if progress is not None:
                progress(done, total)

    run = here if beam is None else functools.partial(pipelines.run, flags=beam)
    try:
        with quiet():
            builder = VideoClips(config=name, data_dir=building, clips=clips, run=run)
            builder.download_and_prepare(
                download_config=tfds.download.DownloadConfig(try_download_gcs=False),
                file_format=shards.FORMAT,
            )
        made = pathlib.Path(builder.data_dir)
        _put(made, folder / made.relative_to(building))
    except (OSError, tf.errors.OpError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message
        raise InputError(
            f"{folder}: cannot be written ({(reason or str(error)).split('; ')[-1]}); "
            "fix that, then the same command goes on from here"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return {
        split: (info.num_examples, info.num_shards)
        for split, info in builder.info.splits.items()
    }


def dataset_name(text: str) -> str:
    """Return a text as the name of a data set: letters, digits, "_", "-" and "."."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("._-") or "clips"


def _put(new, place):
    """Rename a folder over another one."""
    old = place.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without tfds's lines about downloads and features of older versions."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        log.setLevel(level)
