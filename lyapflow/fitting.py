"""From a table to the functions of a data-fitting problem, with what is proved of them.

Called by `problems` for files with a ``[data]`` and an ``[objective]`` table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidModelError
from .exact.rationals import rational
from .members import L1Norm, LeastSquares, LogisticLoss, Member, Zero
from .tables import read_table, standardize

__all__ = ["allow_keys", "read_fit"]


def allow_keys(data: Mapping[str, Any], where: str, keys: tuple[str, ...]) -> None:
    """Refuse keys that a table does not have, so that a typing error is not read as a default."""
    unknown = sorted(set(data) - set(keys))
    if unknown:
        raise InvalidModelError(f"{where} may have the keys {', '.join(keys)}; got {', '.join(unknown)}")


def read_fit(
    data: dict[str, Any], objective: dict[str, Any], folder: Path
) -> tuple[dict[str, Member], int, tuple[str, ...]]:
    """Functions f and g of a fit, its dimension, and the facts that a report must state.

    Parameters
    ----------
    data : dict
        Keys ``table``, ``target`` and ``standardize``.
    objective : dict
        Keys ``loss``, ``ridge`` and ``l1``.
    folder : Path
        Where the table is looked up.

    Raises
    ------
    InvalidModelError
        If something is missing, unknown or out of range, or the table cannot be read.
    """
    allow_keys(data, "[data]", ("table", "target", "standardize"))
    allow_keys(objective, "[objective]", ("loss", "ridge", "l1"))
    for key in ("table", "target"):
        if not isinstance(data.get(key), str):
            raise InvalidModelError(f"[data] needs {key}, a text, got {data.get(key)!r}")
    table = read_table(folder / data["table"])
    scaled = data.get("standardize", False)
    if not isinstance(scaled, bool):
        raise InvalidModelError(f"[data]: standardize must be true or false, got {scaled!r}")
    features = table.drop(data["target"]).values
    target = table.column(data["target"])
    features = standardize(features) if scaled else features
    ridge = rational(objective.get("ridge", 0), name="[objective]: ridge")
    weight = rational(objective.get("l1", 0), name="[objective]: l1")
    loss = objective.get("loss")
    if loss == "least_squares":
        f: LeastSquares | LogisticLoss = LeastSquares(
            features, target - target.mean() if scaled else target, ridge=ridge
        )
    elif loss == "logistic":
        f = LogisticLoss(features, _read_labels(target, data["target"]), ridge=ridge)
    else:
        raise InvalidModelError(f'[objective]: loss must be "least_squares" or "logistic", got {loss!r}')
    if weight < 0:
        raise InvalidModelError(f"[objective]: l1 must be >= 0, got {weight}")
    members: dict[str, Member] = {"f": f, "g": L1Norm(weight) if weight else Zero()}
    return members, features.shape[1], tuple(_list_facts(f, data, folder, ridge, weight, scaled))


def _list_facts(
    f: LeastSquares | LogisticLoss, data: dict[str, Any], folder: Path, ridge: Fraction, weight: Fraction, scaled: bool
) -> Iterator[str]:
    """Where the numbers come from, what was done to them, and what is proved of them, for a report."""
    source = folder / data["table"]
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    n, d = f.curvature.shape
    yield f"Table: {source.name}, SHA-256 {digest}; {n} observations of {d} features, target {data['target']!r}."
    yield (
        "Features were brought to zero mean and unit variance in double precision, and count at their exact doubles."
        if scaled
        else "Features are taken as they are, each double at its exact value."
    )
    loss = f.curvature.loss.replace("_", " ")
    yield f"Objective: {loss} (mean over the observations), ridge {ridge}, l1 weight {weight}."
    if not f.curvature.check():  # made by a proof, so this cannot happen; a report must not rest on that
        raise InvalidModelError(f"{source}: the curvature bounds of the data do not hold")
    yield (
        f"Checked in exact arithmetic for these data, when this was written: the Hessian of f lies between mu = "
        f"{f.curvature.mu} and L = {f.curvature.L} everywhere, so f is {f.operator_class.describe()}. "
        "To check it again: lyapflow.curvature on the same table."
    )


def _read_labels(target: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Labels -1 and 1, from a column that holds these two, or 0 and 1."""
    found = set(target.tolist())
    if not (found <= {0.0, 1.0} or found <= {-1.0, 1.0}):
        raise InvalidModelError(f"column {name!r} must hold the labels 0 and 1, or -1 and 1; got {sorted(found)[:5]}")
    return np.where(target > 0, 1.0, -1.0)
