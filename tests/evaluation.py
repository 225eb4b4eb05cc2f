"""Evaluate a class's inequalities on concrete points of a member: the slack must not be negative."""

from dataclasses import dataclass

import numpy as np

from lyapflow.classes import EQUILIBRIUM
from lyapflow.errors import InvalidModelError

FLOOR = 1e-3  # terms smaller than this count as this size: values are differences of numbers near 1


@dataclass(frozen=True)
class Sample:
    """An input, an output of the oracle there, and the value (None for an operator)."""

    y: np.ndarray
    u: np.ndarray
    f: float | None


def sample(member, x, step=1.0):
    """Gradient at x, or where there is none, the subgradient that the prox step from x finds."""
    try:
        y, u = x, member.gradient(x)
    except InvalidModelError:
        y = member.prox(x, step)
        u = (x - y) / step
    return Sample(y, u, member.value(y) if member.operator_class.has_values else None)


def relative_slacks(known, here, rest):
    """Slack of each inequality between ``here`` and the equilibrium ``rest``, over the size of its terms."""
    signals = {("y", "t"): here.y - rest.y, ("u", "t"): here.u - rest.u}
    phi, size_phi = 0.0, 0.0
    if known.has_values:
        linear = float(rest.u @ signals["y", "t"])
        phi = here.f - rest.f - linear
        size_phi = abs(here.f) + abs(rest.f) + np.linalg.norm(rest.u) * _size(here, rest, "y")
    found = {}
    for inequality in known.inequalities(("t", EQUILIBRIUM)):
        products = [float(c) * float(signals[a] @ signals[b]) for (a, b), c in inequality.products]
        rounding = [
            abs(float(c)) * _size(here, rest, a[0]) * _size(here, rest, b[0]) for (a, b), c in inequality.products
        ]
        weight = sum(float(c) for _, c in inequality.values)
        slack = weight * phi + sum(products)
        found[inequality.name] = slack / (abs(weight) * size_phi + sum(rounding) + FLOOR)
    return found


def _size(here, rest, kind):
    return float(np.linalg.norm(getattr(here, kind)) + np.linalg.norm(getattr(rest, kind)))


def assert_in_class(known, here, rest, tolerance=1e-9):
    assert known.has_values is False or np.isfinite([here.f, rest.f]).all()
    bad = {name: slack for name, slack in relative_slacks(known, here, rest).items() if slack < -tolerance}
    assert not bad, f"{known} is violated: {bad}"
