"""Studies of the catalogue of learning dynamics: each derives its evidence, simulates, and writes one report."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ..errors import InvalidModelError

__all__ = ["STUDIES", "run_study"]

STUDIES = {
    "affine-relu": "affine_relu",
    "deep-linear-networks": "deep_linear",
    "kl-natural-gradient": "kl_natural_gradient",
    "large-steps": "large_steps",
    "neural-feature-ansatz": "neural_feature_ansatz",
    "related-papers": "related_papers",
    "sparse-attention": "sparse_attention",
    "homogeneous-networks": "squared_relu",
    "shallow-relu": "shallow_relu",
}
"""Name -> room; a room has a function ``run(folder, say)`` that writes the report and returns its path."""


def run_study(name: str, folder: str | Path, *, say: Callable[[str], None] = lambda line: None) -> Path:
    """Run a study and write its report.

    Parameters
    ----------
    name : str
        One of `STUDIES`.
    folder : path
        Where the report goes; made if it does not exist.
    say : callable, optional
        Receives lines of progress.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    InvalidModelError
        If there is no such study, or the folder is a file.
    VerificationError
        If something is not as the study claims.
    """
    if not isinstance(name, str) or name not in STUDIES:
        raise InvalidModelError(f"there is no study {name!r}; there are: {', '.join(STUDIES)}")
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InvalidModelError(f"{target} must be a folder, and it is a file")
    target.mkdir(parents=True, exist_ok=True)
    room = import_module(f".{STUDIES[name]}", __name__)
    report: Path = room.run(target, say)
    return report
