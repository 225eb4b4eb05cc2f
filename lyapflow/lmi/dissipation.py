r"""Plant meets uncertainty: the dissipation inequality of a claim, as a pencil.

For :math:`V = \tilde x^\top P\tilde x + \sum_j\lambda_j\varphi_j` and the class inequalities
:math:`I_k = a_k\varphi + \text{quadratic} \ge 0`, exponential decay with rate :math:`\rho` of the state norm is

* *decrease*: :math:`-(\dot V + 2\rho V) - \sum_k\sigma_k I_k` is a positive semidefinite form, :math:`\sigma_k \ge 0`;
* *positivity*: :math:`V - |\tilde x|^2 - \sum_k\nu_k I_k` is, :math:`\nu_k \ge 0`;
* *upper bound*: :math:`c_2|\tilde x|^2 - V - \sum_k\omega_k I_k` is, :math:`\omega_k \ge 0`, where such a
  :math:`c_2` exists.

Function values occur linearly, so their coefficients must vanish: these are the equalities of the pencil.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..classes.inequalities import EQUILIBRIUM, Inequality, read_inequalities
from ..dynamics import LureSystem, Mode, System
from ..errors import InvalidModelError
from ..exact.matrices import Matrix, Vector, scale, symmetric_product
from .claims import ExponentialDecay
from .pencil import Condition, Equality, Pencil, collect
from .templates import QuadraticPlusValue, QuadraticStorage, Template

__all__ = ["UPPER", "assemble", "storage_name", "value_name", "valued_oracles"]

NOW = "t"
UPPER = "upper bound"
"""Name of the unknown c2 in ``V <= c2 |x|^2``."""


def storage_name(mode: Mode, i: int, j: int) -> str:
    """Name of an entry of a mode's storage matrix, ``i <= j``."""
    return f"P{f'({mode.label})' if mode.label else ''}[{i},{j}]"


def value_name(oracle: str) -> str:
    """Name of the weight of an oracle's function value in V."""
    return f"value[{oracle}]"


def valued_oracles(system: System, template: Template) -> tuple[int, ...]:
    """Oracles whose function value may be a part of V: gradients that are evaluated at ``y = C x``."""
    if isinstance(template, QuadraticStorage):
        return ()
    plant = system.modes[0].vertices[0]
    return tuple(j for j, oracle in enumerate(system.oracles) if oracle.has_values and not any(plant.D[j]))


class _Signals:
    """Linear forms of a plant's signals over the base z = (x, u)."""

    def __init__(self, plant: LureSystem) -> None:
        n, m = plant.shape
        self.x = tuple(_unit(n + m, i) for i in range(n))
        self.u = tuple(_unit(n + m, n + j) for j in range(m))
        self.dx: tuple[Vector, ...] = tuple(a + b for a, b in zip(plant.A, plant.B, strict=True))
        self.y: tuple[Vector, ...] = tuple(c + d for c, d in zip(plant.C, plant.D, strict=True))
        self.dy = tuple(_combine(row, self.dx) for row in plant.C)  # of oracles with D_j = 0 only

    def quadratic(self, inequality: Inequality, oracle: int) -> Matrix:
        """The quadratic part of a class inequality as a form in z."""
        size = len(self.x) + len(self.u)
        base = {"y": self.y[oracle], "u": self.u[oracle]}
        rows = [[Fraction(0)] * size for _ in range(size)]
        for ((kind_a, _), (kind_b, _)), coefficient in inequality.products:
            part = symmetric_product(base[kind_a], base[kind_b])
            for row, new in zip(rows, part, strict=True):
                for k, value in enumerate(new):
                    row[k] += coefficient * value
        return tuple(tuple(row) for row in rows)


def _unit(size: int, index: int) -> Vector:
    return tuple(Fraction(int(k == index)) for k in range(size))


def _combine(weights: Vector, forms: tuple[Vector, ...]) -> Vector:
    size = len(forms[0])
    return tuple(sum((w * f[k] for w, f in zip(weights, forms, strict=True)), Fraction(0)) for k in range(size))


def assemble(system: System, claim: ExponentialDecay, template: Template, *, bounded: bool = False) -> Pencil:
    """The pencil of a claim: a candidate that satisfies it exactly is a proof.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        In continuous time.
    claim : ExponentialDecay
        With a rate.
    template : QuadraticStorage or QuadraticPlusValue
        Form of V.
    bounded : bool, default False
        Whether to add the upper bound ``V <= c2 |x|^2``.

    Returns
    -------
    Pencil
        Affine in the rate.

    Raises
    ------
    InvalidModelError
        If the system is in discrete time, or the claim has no rate.
    """
    if system.dt != 0:
        raise InvalidModelError(f"ExponentialDecay speaks of continuous time (dt = 0), got dt = {system.dt}")
    if claim.rate is None:
        raise InvalidModelError("assemble needs a claim with a rate; certify searches for one")
    if not isinstance(template, QuadraticStorage | QuadraticPlusValue):
        raise InvalidModelError(f"template must be QuadraticStorage() or QuadraticPlusValue(), got {template!r}")
    valued = valued_oracles(system, template)
    conditions: list[Condition] = []
    for mode in system.modes:
        conditions += _mode_conditions(system, mode, claim.rate, valued, template, bounded=bounded)
    multipliers = list(_multipliers(system, valued, bounded=bounded))
    weights = [value_name(system.oracle_names[j]) for j in valued]
    storage = [storage_name(m, i, j) for m in system.modes for i, j in _entries(m)]
    signed = [*multipliers, *(weights if _is_definite(template) else [])]
    return Pencil(
        unknowns=(*storage, *weights, *multipliers, *((UPPER,) if bounded else ())),
        nonnegative=tuple(signed),
        conditions=tuple(conditions),
        equalities=tuple(_equalities(system, claim.rate, valued, bounded=bounded)),
    )


