"""What engines run on, and which engine on which device is the fastest here.

A device is one of OpenVINO's (CPU, GPU, GPU.1, NPU) or an execution provider of ONNX
Runtime in lower case (cpu, cuda, directml, coreml, openvino, tensorrt). It runs frames;
style codes, which are made once, are made where the engine makes them by default.
"""

import hashlib
import importlib
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence

from vgan import InputError, files
from vgan.runtime.engines import cache

CLEARLY = 0.9  # of the usual one's time: noise must not decide what runs
USUAL_SIZE = 288, 512  # of frames, where nobody has said any
LARGEST = 1920 * 1088  # pixels that go through a network at once
_SESSIONS = {"openvino": "openvino_session", "onnx": "onnx_session"}
_SESSIONS["web"] = _SESSIONS["onnx"]
# What "auto" tries of each; of a GPU of NVIDIA's, ONNX Runtime takes it by default.
_TRIED = {"openvino": ("GPU", "NPU"), "onnx": ("cuda", "directml", "coreml")}
_TRIED["web"] = _TRIED["onnx"]
# Without one of these, Linux has no GPU or NPU: asking all libraries takes longer.
_LINUX = "/dev/dri", "/dev/accel", "/dev/dxg", "/dev/nvidiactl"

Candidate = tuple[str, str | None]  # engine, device


def available(engine: str) -> list[str]:
    """Names of the devices that an engine can be told to run on, here and now."""
    if engine not in _SESSIONS:
        return []
    try:
        module = importlib.import_module(f"vgan.runtime.engines.{_SESSIONS[engine]}")
    except (ImportError, OSError):
        return []
    return module.devices()


def find(device: object, names: Sequence[str]) -> Candidate:
    """Return the first of these engines that has a device, and what it calls it.

    Args:
        device: Its name, in upper or lower case; "GPU" is also "GPU.0".
        names: Of engines, the fastest first.

    Raises:
        InputError: None has it.
    """
    wanted = str(device).lower()
    there = {name: available(name) for name in names}
    for name, known in there.items():
        for one in known:
            if one.lower() in (wanted, f"{wanted}.0"):
                return name, one
    known = [f"{', '.join(own)} (engine={name})" for name, own in there.items() if own]
    if known:
        raise InputError(f"device={device}: is not here; give {' or '.join(known)}")
    raise InputError(
        f"device={device}: {' or '.join(names)} takes none; leave it out, or give "
        "engine=openvino or engine=onnx"
    )


def candidates(names: Sequence[str]) -> list[Candidate]:
    """What may run a model here: the usual engine, then GPUs and NPUs that are there.

    Args:
        names: Of engines that can run it, the usual one first.
    """
    found = [(names[0], None)]
    if names[0] == "keras":  # for a GPU, which its backend may not know
        found += [(name, None) for name in names[1:2]]
    if sys.platform == "linux" and not any(map(os.path.exists, _LINUX)):
        return found
    for name in names:
        for device in available(name) if name in _TRIED else ():
            is_default = device == "cuda" and (name, None) in found
            if device.split(".")[0] in _TRIED[name] and not is_default:
                found.append((name, device))
    return found


def fastest(
    model: str | pathlib.Path,
    among: Sequence[Candidate],
    size: tuple[int, int] | None,
    tell: Callable[[str], object],
) -> Candidate:
    """Return the candidate that runs a model fastest: measured once, and kept.

    The first is taken unless another needs less than `CLEARLY` of its time for the
    faster of two frames, after one that compiles. What was chosen is kept beside the
    exports of the model, by its contents, the size, the devices and the versions.

    Args:
        model: Path of a generator.keras, or of an export.
        among: What `candidates` gave.
        size: (H, W) of frames, or None: USUAL_SIZE.
        tell: Function that gets a line before a measurement, which takes a while.
    """
    if len(among) == 1:
        return among[0]
    size = size if size and size[0] * size[1] <= LARGEST else USUAL_SIZE
    digest = cache.digest(model)
    name = f"fastest-{digest}-{_key(among, size)}.json"
    for folder in cache.folders(model, digest):
        try:
            choice = tuple(json.loads((folder / name).read_text())["choice"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if choice in among:
            return choice
    shown = [engine + (f" on {device}" if device else "") for engine, device in among]
    tell(f"{model}: measuring {', '.join(shown)}, once for this model and size")
    seconds = [_measure(model, *one, size) for one in among]
    least = min(seconds)
    choice = among[seconds.index(least) if least < CLEARLY * seconds[0] else 0]
    took = {s: t for s, t in zip(shown, seconds, strict=True) if t < math.inf}
    _keep(model, digest, name, {"choice": choice, "seconds": took})
    return choice


def _key(among, size):
    """Of all else that decides: a folder may be seen by several machines."""
    machine = [platform.machine(), platform.processor(), os.cpu_count()]
    devices = []
    if any(engine == "openvino" for engine, _ in among):
        from vgan.runtime.engines import openvino_session

        own = [device or "CPU" for engine, device in among if engine == "openvino"]
        devices = [openvino_session.facts(device) for device in own]
    made_of = [list(among), size, machine, devices, cache.versions()]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]


def _measure(model, engine, device, size):
    """Seconds of a frame, in a process of its own; infinite where it does not run.

    A backend may take all memory of a GPU, and a driver may crash.
    """
    command = [sys.executable, "-m", "vgan.runtime.engines.timing"]
    engine = "" if os.path.isdir(model) else engine  # an export is for one
    command += [str(model), engine, device or "", *map(str, size)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=cache.LONGEST
        )
        return float(done.stdout.split()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return math.inf


def _keep(model, digest, name, facts):
    for folder in cache.folders(model, digest):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files.write_json(folder / name, facts)
        except OSError:
            continue
        for other in folder.glob("fastest-*.json"):
            if not other.name.startswith(f"fastest-{digest}-"):  # of a model before
                other.unlink(missing_ok=True)
        return
