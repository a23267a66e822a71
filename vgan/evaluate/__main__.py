r"""Measure a model, or any finished video: style, content and temporal consistency.

python -m vgan.evaluate --model=runs/quickstart/generator.keras --content=clips/ \
    --styles=paintings/ --baseline=per_frame --baseline=identity --output=report/
python -m vgan.evaluate --video=out.mp4 --content=in.mp4 --styles=s.jpg --output=report/

Writes metrics.json and index.html, a page that stands alone, and prints a table.
"""

import contextlib
import hashlib
import itertools
import pathlib
import shutil
import sys
import typing
from collections.abc import Callable

import numpy as np

from vgan import InputError, command, pretrained

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "model", None, "the generator.keras of a run, or painterly or painterly_small"
)
FLAGS.DEFINE_string("video", None, "a finished video, of whatever system, instead")
FLAGS.DEFINE_multi_string("content", [], "clips, or folders of clips; may be repeated")
FLAGS.DEFINE_multi_string("styles", [], "pictures, clips, or folders of them")
FLAGS.DEFINE_alias("style", "styles")
FLAGS.DEFINE_multi_enum(
    "baseline",
    [],
    ["per_frame", "identity"],
    "also measure: per_frame, the same weights, whose state is forgotten at every "
    "frame; identity, the content itself in every style",
)
FLAGS.DEFINE_string("output", None, "folder for the report")
FLAGS.DEFINE_multi_string(
    "features",
    ["random"],
    "network that measures style and content: random (no download), vgg19 (downloads "
    "once), or an .npz; repeated, each layer is taken from the first that has it",
)
FLAGS.DEFINE_string(
    "judge",
    None,
    "a second network, with which nothing was trained, such as a VGG-16 as .npz; its "
    "style strengths stand beside those of --features",
)
FLAGS.DEFINE_multi_string("metrics", [], "measure only these groups; may be repeated")
FLAGS.DEFINE_integer("size", 256, "short side in pixels at which all is measured")
FLAGS.DEFINE_integer(
    "frames", None, "of each clip (default: 60, or all with --video); 0: all"
)
FLAGS.DEFINE_bool("overwrite", False, "replace a report that exists")

# groups; what every clip is scored by
CLIPS = ("temporal_consistency", "style", "content", "paint")
OF_MODELS = ("exact", "flat", "diversity")  # of each system that takes any frame
EXTERNAL = ("fid", "kid", "lpips", "fvd")
GROUPS = (*CLIPS, *OF_MODELS, "adversarial", "speed", *EXTERNAL)
RENAMED = {"steadiness": "temporal_consistency"}  # {name in earlier versions: now}
SCENES, SCENE_FRAMES, SCENE_SEED = 2, 24, 1_000_000_007  # rendered, of exact flow
BATCHES = 4  # on which the discriminator is judged
BRUSH_FRAMES = 4  # of each clip; the last is looked at


def main(
    _: list[str], rival: Callable[[dict[str, typing.Any]], typing.Any] | None = None
) -> None:
    """Check what is cheap to check, measure, report.

    Args:
        rival: Function of {style: path} that gives another system, see
            `vgan.evaluate.systems`, to be measured beside --model or --video, or
            alone.
    """
    groups = _check_flags(rival)
    from vgan.evaluate import sources

    limit = FLAGS.frames if FLAGS.frames is not None else 0 if FLAGS.video else 60
    contents = sources.find(FLAGS.content, "content")
    lengths = sources.keep_readable(
        contents, "content", lambda path: sources.length(path, limit), _say
    )
    contents = {name: contents[name] for name in lengths}
    paths = sources.find(FLAGS.styles, "styles")
    styles = sources.keep_readable(paths, "styles", sources.style_frames, _say)
    if FLAGS.video:
        for flag, given in (("--content", contents), ("--styles", styles)):
            if len(given) > 1:
                raise InputError(f"{flag}: with --video, give one file, not several")
    system = _system({name: paths[name] for name in styles}, rival)
    features, judge = _features(groups)
    from vgan.evaluate import report

    report.check(FLAGS.output, FLAGS.overwrite)
    limit = limit or None
    scores = _scores(system, groups, features, judge, contents, lengths, styles, limit)
    rows, parts, missing = _parts(system, groups, features, contents, styles, limit)
    setup = _setup(system, features, judge, contents)
    facts = report.facts(
        f"Evaluation of {', '.join(system.files)}",
        ["content", *system.names],
        *(scores, parts, missing, setup, rows),
    )
    report.write(
        FLAGS.output, facts, scores, {n: clip[0] for n, clip in styles.items()}
    )
    print(*report.lines(facts), sep="\n")
    print(pathlib.Path(FLAGS.output) / "index.html")


