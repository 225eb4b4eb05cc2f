"""Rigorous bounds of how fast a linear member decays: rational data, root balls."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ..dynamics import LureSystem, PrimalDualIteration, PrimalDualSystem, ProximalLagrangianSystem, SaddleSystem, System
from ..exact.elementary import bound_sqrt_below
from ..exact.matrices import Matrix, add, identity, inverse, kronecker, multiply, scale
from ..exact.rationals import rational
from ..exact.spectra import (
    bound_abscissa,
    bound_abscissa_between,
    bound_radius,
    bound_radius_between,
    enclose_eigenvalue,
)

__all__ = ["Slope", "bound_factor", "bound_rate", "is_large"]

Slope: TypeAlias = tuple[Fraction, Fraction]
"""Real and imaginary part."""

Between: TypeAlias = tuple[Matrix, Matrix, tuple[Matrix, Matrix] | None]
"""Closed loops at two ends, and where members are complex their imaginary parts."""

_MOST_STATES = 20  # beyond, eigenvalues are searched and bounded by methods for large matrices


def is_large(system: System) -> bool:
    """Whether a system has so many states that searches over its closed loops are slow."""
    return max(plant.shape[0] for mode in system.modes for plant in mode.vertices) > _MOST_STATES


def bound_rate(system: System, slopes: tuple[Slope, ...]) -> Fraction:
    """Rigorous upper bound of the closed loop's decay rate."""
    if isinstance(system, PrimalDualSystem):
        return _bound_modal_rate(system, slopes[0][0])
    if isinstance(system, ProximalLagrangianSystem | SaddleSystem):
        loops = list(_list_loops(system, slopes))
        return min(-(bound_abscissa(e[0])[0] if len(e) == 1 else bound_abscissa_between(*e)) for e in loops)
    return min(_bound_vertex_rate(system, plant, slopes) for plant in system.modes[0].vertices)


def _bound_vertex_rate(system: System, plant: LureSystem, slopes: tuple[Slope, ...]) -> Fraction:
    closed = _close(plant, slopes)
    near = _enclose_extreme(closed, slopes, discrete=False) if is_large(system) else None
    if near is None:
        return -bound_abscissa(closed)[0]
    centre, radius = near
    return radius - rational(centre.real)


def bound_factor(system: System, slopes: tuple[Slope, ...]) -> Fraction:
    """Rigorous lower bound of the closed loop's spectral radius."""
    found = []
    if isinstance(system, PrimalDualIteration):
        found = [_bound_iteration_factor(system, box, slopes) for box in system.enclose_singular_values()]
    if isinstance(system, ProximalLagrangianSystem | SaddleSystem):
        ends = list(_list_loops(system, slopes))
        return max(bound_radius(e[0])[0] if len(e) == 1 else bound_radius_between(*e) for e in ends)
    if isinstance(system, PrimalDualSystem):  # every entry is monotone in the singular value
        loops = [[_close(plant, slopes) for plant in mode.vertices] for mode in system.modes]
        return max(bound_radius(e[0])[0] if len(e) == 1 else bound_radius_between(e[0], e[1]) for e in loops)
    for plant in (plant for mode in system.modes if not mode.is_end for plant in mode.vertices):
        closed = _close(plant, slopes)
        near = _enclose_extreme(closed, slopes, discrete=True) if is_large(system) else None
        if near is None:
            found.append(bound_radius(closed)[0])
        else:
            centre, radius = near
            modulus = bound_sqrt_below(rational(centre.real) ** 2 + rational(centre.imag) ** 2, digits=18)
            found.append(max(modulus - radius, Fraction(0)))
    return max(found)


def _enclose_extreme(closed: Matrix, slopes: tuple[Slope, ...], *, discrete: bool) -> tuple[complex, Fraction] | None:
    """A small disk that holds an eigenvalue of a closed loop, the rightmost (or largest) one by floating point."""
    imaginary: Matrix | None = None
    if any(s[1] for s in slopes):  # two copies of each signal: back to one complex one
        closed, imaginary = (tuple(row[::2] for row in closed[part::2]) for part in (0, 1))
    floats = np.array(closed, dtype=float) + (0 if imaginary is None else 1j * np.array(imaginary, dtype=float))
    values = np.linalg.eigvals(floats)
    extreme = values[np.argmax(np.abs(values) if discrete else values.real)]
    return enclose_eigenvalue(closed, imaginary, complex(extreme))


def _close(plant: LureSystem, slopes: tuple[Slope, ...]) -> Matrix:
    """Closed-loop matrix; complex slopes act on two copies of each signal."""
    if not slopes:
        return plant.A
    parts = [plant.A, plant.B, plant.C, plant.D]
    S: Matrix = tuple(tuple(s[0] if i == j else Fraction(0) for j in range(len(slopes))) for i, s in enumerate(slopes))
    if any(s[1] for s in slopes):
        two = identity(2)
        turn: Matrix = ((Fraction(0), Fraction(-1)), (Fraction(1), Fraction(0)))
        T: Matrix = tuple(
            tuple(s[1] if i == j else Fraction(0) for j in range(len(slopes))) for i, s in enumerate(slopes)
        )
        parts = [kronecker(part, two) for part in parts]
        S = add(kronecker(S, two), kronecker(T, turn))
    A, B, C, D = parts
    loop = inverse(add(identity(len(D)), scale(Fraction(-1), multiply(D, S))))
    return add(A, multiply(multiply(B, S), multiply(loop, C)))


def _list_loops(
    system: ProximalLagrangianSystem | SaddleSystem, slopes: tuple[Slope, ...]
) -> Iterator[tuple[Matrix] | Between]:
    """The closed loop of each null space and singular value; two where it lies between them."""
    for mode in system.modes:
        if mode.label.startswith("null"):
            yield (_close(mode.vertices[0], slopes),)
    for box in system.enclose_singular_values():
        if box[0] == box[1]:
            yield (_close(system.plant(box[0]), slopes),)
        else:
            yield _close_between(system, box, slopes)


def _bound_modal_rate(system: PrimalDualSystem, k: Fraction) -> Fraction:
    """For ``f = k |x|^2 / 2``: the roots of ``s^2 + (k + a theta) s + eta theta``, theta in each enclosure."""
    rates = [k] if any(mode.label == "null" for mode in system.modes) else []
    for low, high in system.enclosures:
        most = k + system.augmentation * high
        least = k + system.augmentation * low
        inside = max(max(least, Fraction(0)) ** 2 - 4 * system.dual_gain * high, Fraction(0))
        rates.append((most - bound_sqrt_below(inside, digits=18)) / 2)
    return min(rates)


def _bound_iteration_factor(
    system: PrimalDualIteration, box: tuple[Fraction, Fraction], slopes: tuple[Slope, ...]
) -> Fraction:
    """Rigorous lower bound of the spectral radius for a singular value that lies between two numbers."""
    if box[0] == box[1]:
        return bound_radius(_close(system.plant(box[0]), slopes))[0]
    return bound_radius_between(*_close_between(system, box, slopes))


def _close_between(
    system: PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem,
    box: tuple[Fraction, Fraction],
    slopes: tuple[Slope, ...],
) -> Between:
    """Closed loops at the ends of an interval of singular values, between which every entry is monotone."""
    low, high = (_close(system.plant(s), slopes) for s in box)
    if not any(s[1] for s in slopes):
        return low, high, None
    (real, imaginary), (real_high, imaginary_high) = (
        tuple(tuple(row[::2] for row in closed[part::2]) for part in (0, 1)) for closed in (low, high)
    )
    return real, real_high, (imaginary, imaginary_high)
