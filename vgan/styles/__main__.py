r"""List the styles that a model knows by name, in words or as a picture.

python -m vgan.styles --output=styles.jpg

paints one frame in each of them: of a film that ships, or of --input, at second --at.
"""

from vgan import InputError, command, pretrained

SHOWN = "1.5"  # second of the film that ships

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "model",
    "painterly",
    "a generator.keras, an export, or painterly or painterly_small",
)
FLAGS.DEFINE_string("input", None, "a video or picture; default: a film that ships")
FLAGS.DEFINE_string("at", None, "second of the video, as in 12.5 or 0:20")
FLAGS.DEFINE_string("output", None, "a .jpg or .png to make; default: the names alone")
FLAGS.DEFINE_bool("overwrite", False, "replace an output that exists")


def main(_: list[str]) -> None:
    """Print the names, one a line; make the picture if it is asked for."""
    from vgan.runtime import engines

    names = sorted(engines.describe(pretrained.find(FLAGS.model)).named_styles)
    if not FLAGS.output:
        for name in ("input", "at"):
            if FLAGS[name].value:
                raise InputError(f"--{name}: is of a picture; give --output, too")
        print(*names, sep="\n")
        return
    from vgan.generate import run

    run.stylize(
        FLAGS.input or pretrained.DEMO,
        (),
        FLAGS.output,
        model=FLAGS.model,
        at=FLAGS.at if FLAGS.input else FLAGS.at or SHOWN,
        contact_sheet="all",
        overwrite=FLAGS.overwrite,
        report=print,
    )


if __name__ == "__main__":
    command.run(main, FLAGS)
