"""How Keras and its backend are imported: in silence, and not torn by a stop."""

import contextlib
import importlib.util
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator

from vgan import InputError

ENDS = ("SIGTERM", "SIGHUP")  # kill, and a closed terminal
_terminal = 2  # descriptor of standard error, whatever `quiet` has put there


def import_keras() -> None:
    """Import Keras with its backend, which takes seconds, unless it is there already.

    Raises:
        InputError: KERAS_BACKEND is one that vgan does not run on.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    os.environ["KERAS_BACKEND"] = backend
    if backend not in ("tensorflow", "jax"):
        raise InputError(f"KERAS_BACKEND={backend}: vgan runs on tensorflow or jax")
    if importlib.util.find_spec(backend) is None:
        raise InputError(
            f"KERAS_BACKEND={backend}: it is not installed; pip install -e '.[jax]'"
        )
    # oneDNN trains twice as fast; TensorFlow takes it by itself on few processors only,
    # and says so on every start, which `importing` hides.
    computes = backend == "tensorflow"
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1" if computes else "0")
    with importing(), _no_settings_written():
        import keras  # noqa: F401


@contextlib.contextmanager
def _no_settings_written() -> Iterator[None]:
    """Keras would write its own defaults into the user's home, if none are there."""
    home = os.path.expanduser("~/.keras")
    if "KERAS_HOME" in os.environ or os.path.exists(home):
        yield
        return
    os.environ["KERAS_HOME"] = os.devnull  # no folder can be made there
    try:
        yield
    finally:
        del os.environ["KERAS_HOME"]
    # Weights that are downloaded go where they went.
    sys.modules["keras.src.backend.config"]._KERAS_DIR = home


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """`quiet`, and a stop waits for the end: TensorFlow dies of it, or swallows it.

    Raises:
        KeyboardInterrupt: After the block, if there was a stop.
    """
    noted, before = [], {}
    for name in ("SIGINT", *ENDS):
        if hasattr(signal, name) and _is_main_thread():
            number = getattr(signal, name)
            before[number] = signal.signal(number, lambda one, _: noted.append(one))
    try:
        with quiet():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if noted:
        raise KeyboardInterrupt(noted[0])


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep from the terminal what libraries print that no setting turns off.

    It is shown after all if an exception other than InputError ends the block.
    """
    global _terminal
    sys.stderr.flush()
    outer = _terminal
    with tempfile.TemporaryFile() as held:
        terminal = _terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except InputError:
            raise
        except Exception:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            _terminal = outer
            os.close(terminal)


def say(line: str) -> None:
    """Print a line to the terminal, also where `quiet` keeps others from it."""
    sys.stderr.flush()
    os.write(_terminal, f"{line}\n".encode())


def _is_main_thread():
    """Only there signals can be handled."""
    return threading.current_thread() is threading.main_thread()
