"""A peer's own Python environment: made once from a file of pinned versions, and made again when that file changes.

Peers never enter pile's environment: their pins differ (datatrove 0.10.1 asks for a trafilatura below 1.12).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PEERS = Path(__file__).resolve().parent
#: Environments of peers, one folder each. It ignores itself for git (and so for ruff).
CACHE = PEERS.parents[1] / ".venv-peers"


def ensure_environment(name: str, requirements: Path | None = None, cache: Path = CACHE) -> Path:
    """Return the Python of the peer ``name``, installed from ``requirements`` (default ``requirements-NAME.txt`` beside this).

    Every distribution comes as a wheel. Raises ``FileNotFoundError`` without a requirements file, and
    ``subprocess.CalledProcessError`` when pip fails, whose own message stands above.
    """
    requirements = requirements or PEERS / f"requirements-{name}.txt"
    wanted = f"{sys.version}\n{hashlib.sha256(requirements.read_bytes()).hexdigest()}\n"
    folder = cache / name
    python, ready = folder / "bin/python", folder / ".ready"
    if ready.is_file() and ready.read_text() == wanted:
        return python
    print(f"installing {name} in {folder}", file=sys.stderr)
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    # make exports pile's own constraints, which are not a peer's.
    environment = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    command = [python, "-m", "pip", "install", "-qq", "--only-binary", ":all:", "-r", requirements]
    subprocess.run(command, env=environment, check=True, stdout=sys.stderr)
    ready.write_text(wanted)
    return python


def version(python: Path, distribution: str) -> str:
    """Return the version of a distribution in the environment of ``python``; raises ``CalledProcessError`` when it has none."""
    command = [
        python,
        "-c",
        "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))",
        distribution,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