def _check_flags(rival):
    if (FLAGS.model and FLAGS.video) or not (FLAGS.model or FLAGS.video or rival):
        raise InputError("give either --model or --video")
    for name, example in (
        ("content", "clips/"),
        ("styles", "paintings/"),
        ("output", "report/"),
    ):
        given = FLAGS[name].value
        if not given or (isinstance(given, list) and "" in given):
            raise InputError(f"--{name}: is missing; give one, such as {example}")
    groups = [RENAMED.get(name, name) for name in FLAGS.metrics] or GROUPS
    for name in groups:
        if name not in GROUPS:
            raise InputError(
                f"--metrics={name}: there is no such metric; known: {', '.join(GROUPS)}"
            )
    if not FLAGS.model and "per_frame" in FLAGS.baseline:
        raise InputError("--baseline=per_frame: needs --model, whose weights it takes")
    if FLAGS.judge == "" or (FLAGS.judge and "style" not in groups):
        raise InputError(
            f"--judge={FLAGS.judge}: give a network, and style among --metrics, which "
            "is what it judges"
        )
    if FLAGS.judge in FLAGS.features:
        raise InputError(
            f"--judge={FLAGS.judge}: is one of --features; a judge is another network"
        )
    if not 32 <= FLAGS.size <= 4096:
        raise InputError(f"--size={FLAGS.size}: give 32 to 4096 pixels")
    if FLAGS.frames is not None and FLAGS.frames < 0:
        raise InputError(f"--frames={FLAGS.frames}: give 0 for all, or more")
    return groups


def _say(line):
    print(command.with_flags(line, FLAGS), file=sys.stderr)


def _system(styles, rival):
    from vgan.evaluate import systems

    found = []
    if FLAGS.model:
        FLAGS.model = pretrained.find(FLAGS.model)
        baselines = [name for name in FLAGS.baseline if name != "identity"]
        found.append(
            systems.Model(FLAGS.model, styles, baselines, command.import_keras)
        )
    if FLAGS.video:
        found.append(systems.Video(FLAGS.video, FLAGS.size))
    if rival:
        found.append(rival(styles))
    if "identity" in FLAGS.baseline:
        found.append(systems.Identity())
    command.import_keras()
    return systems.Beside(found)


def _features(groups):
    """The networks of --features and --judge, or None where nothing asks them."""
    if not {"style", "content", "diversity"} & set(groups):
        return None, None
    from vgan.metrics.features import MeasuringFeatures

    features = MeasuringFeatures(FLAGS.features)
    return features, FLAGS.judge and MeasuringFeatures([FLAGS.judge], "judge")


def _scores(system, groups, features, judge, contents, lengths, styles, limit):
    """Score every clip in every style by every system, and the content itself."""
    import tqdm

    from vgan.evaluate import sources
    from vgan.evaluate.scoring import Scorer
    from vgan.evaluate.systems import Method
    from vgan.metrics.paint import PaintScorer
    from vgan.metrics.style import StyleScorer

    if not set(CLIPS) & set(groups):
        return []
    style_scorers, judges, paints = {}, {}, {}
    if "style" in groups:
        style_scorers = {
            name: StyleScorer(features, clip) for name, clip in styles.items()
        }
    if judge is not None:
        judges = {name: StyleScorer(judge, clip) for name, clip in styles.items()}
    if "paint" in groups:
        paints = {name: PaintScorer(clip) for name, clip in styles.items()}
    names = list(itertools.product(system.names, styles))
    total = None
    if None not in lengths.values():
        total = sum(lengths.values()) * (1 + len(names))
    asked = features if {"style", "content"} & set(groups) else None
    scorer, scores = Scorer(asked, style_scorers, judges, paints), []
    columns = shutil.get_terminal_size().columns
    with tqdm.tqdm(total=total, unit="frame", ncols=columns) as bar:
        for content, path in contents.items():
            bar.set_postfix_str(content[:20], refresh=False)
            methods = {name: system.method(*name, limit) for name in names}
            methods[("content", "")] = Method()
            frames = sources.frames(path, FLAGS.size, limit)
            try:
                for score in scorer.score(_counted(frames, bar), content, methods):
                    scores.append(score)
                    bar.update(score.num_frames if score.style else 0)
            except InputError as error:  # a clip that breaks after its first frame
                if len(contents) == 1:
                    raise
                bar.write(f"--content: left out, {error}", file=sys.stderr)
    if not scores:
        raise InputError("--content: none of them can be read to the end")
    return scores


def _counted(frames, bar):
    for frame in frames:
        yield frame
        bar.update()


