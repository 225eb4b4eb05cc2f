r"""The pencil of a sublinear claim: a dissipation inequality in logarithmic time.

With the letters of `logtime`, :math:`V = t^{p-e}W`, :math:`W = \lambda\,t^e\varphi + \zeta^\top P\zeta`; here
:math:`\zeta` is :math:`\xi` or, with outputs in V, :math:`(\xi, z)`. The class inequalities I are those of convex
functions, and along the flow :math:`\langle v, \mathrm dy/\mathrm ds\rangle \ge 0` for :math:`v = t^{e+1}\dot u`, the
limit of what increments satisfy.

* *decrease*: :math:`-\mathrm dW/\mathrm ds - (p-e)W - \sum\sigma_k I_k` is a positive semidefinite form;
* *positivity*: :math:`W - t^e\varphi - \sum\nu_k I_k` is, and what it leaves of :math:`\varphi \ge 0` is nonnegative.

So :math:`t^p\varphi \le V`, which never grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..classes.inequalities import EQUILIBRIUM, Inequality, read_inequalities
from ..classes.slopes import slope_inequality
from ..dynamics import System
from ..exact.dense import Dense, add, dense, scalar, take_rows, unit_rows
from .logtime import LogTime, take_logarithmic_time
from .pencil import Condition, Entry, Equality, Form, Pencil
from .signals import NOW
from .templates import QuadraticPlusValue, Template

__all__ = ["LOG_RATE", "assemble_sublinear", "has_outputs", "list_uses", "signal_names", "storage_order"]

LOG_RATE = "log rate"
"""Evaluation point of derivatives along the flow: of the input, and of the output, in logarithmic time."""

_DECREASE, _POSITIVITY = "decrease", "positivity"


def has_outputs(template: Template) -> bool:
    """Whether V is quadratic in the output of the oracle too."""
    return isinstance(template, QuadraticPlusValue) and template.outputs


def storage_order(system: System, template: Template, states: int) -> int:
    """Size of the storage matrix of a system with that many states."""
    return states + (len(system.oracles) if has_outputs(template) else 0)


def signal_names(system: System, template: Template) -> tuple[str, ...]:
    """Names of the signals of the inequalities."""
    n, oracle = len(system.modes[0].norm_above), system.oracle_names[0]
    states = tuple(f"x{i + 1}" for i in range(n))
    return (*states, f"u_{oracle}", *((f"u_{oracle}'",) if has_outputs(template) else ()))


def list_uses(system: System, template: Template, part: str) -> tuple[tuple[str, str, Inequality], ...]:
    """Multiplier, evaluation point and class inequality, in one part of the proof."""
    log = take_logarithmic_time(system)
    oracle, outputs = system.oracle_names[0], has_outputs(template)
    found: list[tuple[str, Inequality]] = []
    if part == _DECREASE or outputs:
        found += [(NOW, i) for i in read_inequalities(log.plant.oracles[0], (NOW, EQUILIBRIUM))]
    if part == _DECREASE and outputs:
        found.append((LOG_RATE, slope_inequality(log.plant.oracles[0], LOG_RATE)))
    return tuple((f"{part}: {oracle} {i.name}", point, i) for point, i in found)


def assemble_sublinear(system: System, order: Fraction, template: Template) -> Pencil:
    """The pencil of a sublinear claim; the parameter is its order.

    Raises
    ------
    InvalidModelError
        If the system has no form in logarithmic time.
    """
    log = take_logarithmic_time(system)
    oracle = system.oracle_names[0]
    P, weight = _entries(storage_order(system, template, len(log.powers))), f"value[{oracle}]"
    uses = {part: list_uses(system, template, part) for part in (_DECREASE, _POSITIVITY)}
    multipliers = tuple(name for own in uses.values() for name, _, _ in own)
    forms = _Forms(log, has_outputs(template))
    names = signal_names(system, template)

    def condition(name: str, found: Iterator[Form], signals: tuple[str, ...] = names) -> Condition:
        return Condition(name=name, signals=signals, forms=tuple(found), parameter=order)

    return Pencil(
        unknowns=(*dict.fromkeys(e[0] for e in P if e[0]), weight, *multipliers),
        nonnegative=multipliers,
        conditions=(
            condition(_DECREASE, forms.decrease(P, weight, uses[_DECREASE])),
            condition(_POSITIVITY, forms.positivity(P, uses[_POSITIVITY])),
            condition(f"{_POSITIVITY} of the value", _leftover(weight, uses[_POSITIVITY]), (f"t^{log.degree} value",)),
        ),
        equalities=(
            Equality(
                name=f"{_DECREASE}: value of {oracle}",
                parts=(
                    (weight, Fraction(0), Fraction(-1)),
                    *((name, -value, Fraction(0)) for name, _, i in uses[_DECREASE] for _, value in i.values),
                ),
                parameter=order,
            ),
        ),
    )


def _entries(size: int) -> tuple[Entry, ...]:
    one = scalar(Fraction(1))
    return tuple((f"P[{min(i, j)},{max(i, j)}]", i, j, one) for i in range(size) for j in range(size))


def _leftover(weight: str, uses: tuple[tuple[str, str, Inequality], ...]) -> Iterator[Form]:
    """``lambda - 1 - sum nu a``: what multiplies the value in the positivity."""
    one = unit_rows(1, 0, 1)
    entries: list[Entry] = [(None, 0, 0, scalar(Fraction(-1))), (weight, 0, 0, scalar(Fraction(1)))]
    entries += [(name, 0, 0, scalar(-value)) for name, _, i in uses for _, value in i.values]
    yield Form(one, one, tuple(entries))


class _Forms:
    """Rows of the signals over ``(xi, z)`` or ``(xi, z, v)``, and the forms that are made of them."""

    def __init__(self, log: LogTime, outputs: bool) -> None:
        plant, degree = log.plant, Fraction(log.degree)
        n = len(plant.A)
        size, rest = n + 1 + outputs, (Fraction(0),) * outputs
        self.degree = degree
        self.x, self.u = unit_rows(size, 0, n), unit_rows(size, n, 1)
        self.flow = dense([a + b + rest for a, b in zip(plant.A, plant.B, strict=True)], size)
        self.y = dense([plant.C[0] + (Fraction(0),) + rest], size)
        self.y_rate = dense(plant.C, n) * self.flow
        self.here, self.change = self.x, self.flow
        if outputs:
            v = unit_rows(size, n + 1, 1)
            self.v = v
            moved = add(self.u * scalar(degree), v)
            self.here = take_rows((self.x, range(n)), (self.u, [0]))
            self.change = take_rows((self.flow, range(n)), (moved, [0]))

    def decrease(
        self, P: tuple[Entry, ...], weight: str, uses: tuple[tuple[str, str, Inequality], ...]
    ) -> Iterator[Form]:
        """``-dW/ds - (p - e) W``, without the value: that grows by ``e t^e phi + <z, dy/ds>``."""
        yield Form(self.here, self.change, P, Fraction(-2))
        yield Form(self.here, self.here, P, self.degree, Fraction(-1))
        yield Form(self.u, self.y_rate, ((weight, 0, 0, scalar(Fraction(1))),), Fraction(-1))
        yield from self._multiplied(uses)

    def positivity(self, P: tuple[Entry, ...], uses: tuple[tuple[str, str, Inequality], ...]) -> Iterator[Form]:
        """The quadratic part of W."""
        yield Form(self.here, self.here, P)
        yield from self._multiplied(uses)

    def _multiplied(self, uses: tuple[tuple[str, str, Inequality], ...]) -> Iterator[Form]:
        for name, point, inequality in uses:
            rows = take_rows(*((part, [0]) for part in self._pair(point)))
            entries = tuple(
                (name, int(a == "u"), int(b == "u"), scalar(c)) for ((a, _), (b, _)), c in inequality.products
            )
            yield Form(rows, rows, entries, Fraction(-1))

    def _pair(self, point: str) -> tuple[Dense, Dense]:
        return (self.y_rate, self.v) if point == LOG_RATE else (self.y, self.u)
