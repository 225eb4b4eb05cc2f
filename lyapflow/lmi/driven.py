r"""Systems with an input: the dissipation inequality of a stage that others drive and that drives others.

.. math:: \dot x = A x + B u + E w, \quad y = C x + D u + F w, \quad z = H x + J u, \quad u_j \in O_j(y_j)

What is proved of it is :math:`\dot V + 2\rho V + \eta|z|^2 \le \gamma|w|^2` (in discrete time
:math:`V^+ - \rho^2 V + \eta|z|^2 \le \gamma|w|^2`) and :math:`V \ge |x|^2`: the gain from w to z, with a decay rate.
The input is put before the oracles, as outputs of which nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..dynamics import LureSystem
from ..errors import DimensionError, InvalidModelError
from ..exact.dense import Dense, dense, scalar, unit_rows
from ..exact.matrices import Matrix, matrix, shape, zeros
from .claims import Contraction, ExponentialDecay
from .dissipation import Assembly
from .exogenous import Exogenous
from .pencil import Condition, Form, Pencil
from .templates import PlainTemplate, ZamesFalb

__all__ = ["INPUT", "OUTPUT", "DrivenSystem", "assemble_driven"]

INPUT, OUTPUT = "input gain", "output gain"
"""Names of the unknowns gamma and eta."""


@dataclass(frozen=True, slots=True, init=False)
class DrivenSystem:
    r"""A Lur'e system with an input w and an output z.

    Parameters
    ----------
    plant : LureSystem
        Without its input.
    E : (n, p) array_like
        How w enters the state equation.
    F : (m, p) array_like
        How w enters the inputs of the oracles.
    H : (q, n) array_like
        How the state enters z.
    J : (q, m) array_like
        How the outputs of the oracles enter z.

    Raises
    ------
    DimensionError
        If shapes do not agree.
    InvalidModelError
        If the plant varies with time.
    """

    plant: LureSystem
    E: Matrix
    F: Matrix
    H: Matrix
    J: Matrix

    def __init__(self, plant: LureSystem, *, E: object, F: object, H: object, J: object) -> None:
        n, m = plant.shape
        if plant.is_time_varying:
            raise InvalidModelError(f"a driven system must not vary with time (N = 0), got {plant.name!r}")
        found = {name: matrix(value, name=name) for name, value in {"E": E, "F": F, "H": H, "J": J}.items()}
        p, q = shape(found["E"])[1], len(found["H"])
        for name, wanted in {"E": (n, p), "F": (m, p), "H": (q, n), "J": (q, m)}.items():
            if shape(found[name]) != wanted and wanted[0]:
                raise DimensionError(f"{name} must have shape {wanted}, got {shape(found[name])}")
        object.__setattr__(self, "plant", plant)
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @property
    def inputs(self) -> int:
        """Number p of inputs."""
        return shape(self.E)[1]

    @property
    def outputs(self) -> int:
        """Number q of outputs."""
        return len(self.H)

    @property
    def extended(self) -> LureSystem:
        """The plant with its inputs as the first oracles."""
        plant, p = self.plant, self.inputs
        n, m = plant.shape
        return LureSystem(
            plant.A,
            tuple(e + b for e, b in zip(self.E, plant.B, strict=True)),
            (*zeros(p, n), *plant.C),
            (*zeros(p, p + m), *(f + d for f, d in zip(self.F, plant.D, strict=True))),
            oracles=(*(Exogenous() for _ in range(p)), *plant.oracles),
            dt=plant.dt,
            name=plant.name,
            oracle_names=(*self._name_inputs(), *plant.oracle_names),
            groups=(*range(p), *(p + g for g in plant.groups)),
        )

    def _name_inputs(self) -> tuple[str, ...]:
        letter = "w"
        while any(name.startswith(letter) for name in self.plant.oracle_names):
            letter += "w"
        return tuple(f"{letter}{k + 1}" for k in range(self.inputs))


def assemble_driven(system: DrivenSystem, claim: ExponentialDecay | Contraction, template: PlainTemplate) -> Pencil:
    """The pencil of ``V' + 2 rate V + eta |z|^2 <= gamma |w|^2`` and ``V >= |x|^2``; eta and gamma are unknowns.

    Parameters
    ----------
    system : DrivenSystem
        In continuous time for `ExponentialDecay`, in discrete time for `Contraction`.
    claim : ExponentialDecay or Contraction
        With a rate, or with a factor.
    template : QuadraticStorage or QuadraticPlusValue
        Form of V.

    Raises
    ------
    InvalidModelError
        If claim and system do not agree on time, or the claim has no number.
    """
    if claim.parameter is None or isinstance(claim, Contraction) != (system.plant.dt > 0):
        raise InvalidModelError(
            "a driven system needs ExponentialDecay(rate) in continuous time and Contraction(factor) in discrete "
            f"time, got {claim} with dt = {system.plant.dt}"
        )
    if isinstance(template, ZamesFalb):
        raise InvalidModelError("a driven system needs a V of the state alone, got one with memory")
    plant = system.extended
    pencil = Assembly(plant, template, claim.parameter, bounded=False).pencil()
    own = (*((OUTPUT,) if system.outputs else ()), *((INPUT,) if system.inputs else ()))
    return replace(
        pencil,
        unknowns=(*pencil.unknowns, *own),
        nonnegative=(*pencil.nonnegative, *own),
        conditions=tuple(_add_supply(system, c) if c.name.startswith("decrease") else c for c in pencil.conditions),
    )


def _add_supply(system: DrivenSystem, condition: Condition) -> Condition:
    size, (n, m), p, q = len(condition.signals), system.plant.shape, system.inputs, system.outputs
    rest = (Fraction(0),) * (size - n - p - m)
    forms = condition.forms
    if p:
        forms += (_square(unit_rows(size, n, p), p, INPUT, 1),)
    if q:
        z = [h + (Fraction(0),) * p + j + rest for h, j in zip(system.H, system.J or ((),) * q, strict=True)]
        forms += (_square(dense(z, size), q, OUTPUT, -1),)
    return replace(condition, forms=forms)


def _square(rows: Dense, count: int, unknown: str, sign: int) -> Form:
    one = scalar(Fraction(1))
    return Form(rows, rows, tuple((unknown, k, k, one) for k in range(count)), Fraction(sign))
