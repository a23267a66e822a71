"""YouTube-8M as a guide to videos: which to acquire, and what is in those one has.

YouTube-8M holds ids, labels and features of 1 frame a second, and no frames: nothing
can be trained on it. `choose` lists clips that are worth having; `join` finds the
labels of copies that the user has, named by id. Both write what
`vgan.prepare --provenance` reads:

    file     the id, or the path of a copy
    labels   names (numbers without a vocabulary), between semicolons
    start    second at which the clip starts; empty: the whole video
    end      second before which it ends
    source   where to look the video up
    license, author    empty: YouTube-8M does not know them; fill them in

Ids have 4 characters and stand for a video as long as it is public: the page
http://data.yt8m.org/2/j/i/ab/abcd.js names the video of `abcd`. Upper and lower case
are different ids, which not every file system keeps apart. No video is fetched here.

References:
    Abu-El-Haija et al., YouTube-8M: A Large-Scale Video Classification Benchmark, 2016.
    YouTube-8M Segments, 2019 (research.google.com/youtube8m).
"""

import logging
import math
import typing

import numpy as np
import tqdm

from tools.youtube8m import files, selection
from vgan import InputError

POOL = 32_768  # clips among which is chosen; 4 KiB each

_log = logging.getLogger("tools.youtube8m")


class Clip(typing.NamedTuple):
    """A video of YouTube-8M, or a span of one.

    Attributes:
        id: The data set's name of the video.
        labels: Tuple of numbers of labels, sorted.
        start: Second at which it starts, or None for the whole video.
        end: Second before which it ends, or None.
    """

    id: str
    labels: tuple
    start: int | None = None
    end: int | None = None