def _is_definite(template: Template) -> bool:
    return isinstance(template, QuadraticPlusValue) and template.definite


def _entries(mode: Mode) -> Iterator[tuple[int, int]]:
    n = mode.vertices[0].shape[0]
    return ((i, j) for i in range(n) for j in range(i, n))


def _named_inequalities(system: System, oracles: tuple[int, ...], part: str) -> Iterator[tuple[str, int, Inequality]]:
    for j in oracles:
        for inequality in read_inequalities(system.oracles[j], (NOW, EQUILIBRIUM)):
            yield f"{part}: {system.oracle_names[j]} {inequality.name}", j, inequality


def _multipliers(system: System, valued: tuple[int, ...], *, bounded: bool) -> Iterator[str]:
    everything = tuple(range(len(system.oracles)))
    yield from (name for name, _, _ in _named_inequalities(system, everything, "decrease"))
    for part in ("positivity", "upper bound") if bounded else ("positivity",):
        yield from (name for name, _, _ in _named_inequalities(system, valued, part))


def _mode_conditions(
    system: System, mode: Mode, rate: Fraction, valued: tuple[int, ...], template: Template, *, bounded: bool
) -> Iterator[Condition]:
    where = f" of {mode.label}" if mode.label else ""
    for k, plant in enumerate(mode.vertices):
        at = f", end {k + 1}" if len(mode.vertices) > 1 else ""
        yield _decrease(system, mode, plant, rate, valued, f"decrease{where}{at}")
    yield _bound(system, mode, valued, "positivity", f"positivity{where}")
    if bounded:
        yield _bound(system, mode, valued, "upper bound", f"upper bound{where}")
    if _is_definite(template):
        n = mode.vertices[0].shape[0]
        parts: list[tuple[str | None, Matrix]] = [
            (storage_name(mode, i, j), _entry_form(_unit(n, i), _unit(n, j), i == j)) for i, j in _entries(mode)
        ]
        yield collect(f"storage{where}", _state_names(n), parts)


def _entry_form(a: Vector, b: Vector, diagonal: bool) -> Matrix:
    return scale(Fraction(1 if diagonal else 2), symmetric_product(a, b))


def _state_names(n: int) -> tuple[str, ...]:
    return tuple(f"x{i + 1}" for i in range(n))


def _signal_names(system: System, n: int) -> tuple[str, ...]:
    return _state_names(n) + tuple(f"u_{name}" for name in system.oracle_names)


def _decrease(
    system: System, mode: Mode, plant: LureSystem, rate: Fraction, valued: tuple[int, ...], name: str
) -> Condition:
    """``-(V' + 2 rate V) - sum sigma_k I_k``, without its function values."""
    z = _Signals(plant)
    parts: list[tuple[str | None, Matrix]] = []
    for i, j in _entries(mode):
        unknown = storage_name(mode, i, j)
        weight = Fraction(1 if i == j else 2)
        parts += [
            (unknown, scale(-weight, symmetric_product(z.x[i], z.dx[j]))),
            (unknown, scale(-weight, symmetric_product(z.dx[i], z.x[j]))),
            (unknown, scale(-2 * rate * weight, symmetric_product(z.x[i], z.x[j]))),
        ]
    for j in valued:  # phi' = <u, C x'>
        parts.append((value_name(system.oracle_names[j]), scale(Fraction(-1), symmetric_product(z.u[j], z.dy[j]))))
    everything = tuple(range(len(system.oracles)))
    for unknown, j, inequality in _named_inequalities(system, everything, "decrease"):
        parts.append((unknown, scale(Fraction(-1), z.quadratic(inequality, j))))
    return collect(name, _signal_names(system, len(z.x)), parts)


def _bound(system: System, mode: Mode, valued: tuple[int, ...], part: str, name: str) -> Condition:
    """``V - |x|^2 - sum nu_k I_k`` or ``c2 |x|^2 - V - sum omega_k I_k``, without function values."""
    plant = mode.vertices[0]
    z = _Signals(plant)
    lower = part == "positivity"
    sign = Fraction(1 if lower else -1)
    parts: list[tuple[str | None, Matrix]] = [
        (storage_name(mode, i, j), scale(sign, _entry_form(z.x[i], z.x[j], i == j))) for i, j in _entries(mode)
    ]
    norm = mode.norm_above if lower else mode.norm_below
    for i, row in enumerate(norm):
        for j, value in enumerate(row):
            parts.append((None if lower else UPPER, scale(-sign * value, symmetric_product(z.x[i], z.x[j]))))
    for unknown, j, inequality in _named_inequalities(system, valued, part):
        parts.append((unknown, scale(Fraction(-1), z.quadratic(inequality, j))))
    return collect(name, _signal_names(system, len(z.x)), parts)


def _equalities(system: System, rate: Fraction, valued: tuple[int, ...], *, bounded: bool) -> Iterator[Equality]:
    """Coefficients of the function values in each inequality."""
    everything = tuple(range(len(system.oracles)))
    parts = [("decrease", everything, -2 * rate), ("positivity", valued, Fraction(1))]
    if bounded:
        parts.append(("upper bound", valued, Fraction(-1)))
    for part, oracles, weight in parts:
        for j in oracles:
            terms = [(value_name(system.oracle_names[j]), weight)] if j in valued else []
            for unknown, _, inequality in _named_inequalities(system, (j,), part):
                terms += [(unknown, -value) for _, value in inequality.values]
            if terms:
                yield Equality(name=f"{part}: value of {system.oracle_names[j]}", terms=tuple(terms))