def _parts(system, groups, features, contents, styles, limit):
    """Measure what is not of one clip.

    Returns:
        List of {system: figures}, {group: figures}, {group: why it was not measured}.
    """
    from vgan.metrics.external import NotMeasured

    of_systems = {"exact": _exact, "flat": _flat, "diversity": _diversity}
    of_engine = {"adversarial": _adversarial, "speed": _speed}
    rows, parts, missing = [], {}, {}
    for group in [group for group in groups if group not in CLIPS]:
        try:
            if group in EXTERNAL:
                parts[group] = _external(system, group, contents, styles, limit)
            elif not (system.any_frame if group in OF_MODELS else system.engine):
                raise NotMeasured("needs --model")
            elif group in OF_MODELS:
                rows.append(of_systems[group](system, features, contents, styles))
            else:
                parts[group] = of_engine[group](system, contents)
        except NotMeasured as error:
            missing[group] = str(error)
    return rows, parts, missing


def _exact(system, features, contents, styles):
    from vgan.datasets import synthetic
    from vgan.evaluate import model_metrics

    scenes = [
        synthetic.scene([SCENE_SEED, i], SCENE_FRAMES, FLAGS.size, FLAGS.size)
        for i in range(SCENES)
    ]
    return model_metrics.exact(system, styles, scenes)


def _flat(system, features, contents, styles):
    from vgan.evaluate import model_metrics

    return model_metrics.flat(system, styles, FLAGS.size)


def _diversity(system, features, contents, styles):
    from vgan.evaluate import model_metrics, sources
    from vgan.metrics.external import NotMeasured

    if len(styles) < 2:
        raise NotMeasured("needs at least two styles")
    clips = [
        list(sources.frames(path, FLAGS.size, BRUSH_FRAMES))
        for path in contents.values()
    ]
    return model_metrics.diversity(system, features, styles, clips)


def _adversarial(system, contents):
    """The run's discriminator on validation clips; it is not in generator.keras."""
    from vgan import config
    from vgan.metrics.external import NotMeasured

    folder = pathlib.Path(FLAGS.model).parent
    if not ((folder / "config.json").exists() and (folder / "checkpoints").is_dir()):
        raise NotMeasured("needs config.json and checkpoints/ beside the model")
    from vgan.datasets.batches import open_clips, plain_errors
    from vgan.metrics.distributions import adversarial_balance
    from vgan.train import checkpoint
    from vgan.train.build import build_gan

    try:
        settings = config.from_json((folder / "config.json").read_text())
        gan = build_gan(settings)
        if not checkpoint.restore(folder / "checkpoints", gan):
            raise NotMeasured("needs a checkpoint beside the model")
        real, fake = [], []
        with plain_errors():
            arguments = config.data_arguments(settings)
            batches = open_clips(split="validation", **arguments)(num_steps=BATCHES)
            for batch in batches.as_numpy_iterator():
                frames, code = gan.stylize(
                    batch["content"], batch["style"], gan.ema_generator
                )
                real.append(np.ravel(gan.discriminator(batch["style"], code)))
                fake.append(np.ravel(gan.discriminator(frames, code)))
        return adversarial_balance(np.concatenate(real), np.concatenate(fake))
    except (InputError, OSError, ValueError) as error:
        # damaged, moved data, weights that are not finite
        raise NotMeasured(f"needs the run that made it: {folder}: {error}") from error


def _speed(system, contents):
    from vgan.evaluate import sources, speed

    first = next(iter(contents.values()))
    frame = next(sources.frames(first, FLAGS.size))
    size = frame.shape[:2]
    figures = speed.measure(system.engine, size)
    with contextlib.suppress(ValueError):  # a single frame tells no speed
        figures |= speed.measure_codec(first)
    return {"frame": f"{size[1]}x{size[0]}", **figures}


def _external(system, name, contents, styles, limit):
    """A metric over all results: against the styles, or lpips against the content."""
    from vgan.evaluate import sources
    from vgan.metrics import external

    def results():
        for content, style in itertools.product(contents, styles):
            method = system.method(system.names[0], style, limit)
            for frame in sources.frames(contents[content], FLAGS.size, limit):
                yield frame, method(frame)

    if name == "lpips":
        first, second = itertools.tee(results())
        return {
            name: external.measure(name, (r for _, r in first), (c for c, _ in second))
        }
    pictures = (frame for clip in styles.values() for frame in clip)
    return {name: external.measure(name, (r for _, r in results()), pictures)}


def _setup(system, features, judge, contents):
    subjects = [pathlib.Path(file) for file in system.files]
    return {
        "measured": ", ".join(map(str, subjects)),
        "sha256": ", ".join(map(_sha256, subjects)),
        "content": ", ".join(str(path) for path in contents.values()),
        "styles": ", ".join(FLAGS.styles),
        "short side in pixels": FLAGS.size,
        "features": str(features.sources) if features else "none",
        "judge": str(judge.sources) if judge else "none",
    }


def _sha256(path):
    if not path.is_file():
        return "of a folder or device: none"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    command.run(main, FLAGS)
