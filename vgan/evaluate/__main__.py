r"""Measure a model, or any finished video: style, content and temporal consistency.

python -m vgan.evaluate --model=runs/quickstart/generator.keras --content=clips/ \
    --styles=paintings/ --baseline=per_frame --baseline=identity --output=report/
python -m vgan.evaluate --video=out.mp4 --content=in.mp4 --styles=s.jpg --output=report/

Writes metrics.json and index.html, a page that stands alone, and prints a table.
"""

import pathlib
import sys
from collections.abc import Callable

from vgan import InputError, command, pretrained
from vgan.evaluate import GROUPS, RENAMED

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


def main(_: list[str], rival: Callable | None = None) -> None:
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
    paths = sources.find(FLAGS.styles, "styles")
    styles = sources.keep_readable(paths, "styles", sources.style_frames, _say)
    if FLAGS.video:
        for flag, given in (("--content", lengths), ("--styles", styles)):
            if len(given) > 1:
                raise InputError(f"{flag}: with --video, give one file, not several")
    system = _system({name: paths[name] for name in styles}, rival)
    from vgan.evaluate import report, run

    evaluation = run.Evaluation(
        system,
        {name: contents[name] for name in lengths},
        styles,
        groups=groups,
        size=FLAGS.size,
        limit=limit or None,
        features=FLAGS.features,
        judge=FLAGS.judge,
    )
    report.check(FLAGS.output, FLAGS.overwrite)
    scores = evaluation.scores(lengths)
    rows, parts, missing = evaluation.parts(FLAGS.model)
    facts = report.facts(
        f"Evaluation of {', '.join(system.files)}",
        ["content", *system.names],
        *(scores, parts, missing, evaluation.setup(FLAGS.styles), rows),
    )
    pictures = {name: clip[0] for name, clip in styles.items()}
    report.write(FLAGS.output, facts, scores, pictures)
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


if __name__ == "__main__":
    command.run(main, FLAGS)
