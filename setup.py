"""Packaging. `pip install .` brings the default configs and weights along with the code."""

from __future__ import annotations

import subprocess
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def requirements() -> list[str]:
    """The pinned direct dependencies, and GDAL's binding for the system's library, if any.

    GDAL's Python binding must be of the version of the system's libgdal, and there is no wheel.
    """
    lines = (HERE / "requirements.txt").read_text().splitlines()
    pins = [line.split("#")[0].strip() for line in lines]
    try:
        version = subprocess.run(
            ["gdal-config", "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return [pin for pin in pins if pin]
    return [*(pin for pin in pins if pin), f"gdal=={version}.*"]


setup(
    packages=[
        *find_packages(include=["nndacss*", "tasks*"]),
        "nndacss._configs",
        "nndacss._checkpoints",
    ],
    # configs/ and checkpoints/ stay at the top level, and are installed as package data
    package_dir={
        "nndacss": "nndacss",
        "tasks": "tasks",
        "nndacss._configs": "configs",
        "nndacss._checkpoints": "checkpoints",
    },
    package_data={
        "nndacss": ["py.typed"],
        "nndacss.clean": ["*.j2"],
        "nndacss.experiment": ["*.j2"],
        "nndacss.inpaint": ["*.j2"],
        "nndacss.land_cover": ["*.j2"],
        "nndacss.operations": ["*.j2"],
        "nndacss.pairs": ["*.j2"],
        "nndacss.product": ["*.j2"],
        "nndacss.samples": ["*.j2"],
        "nndacss.simulate.check": ["*.j2"],
        "nndacss.transfer": ["*.j2"],
        "nndacss._configs": ["*.toml"],
        "nndacss._checkpoints": ["*"],
    },
    install_requires=requirements(),
    # parts of one large scene on a cluster
    extras_require={"dask": ["dask==2026.8.0", "distributed==2026.8.0"]},
)
