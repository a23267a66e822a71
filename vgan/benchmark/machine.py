"""What a measurement was taken on, and with."""

import os
import pathlib
import platform

import vgan


def hardware() -> dict[str, str]:
    """Return {"machine"}, a line; needs no backend, and so sees no accelerator."""
    system = f"{platform.machine()}, {platform.system()}"
    return {"machine": f"{os.cpu_count()} CPUs ({_cpu_model()}), {system}"}


def describe() -> dict[str, str]:
    """Return {"machine", "versions"}, a line each."""
    import keras

    parts = [hardware()["machine"]]
    accelerators = [d for d in keras.distribution.list_devices() if "cpu" not in d]
    if accelerators:
        names = _gpu_models() or accelerators
        parts.insert(0, f"{len(accelerators)} x {', '.join(dict.fromkeys(names))}")
    versions = (
        f"vgan {vgan.__version__}, keras {keras.__version__} on "
        f"{keras.backend.backend()}"
    )
    return {"machine": ", ".join(parts), "versions": versions}


def _cpu_model():
    return _value(pathlib.Path("/proc/cpuinfo"), "model name") or platform.processor()


def _gpu_models():
    files = sorted(pathlib.Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return [name for name in (_value(file, "Model") for file in files) if name]


def _value(path, key):
    """What a file of lines "key : value" says of the key; "" where it does not."""
    if not path.is_file():
        return ""
    for line in path.read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""
