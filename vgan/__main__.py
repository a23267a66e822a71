"""The command `vgan`: `vgan generate ...` is `python -m vgan.generate ...`."""

import runpy
import sys

import vgan

VERBS = {
    "generate": "stylize a video, a folder, a camera, a stream or a picture",
    "styles": "list the styles that a model knows, in words or as a picture",
    "train": "train a model on your own videos and paintings",
    "prepare": "cut videos and photos into clips that training reads fast",
    "evaluate": "measure style, content and temporal consistency",
    "export": "write a model as OpenVINO, ONNX, LiteRT or a SavedModel",
    "serve": "open a page that paints the camera or a film, live",
    "benchmark": "time decoding, network and encoding on this machine",
}


def main() -> None:
    """Run the verb that the command line names; it parses its own flags."""
    verb, *flags = sys.argv[1:] or ["--help"]
    if verb in ("-h", "--help"):
        print("usage: vgan VERB --flag ...\n")
        print(*(f"  {name:10} {what}" for name, what in VERBS.items()), sep="\n")
        print("\nvgan VERB --help lists its flags; vgan --version says which this is.")
    elif verb == "--version":
        print(f"vgan {vgan.__version__}")
    elif verb in VERBS:
        sys.argv[1:] = flags
        runpy.run_module(f"vgan.{verb}", run_name="__main__", alter_sys=True)
    else:
        print(f"vgan: no verb {verb!r}; known: {', '.join(VERBS)}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
