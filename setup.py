"""Packaging of vgan. `make setup` installs it, with everything, into .venv."""

import os
import pathlib
import platform
import re
import shutil

import setuptools

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+)"', (ROOT / "vgan" / "__init__.py").read_text()
).group(1)


def tensorflow():
    """The TensorFlow that fits this machine; VGAN_TENSORFLOW overrides the choice.

    The CPU build is half the download. It exists for x86-64 Linux only; elsewhere
    the plain package has no GPU code either. With an NVIDIA GPU, `and-cuda` brings
    the CUDA libraries along.
    """
    if "VGAN_TENSORFLOW" in os.environ:
        return os.environ["VGAN_TENSORFLOW"]
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "tensorflow>=2.20"
    if shutil.which("nvidia-smi"):
        return "tensorflow[and-cuda]>=2.20"
    return "tensorflow-cpu>=2.20"


BEAM = ["apache-beam>=2.60"]
JAX = ["jax>=0.7"]
FAST = ["openvino>=2025.0", "ai-edge-litert>=1.4"]
ONNX = ["onnxruntime>=1.20", "onnx>=1.17", "tf2onnx>=1.16.1"]

setuptools.setup(
    name="vgan",
    version=VERSION,
    description="Real-time video style transfer with a recurrent GAN, in Keras",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=[],
    packages=setuptools.find_packages(include=["vgan", "vgan.*"]),
    package_data={
        "vgan": ["LICENSE"],
        "vgan.evaluate": ["page.html"],
        "vgan.prepare": ["page.html"],
        "vgan.pretrained": ["*.keras", "sample.mp4", "README.md"],
    },
    python_requires=">=3.11,<3.14",
    install_requires=[
        "absl-py>=2.1",
        "av>=14.0",
        "importlib_resources>=6.0",  # tensorflow-datasets does not name it
        "keras>=3.12",
        "numpy>=2.0",
        "opencv-python>=4.10",
        "pillow>=10.3",
        "tensorboard>=2.20",
        "tensorflow-datasets>=4.9.7",
        "tqdm>=4.66",
        tensorflow(),
    ],
    extras_require={
        "fast": FAST,
        "onnx": ONNX,
        "beam": BEAM,
        "jax": JAX,
        "metrics": ["torchmetrics[image]>=1.7", "torch>=2.6"],
        "serve": ["aiohttp>=3.10"],
        "dev": [
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "hypothesis>=6.100",
            "ruff>=0.6",
            *BEAM,
            *FAST,
            *JAX,
            *ONNX,
        ],
    },
    entry_points={"console_scripts": []},
)
