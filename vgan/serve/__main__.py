r"""Serve a page on this computer that paints the camera, a film or a file, live.

python -m vgan.serve --open

prints the page's address. Only this computer reaches it, unless --host and --token say
otherwise.
"""

from vgan import command

ENGINES = ("auto", "keras", "openvino", "onnx")

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "model",
    "painterly",
    "a generator.keras, what vgan.export made, or a model that ships: painterly or "
    "painterly_small, which is faster",
)
FLAGS.DEFINE_enum("engine", "auto", ENGINES, "what runs the network")
FLAGS.DEFINE_integer("port", 8000, "where the page is; 0 takes one that is free")
FLAGS.DEFINE_string(
    "host",
    "127.0.0.1",
    "address to listen at; another than this computer's own, such as 0.0.0.0, needs "
    "--token",
)
FLAGS.DEFINE_string(
    "token", None, "secret of 12 or more characters that visitors must know"
)
FLAGS.DEFINE_multi_string(
    "name", [], "host name by which a proxy reaches the page, as in paint.example.org"
)
FLAGS.DEFINE_bool("open", False, "open the page in the browser")
FLAGS.DEFINE_float("max_upload", 1000, "largest film to take, in megabytes")
FLAGS.DEFINE_integer("max_live", 8, "pages that may be painted at once")


def main(_: list[str]) -> None:
    """Parse, then serve until Ctrl-C."""
    from vgan.serve.run import serve

    given = {name: FLAGS[name].value for name in FLAGS}
    serve(**given, report=lambda line: print(line, flush=True))


if __name__ == "__main__":
    command.run(main, FLAGS)
