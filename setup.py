"""What pyproject.toml cannot say: experiments/ travels as vgan/experiments."""

import setuptools

setuptools.setup(
    packages=[
        *setuptools.find_packages(include=["vgan", "vgan.*"]),
        "vgan.experiments",
    ],
    package_dir={"vgan.experiments": "experiments"},
)
