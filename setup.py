"""What pyproject.toml cannot say: experiments/ travels as vgan/experiments."""

import setuptools

setuptools.setup(
    packages=[
        *setuptools.find_packages(include=["vgan", "vgan.*"]),
        "vgan.experiments",
        "vgan.export.web.page",  # no modules; else setuptools warns of their files
        "vgan.serve.page",
    ],
    package_dir={"vgan.experiments": "experiments"},
)
