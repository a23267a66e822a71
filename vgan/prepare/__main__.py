r"""Prepare your own videos and photos for training.

python -m vgan.prepare --input=my_videos --output=data/mine

finds the shots, drops what is black, frozen, too dark or there already, and writes
clips of one frame rate and size, with a report to look through, data/mine/report.html.
Train on them with Data(content="data/mine"). The same command again goes on where it
was stopped, and does nothing that is done.
"""

import os

from vgan import InputError, command

FLAGS = command.Flags()
FLAGS.DEFINE_multi_string(
    "input", [], "folder of videos and photos, searched with all inside; repeatable"
)
FLAGS.DEFINE_string("output", None, "folder to make; its last part names the set")
FLAGS.DEFINE_float("fps", 24, "frames per second of the clips")
FLAGS.DEFINE_integer("size", 256, "short side of the clips in pixels")
FLAGS.DEFINE_integer("clip_length", 16, "frames of a clip; a photo is a clip of one")
FLAGS.DEFINE_integer("max_clips", 0, "most clips, evenly from all files; 0: all")
FLAGS.DEFINE_float("validation", 0.1, "fraction of the files that is not trained on")
FLAGS.DEFINE_enum(
    "role",
    "content",
    ("content", "style"),
    "what they are for; of style, each sub-folder is a named style",
)
FLAGS.DEFINE_string(
    "provenance",
    None,
    "CSV file with the columns file (path, name or id), license, url, author, labels, "
    "start, end (seconds of a video); all but file may be left out",
)
FLAGS.DEFINE_integer(
    "workers", None, "processes at a time (default: one for each core)"
)
FLAGS.DEFINE_bool(
    "keep_parts",
    False,
    "keep what was found in each file, as large as the set itself: when files are "
    "added, the others are not read again",
)
FLAGS.DEFINE_multi_string(
    "beam",
    [],
    "a flag of Apache Beam, which then does the work, as in "
    "--beam=--runner=DirectRunner; repeatable",
)
FLAGS.DEFINE_bool("overwrite", False, "replace a set that was made otherwise")
FILLED = {
    "input": "my_videos",
    "output": "data/mine",
    "provenance": "list.csv",
    "beam": "--runner=DirectRunner",
}


def main(_: list[str]) -> None:
    """Parse, then prepare."""
    for name, example in FILLED.items():
        value = FLAGS[name].value
        if "" in ([value] if isinstance(value, str) else value or []):
            raise InputError(f"--{name}=: is empty; give one, such as {example}")
    for name, example in (("input", "my_videos"), ("output", "data/mine")):
        if not FLAGS[name].value:
            raise InputError(f"--{name}: is missing; give one, such as {example}")
    if FLAGS.workers is not None and not 1 <= FLAGS.workers <= 256:
        raise InputError(f"--workers={FLAGS.workers}: give 1 to 256 processes")
    # TensorFlow only writes files here: without these it starts in silence.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    from vgan.prepare.run import prepare
    from vgan.prepare.settings import Settings

    names = Settings.__dataclass_fields__
    settings = Settings(**{name: FLAGS[name].value for name in names})
    try:
        lines = prepare(
            *(FLAGS.input, FLAGS.output, settings, FLAGS.workers, FLAGS.provenance),
            *(FLAGS.overwrite, FLAGS.keep_parts, FLAGS.beam or None),
            loading=command.importing,
        )
    except KeyboardInterrupt:
        print(f"{FLAGS.output}: stopped; the same command goes on from here")
        raise
    print(*(command.with_flags(line, FLAGS) for line in lines), sep="\n")


if __name__ == "__main__":
    command.run(main, FLAGS)
