r"""Let YouTube-8M say which videos to acquire, or what the copies that you have show.

python -m tools.youtube8m --shards="yt8m/*.tfrecord" --count=200 --output=list.csv
python -m tools.youtube8m --shards="yt8m/*.tfrecord" --input=copies --output=list.csv

YouTube-8M holds no frames. The first command lists 200 clips, balanced over labels and
unlike each other; the second the labels of copies named by id. Both lists are for
`python -m vgan.prepare --provenance=list.csv`.
"""

import os

from vgan import InputError, command

FLAGS = command.Flags()
FLAGS.DEFINE_multi_string(
    "shards", [], "shards of YouTube-8M: a folder, file or pattern; repeatable"
)
FLAGS.DEFINE_string("input", None, "folder of copies, named by id, to find labels of")
FLAGS.DEFINE_integer("count", None, "clips to choose")
FLAGS.DEFINE_string("output", None, "the .csv file to write")
FLAGS.DEFINE_multi_string(
    "label", [], "choose of this label, by name or number; repeatable"
)
FLAGS.DEFINE_string("vocabulary", None, "its vocabulary.csv, with the names of labels")
FLAGS.DEFINE_integer("per_label", None, "most clips of a label in memory")
FLAGS.DEFINE_integer("seed", 0, "other seeds look at other clips")
FLAGS.DEFINE_bool("overwrite", False, "replace a list that exists")
FILLED = {
    "shards": "yt8m/*.tfrecord",
    "input": "my_copies",
    "output": "list.csv",
    "label": "Guitar",
    "vocabulary": "vocabulary.csv",
}


def main(_):
    """Parse, then choose or join."""
    for name, example in FILLED.items():
        value = FLAGS[name].value
        if "" in ([value] if isinstance(value, str) else value or []):
            raise InputError(f"--{name}=: is empty; give one, such as {example}")
    for name in ("shards", "output"):
        if not FLAGS[name].value:
            raise InputError(f"--{name}: is missing; give one, such as {FILLED[name]}")
    if os.path.exists(FLAGS.output) and not FLAGS.overwrite:
        raise InputError(
            f"--output={FLAGS.output}: exists; give another, or --overwrite"
        )
    if bool(FLAGS.input) == (FLAGS.count is not None):
        raise InputError(
            "--shards: give --count, to choose clips, or --input, the folder of your "
            "copies"
        )
    from tools.youtube8m import choosing

    if FLAGS.input:
        if FLAGS.label:
            raise InputError("--input: of copies give no --label")
        found = choosing.join(FLAGS.shards, FLAGS.input, FLAGS.output, FLAGS.vocabulary)
    else:
        found = choosing.choose(
            *(FLAGS.shards, FLAGS.output, FLAGS.count, FLAGS.label or None),
            *(FLAGS.vocabulary, FLAGS.per_label, FLAGS.seed),
        )
    print(f"{FLAGS.output}: {len(found)} videos, for --provenance={FLAGS.output}")


if __name__ == "__main__":
    command.run(main, FLAGS)