def choose(shards, output, count, labels=None, vocabulary=None, per_label=None, seed=0):
    """Choose clips, balanced over labels and far apart in features, and list them.

    Of all clips in the shards, a random sample is held (`per_label`), and of that the
    greedy k-center of the mean features is chosen (selection.k_center). In shards with
    segments, a clip is a span that a person has found to show a label; else it is a
    whole video. A video gives one clip at most. Memory does not grow with the shards.

    A shard that is damaged is named in one line; what comes before the damage counts.
    Clips without features are counted in one line and left out.

    Args:
        shards: A folder of .tfrecord files, a file, a pattern as in "train/*.tfrecord",
            or a list of these.
        output: The .csv file to write; the columns are above, the rows in the order of
            choice.
        count: Number of clips.
        labels: List of labels, by name or number, of which a clip must have one; None
            for clips of all kinds.
        vocabulary: Path of the vocabulary.csv that the project publishes, for names.
        per_label: Most clips of a label that are held; without `labels`, most clips at
            all. By default, POOL clips over all labels, or 4 * count if that is more.
        seed: Other seeds hold other samples.

    Returns:
        List of Clip, in the order of choice.

    Raises:
        InputError: Of an argument, a shard of another kind, a video that comes twice,
            or fewer clips than asked for. Nothing is written then.
    """
    for name, number in (("count", count), ("per_label", per_label)):
        if number is not None and number < 1:
            raise InputError(f"--{name}={number}: give at least 1")
    files.check_output(output)
    names = files.read_vocabulary(vocabulary)
    wanted = files.find_labels(labels, names)
    paths = files.find_shards(shards)
    groups = len(wanted) or 1
    size = per_label or max(POOL // groups, math.ceil(4 * count / groups))
    pool, full = _sample(paths, wanted, size, seed)
    clips = [clip for clip, _, _ in pool]
    videos = {clip.id: number for number, clip in enumerate(clips)}
    if len(videos) < count:
        held = f"are held; raise --per_label={size}" if full else "are there"
        raise InputError(
            f"--count={count}: only {len(videos)} videos"
            f"{' with these labels' if wanted else ''} {held}, or ask for fewer"
        )
    centers = selection.k_center(
        np.stack([feature for _, feature, _ in pool]),
        count,
        [wanted.intersection(clip.labels) or clip.labels for clip in clips],
        [videos[clip.id] for clip in clips],
    )
    chosen = [clips[index] for index in centers.chosen]
    _log.info(
        "chose %d of %d clips; no other is farther than %.2f from one of them",
        count,
        len(clips),
        centers.radius,
    )
    rows = [(clip.id, clip) for clip in chosen]
    files.write(output, rows, names)
    return chosen


def join(shards, copies, output, vocabulary=None):
    """List a folder's copies of videos, named by id, with their labels.

    Args:
        shards: As in `choose`; labels are those of whole videos.
        copies: Folder of videos, as in any/where/abcd.mp4; hidden files are not seen.
        output: The .csv file to write, sorted by path.
        vocabulary: As in `choose`.

    Returns:
        {path below `copies`: Clip} of the copies whose id is in the shards; a line
        tells how many are not.

    Raises:
        InputError: As in `choose`, or no copy has an id of the shards.
    """
    files.check_output(output)
    names = files.read_vocabulary(vocabulary)
    copied = files.find_copies(copies)
    paths = files.find_shards(shards)
    found, sources = {}, {}
    for record in _records(paths):
        if record.id in copied:
            if record.id in sources:
                raise _twice(sources[record.id], record.source)
            sources[record.id] = record.source
            found[record.id] = Clip(record.id, tuple(record.labels))
    if not found:
        raise InputError(
            f"{copies}: no video is named by an id of these shards, as in abcd.mp4"
        )
    missing = len(copied) - len(found)
    if missing:
        _log.warning(
            "%s: %d of %d names are no ids of these shards",
            copies,
            missing,
            len(copied),
        )
    joined = {path: found[name] for name in found for path in copied[name]}
    joined = dict(sorted(joined.items()))
    files.write(output, joined.items(), names)
    return joined


def _records(paths):
    """All videos of the shards; one line for each shard that is damaged."""
    # TensorFlow takes seconds to import: what is cheap to check comes before that.
    from tools.youtube8m import records

    good, damage = False, None
    with tqdm.tqdm(paths, desc="YouTube-8M", unit="shard") as bar:
        for path in bar:
            try:
                for record in records.read(path):
                    yield record
                    good = True
            except records.DamagedShardError as error:
                damage = damage or error
                bar.clear()
                _log.warning("%s", error)
    if not good:
        raise damage


def _sample(paths, wanted, size, seed):
    """The clips that are held.

    Returns:
        List of (Clip, float32 [1024], file and id), by rank; and whether any was not
        held for want of room.
    """
    samples = {label: selection.Sample(size) for label in wanted or [None]}
    empty = 0
    for record in _records(paths):
        for clip in _clips(record):
            rank = selection.rank(seed, clip.id, clip.start)
            groups = wanted.intersection(clip.labels) if wanted else [None]
            keep = [samples[g] for g in groups if samples[g].wants(rank)]
            if not keep:
                continue
            feature = record.mean_rgb(clip.start, clip.end)
            if feature is None:
                empty += 1
                continue
            for sample in keep:
                held = sample.get(rank)
                if held:
                    raise _twice(held[2], record.source)
                sample.add(rank, (clip, feature, record.source))
    if empty:
        _log.warning("%d clips have no features and are left out", empty)
    pool, sources = {}, {}
    for sample in samples.values():
        pool.update(sample.items())
    for clip, _, source in pool.values():  # two segments of it, from two shards
        if sources.setdefault(clip.id, source) != source:
            raise _twice(sources[clip.id], source)
    full = any(sample.full for sample in samples.values())
    return [pool[rank] for rank in sorted(pool)], full


def _clips(record):
    if record.segments is None:
        return [Clip(record.id, tuple(record.labels))]
    spans = {}
    for start, end, label, score in record.segments:
        if score >= 0.5:
            spans.setdefault((start, end), set()).add(label)
    return [Clip(record.id, tuple(sorted(spans[s])), *s) for s in sorted(spans)]


def _twice(earlier, source):
    return InputError(
        f"{source}: is in {earlier.rsplit(': video ', 1)[0]} too; give each shard "
        "once (shards with segments repeat videos of others)"
    )
