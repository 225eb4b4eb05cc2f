"""Stable linear plants and their steady state, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InvalidModelError
from ..exact.matrices import Matrix, add, inverse, multiply, scale
from ..exact.spectra import bound_abscissa

if TYPE_CHECKING:
    from control import StateSpace

__all__ = ["StablePlant", "read_stable_plant"]


@dataclass(frozen=True, slots=True)
class StablePlant:
    r"""A plant :math:`\dot x = Ax + Bu + w_1`, :math:`y = Cx + Du + w_2` with constant disturbances; A is Hurwitz.

    Attributes
    ----------
    A, B, C, D : Matrix
        Exact.
    """

    A: Matrix
    B: Matrix
    C: Matrix
    D: Matrix

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of states n, inputs p and outputs q."""
        return len(self.A), len(self.B[0]), len(self.C)

    @property
    def settled_state(self) -> Matrix:
        r""":math:`-A^{-1}B`, shape (n, p): how the steady state moves with a constant input."""
        return scale(Fraction(-1), multiply(inverse(self.A), self.B))

    @property
    def steady_gain(self) -> Matrix:
        r""":math:`G = -CA^{-1}B + D`, shape (q, p): how the steady output moves with a constant input."""
        return add(multiply(self.C, self.settled_state), self.D)


def read_stable_plant(sys: StateSpace) -> StablePlant:
    """A `control.StateSpace` at the exact values of its floats, proved to be stable.

    Parameters
    ----------
    sys : control.StateSpace
        In continuous time.

    Raises
    ------
    InvalidModelError
        If it is in discrete time, or has an eigenvalue that is not proved to lie in the open left half-plane; the
        message names it.
    DimensionError
        If it has no state, input or output.
    """
    from .control_interop import read_plant

    A, B, C, D = read_plant(sys)
    least, most = bound_abscissa(A)
    if most >= 0:
        values = np.linalg.eigvals(np.array(A, dtype=float))
        worst = complex(values[np.argmax(values.real)])
        shown = f"{worst.real:.6g}" + (f" +- {abs(worst.imag):.6g}i" if worst.imag else "")
        where = f"it lies in [{float(least):.6g}, {float(most):.6g}]" if least < most else f"it is {float(most):.6g}"
        raise InvalidModelError(
            f"plant must be stable, every eigenvalue of A with a negative real part; it has the eigenvalue {shown} "
            f"(largest real part: {where}). Stabilise the plant with an inner loop first."
        )
    return StablePlant(A, B, C, D)
