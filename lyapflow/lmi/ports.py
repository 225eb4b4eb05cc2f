r"""Where inputs enter a system and what outputs are made of, mode by mode.

The modes of a system are its parts in orthonormal bases, so :math:`|w|^2` and :math:`|z|^2` are sums over them. Where
the norm of the state is known in a mode within two bounds, errors are measured by the smaller one and outputs by the
larger: what is proved then holds for the norm itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, Mode, PolytopicSystem, PrimalDualSystem, System
from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, identity, shape, zeros
from .delay_claims import DelayTolerance
from .gain_claims import GainClaim, InputToState, L2Gain, NoiseAmplification, Port

__all__ = ["Inlet", "Outlet", "check_ports", "extend_modes", "find_inlet", "find_outlet", "name_inputs"]


@dataclass(frozen=True, slots=True)
class Inlet:
    r"""How an input enters one plant: :math:`\dot x = \dots + E w`, :math:`y = \dots + F w`.

    Attributes
    ----------
    E, F : Matrix
        Shapes (n, p) and (m, p).
    weight : Matrix
        :math:`w^\top M w \le |w|^2`, shape (p, p).
    """

    E: Matrix
    F: Matrix
    weight: Matrix


@dataclass(frozen=True, slots=True)
class Outlet:
    r"""What an output is made of in one mode, :math:`z = H x + J u`.

    Attributes
    ----------
    H, J : Matrix
        Shapes (q, n) and (q, m).
    weight : Matrix
        :math:`z^\top M z \ge |z|^2`, shape (q, q).
    """

    H: Matrix
    J: Matrix
    weight: Matrix


_PARTS = ("primal", "dual")


def check_ports(system: System, claim: GainClaim) -> None:
    """Whether a claim about gains can be made of a system.

    Raises
    ------
    InvalidModelError
        If not: another kind of system, one that varies with time, a port that it does not have.
    DimensionError
        If the matrices of a port do not fit.
    """
    if not isinstance(system, LureSystem | PrimalDualSystem | PolytopicSystem):
        raise InvalidModelError(
            f"{type(claim).__name__} speaks of a LureSystem, a PolytopicSystem or a PrimalDualSystem, got "
            f"{type(system).__name__}"
        )
    if isinstance(system, PrimalDualSystem) and system.is_deficient:
        raise InvalidModelError(
            f"{type(claim).__name__} needs a constraint matrix of full row rank, got {system.name}: inputs move the "
            "part of the multipliers that the flow does not see. Remove the dependent rows."
        )
    if isinstance(system, LureSystem) and system.is_time_varying:
        raise InvalidModelError(
            f"{type(claim).__name__} speaks of dynamics that do not vary with time (N = 0), got {system.name!r}"
        )
    if isinstance(claim, InputToState) and claim.parameter is not None and (claim.rate is None) != (system.dt > 0):
        raise InvalidModelError(
            f"InputToState takes a rate in continuous time and a factor in discrete time, got {claim} and dt = "
            f"{system.dt}"
        )
    for mode in system.modes:
        for plant in mode.vertices:
            find_inlet(system, mode, plant, claim)
        if isinstance(claim, L2Gain | NoiseAmplification):
            find_outlet(system, mode, claim)


def find_inlet(system: System, mode: Mode, plant: LureSystem, claim: GainClaim) -> Inlet:
    """How the input of a claim enters one plant of a mode."""
    n, m = plant.shape
    if isinstance(claim, DelayTolerance):
        _check_delayed(system, plant)
        return Inlet(zeros(n, m), identity(m), identity(m))
    port = claim.input
    if isinstance(port, Port):
        _check_explicit(system, port, "input", len(port.state), len(port.oracles), (n, m))
        p = shape(port.state)[1] if n else 0
        if m and shape(port.oracles)[1] != p:
            raise DimensionError(f"an input needs as many columns in state and oracles, got {port}")
        return Inlet(port.state, port.oracles, identity(p))
    if port == "state":
        return Inlet(identity(n), zeros(m, n), mode.norm_below)
    if port in _PARTS and isinstance(system, PrimalDualSystem):
        k = _PARTS.index(port)
        if k >= n:
            return Inlet(zeros(n, 1), zeros(m, 1), identity(1))  # the null space of E has no dual part
        column = tuple((Fraction(int(i == k)),) for i in range(n))
        return Inlet(column, zeros(m, 1), ((mode.norm_below[k][k],),))
    if port == "measurement":
        return Inlet(zeros(n, m), identity(m), identity(m))
    chosen = _choose_oracles(system, port, "input")
    B, D = (tuple(tuple(row[j] for j in chosen) for row in part) for part in (plant.B, plant.D))
    return Inlet(B, D, identity(len(chosen)))


def find_outlet(system: System, mode: Mode, claim: L2Gain | NoiseAmplification) -> Outlet:
    """What the output of a claim is made of in a mode."""
    n, m = mode.vertices[0].shape
    port = claim.output
    if isinstance(port, Port):
        widths = [shape(part)[1] if part else 0 for part in (port.state, port.oracles)]
        _check_explicit(system, port, "output", widths[0], widths[1], (n, m))
        q = len(port.state)
        if len(port.oracles) != q:
            raise DimensionError(f"an output needs as many rows in state and oracles, got {port}")
        return Outlet(port.state, port.oracles, identity(q))
    if port == "state":
        return Outlet(identity(n), zeros(n, m), mode.norm_above)
    if port in _PARTS and isinstance(system, PrimalDualSystem):
        k = _PARTS.index(port)
        if k >= n:
            return Outlet(zeros(1, n), zeros(1, m), identity(1))
        row = (tuple(Fraction(int(i == k)) for i in range(n)),)
        return Outlet(row, zeros(1, m), ((mode.norm_above[k][k],),))
    chosen = _choose_oracles(system, port, "output")
    rows = tuple(tuple(Fraction(int(i == j)) for i in range(m)) for j in chosen)
    return Outlet(zeros(len(chosen), n), rows, identity(len(chosen)))


def _choose_oracles(system: System, port: str, what: str) -> tuple[int, ...]:
    names = system.oracle_names
    if port == "gradient":
        return tuple(range(len(names)))
    if port in names:
        return (names.index(port),)
    known = ["'state'", *(map(repr, _PARTS) if isinstance(system, PrimalDualSystem) else ()), "'gradient'"]
    known += ["'measurement'"] if what == "input" else []
    known += [repr(name) for name in names]
    raise InvalidModelError(f"{what} must be one of {', '.join(known)}, or a Port, got {port!r}")


def _check_explicit(system: System, port: Port, what: str, n: int, m: int, wanted: tuple[int, int]) -> None:
    if isinstance(system, PrimalDualSystem):
        raise InvalidModelError(f"{what} of a PrimalDualSystem must be a name, got {port}")
    if (n, m) != wanted and not (wanted[1] == 0 and n == wanted[0]):
        raise DimensionError(
            f"{what}: the system has {wanted[0]} states and {wanted[1]} oracles, a Port for {n} and {m} does not fit"
        )


def _check_delayed(system: System, plant: LureSystem) -> None:
    if system.dt > 0 or not plant.shape[1] or any(v for row in plant.D for v in row):
        raise InvalidModelError(
            "DelayTolerance speaks of flows in continuous time whose oracles are all evaluated at y = C x (D = 0), got "
            f"{system.name!r}"
        )


def extend_modes(
    system: System, claim: GainClaim, oracle: OperatorClass, *, again: bool = False
) -> tuple[tuple[Mode, ...], int]:
    """The modes with the input put before the oracles, as outputs of a class of which nothing is known, and its size.

    Parameters
    ----------
    system : LureSystem, PolytopicSystem or PrimalDualSystem
        The system.
    claim : GainClaim
        Says where the input enters.
    oracle : OperatorClass
        Class of each part of the input.
    again : bool, default False
        Whether each oracle is evaluated once more, at the argument without the input; nothing depends on that output,
        but its value may be a part of V.
    """
    inlets = [[find_inlet(system, mode, plant, claim) for plant in mode.vertices] for mode in system.modes]
    p = max(shape(inlet.weight)[0] for own in inlets for inlet in own)
    found: list[Mode] = []
    for mode, own in zip(system.modes, inlets, strict=True):
        vertices = tuple(
            _extend(system, plant, inlet, (p, oracle), again) for plant, inlet in zip(mode.vertices, own, strict=True)
        )
        found.append(
            Mode(
                label=mode.label,
                vertices=vertices,
                norm_above=mode.norm_above,
                norm_below=mode.norm_below,
                idle=tuple(p + j for j in mode.idle),
            )
        )
    return tuple(found), p


def name_inputs(system: System, count: int) -> tuple[str, ...]:
    """Names of inputs that no oracle has."""
    letter = "w"
    while any(name.startswith(letter) for name in system.oracle_names):
        letter += "w"
    return tuple(f"{letter}{k + 1}" for k in range(count))


def _extend(
    system: System, plant: LureSystem, inlet: Inlet, given: tuple[int, OperatorClass], again: bool
) -> LureSystem:
    (n, m), (p, oracle) = plant.shape, given
    pad = (Fraction(0),) * (p - shape(inlet.weight)[0])
    names, more = list(system.oracle_names), m if again else 0
    none = (Fraction(0),) * more
    B = tuple((*e, *pad, *b, *none) for e, b in zip(inlet.E, plant.B, strict=True))
    C = (*zeros(p, n), *plant.C)
    D = (*zeros(p, p + m + more), *((*f, *pad, *d, *none) for f, d in zip(inlet.F, plant.D, strict=True)))
    groups = (*range(p), *(p + g for g in system.groups))
    if again:
        ending = "_late"
        while any(name + ending in names for name in names):
            ending += "_"
        C, D = (*C, *plant.C), (*D, *zeros(m, p + 2 * m))
        names = [name + ending for name in names] + names
        groups += tuple(p + g for g in system.groups)
    return LureSystem(
        plant.A,
        B,
        C,
        D,
        oracles=(*(oracle for _ in range(p)), *plant.oracles, *(plant.oracles if again else ())),
        dt=plant.dt,
        name=plant.name,
        oracle_names=(*name_inputs(system, p), *names),
        groups=groups,
    )
