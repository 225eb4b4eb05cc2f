"""V in numbers: its matrices and weights, read from the unknowns of a proof; of a sublinear one, its value and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..dynamics import System
from ..errors import ClaimMismatchError, DimensionError, InvalidModelError
from ..exact.elementary import bound_power_above
from ..exact.matrices import Matrix
from ..exact.rationals import as_text, rational
from ..lmi.claims import Claim, SublinearDecay
from ..lmi.dissipation import storage_name, value_name
from ..lmi.gain_claims import GainClaim, NoiseAmplification
from ..lmi.groups import find_leaders
from ..lmi.memory import extend_modes
from ..lmi.scaled_claims import ScaledClaim
from ..lmi.signals import storage_size, valued_oracles
from ..lmi.sublinear import storage_order
from ..lmi.templates import AdjointStorage, Template

__all__ = ["TimedStorage", "has_length", "read_storage", "read_value_weights"]


def read_storage(
    system: System, claim: Claim | ScaledClaim | GainClaim, template: Template, values: Mapping[str, Fraction]
) -> dict[str, Matrix]:
    """Storage matrix of each mode by its label, none where the claim is proved without a V. See `Certificate.storage`.

    Parameters
    ----------
    system, claim, template
        In the letters of the proof: those of `Certificate.core`.
    values : mapping
        Unknowns by name.
    """
    if isinstance(claim, NoiseAmplification) and not values:
        return {}  # proved without a V
    size = storage_order if isinstance(claim, SublinearDecay) else storage_size
    found: dict[str, Matrix] = {}
    for mode in extend_modes(system, template):
        n = range(size(system, template, mode.vertices[0].shape[0]))
        found[mode.label] = tuple(tuple(values[storage_name(mode, min(i, j), max(i, j))] for j in n) for i in n)
    return found


def read_value_weights(
    system: System, claim: Claim | ScaledClaim | GainClaim, template: Template, values: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """Weight of each oracle's function value in V, by the oracle's name; arguments as of `read_storage`."""
    names = system.oracle_names
    leaders = find_leaders(system)
    form = template.form if isinstance(template, AdjointStorage) else template
    own = {names[j]: value_name(names[leaders[j]]) for j in valued_oracles(system, form)}
    if isinstance(claim, GainClaim):  # where an input enters the argument there is no value in V
        own = {oracle: name for oracle, name in own.items() if name in values}
    return {oracle: values[name] for oracle, name in own.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedStorage:
    r"""V of a sublinear claim, :math:`\lambda\,t^{p}\,(f - f^\star) + t^{p-e}\,\zeta^\top P\zeta`.

    Attributes
    ----------
    P : Matrix
        Over the states, times powers of t, and where V contains it the gradient.
    weight : Fraction
        Lambda.
    order : Fraction
        p.
    degree : int
        e.
    powers : sequence of int
        Of t, one for each state.
    """

    P: Matrix
    weight: Fraction
    order: Fraction
    degree: int
    powers: Sequence[int]

    @property
    def has_gradient(self) -> bool:
        """Whether V contains the gradient."""
        return len(self.P) > len(self.powers)

    def bound(
        self, start: Sequence[object], *, t0: object, gap: object, gradient: object, metric: Fraction
    ) -> Fraction:
        """V at the start, rounded up, in a metric of at most that size. See `Certificate.constant`."""
        if not has_length(start) or len(start) != len(self.powers):
            raise DimensionError(
                f"start must have {len(self.powers)} entries, the deviation of each state, got {start!r}"
            )
        time, height = rational(t0, name="t0"), rational(0 if gap is None else gap, name="gap")
        if time < 0 or height < 0:
            raise InvalidModelError(f"t0 and gap must be >= 0, got t0={time}, gap={height}")
        if time == 0 and self.order != self.degree:
            raise ClaimMismatchError(
                f"the order {self.order} is below the degree {self.degree} of the system, so V has no bound at t0 = 0. "
                "Give t0 > 0."
            )
        if time > 0 and (gap is None or (self.has_gradient and gradient is None)):
            missing = "gap" if gap is None else "gradient"
            raise InvalidModelError(f"V(t0) contains the {missing} for t0 > 0, got none. Give {missing}.")
        if time == 0 and min(self.powers) < 0:
            raise ClaimMismatchError("a state is divided by a power of t, so V has no bound at t0 = 0. Give t0 > 0.")
        rows = [_read_vector(row, "start") for row in start]
        if self.has_gradient:
            rows.append(_read_vector(0 if gradient is None else gradient, "gradient"))
        if len({len(row) for row in rows if row != (Fraction(0),)}) > 1:
            raise DimensionError("start and gradient must have one dimension d throughout")
        scales = [time**d if d else Fraction(1) for d in (*self.powers, self.degree)]
        scaled = [tuple(c * v for v in row) for c, row in zip(scales, rows, strict=False)]
        quadratic = sum(
            (
                self.P[i][j] * v * w
                for i, a in enumerate(scaled)
                for j, b in enumerate(scaled)
                for v, w in zip(a, b, strict=False)
            ),
            Fraction(0),
        )
        quadratic *= metric
        if time == 0:
            return quadratic
        rest = bound_power_above(time, self.order - self.degree)
        return self.weight * height * bound_power_above(time, self.order) + quadratic * rest

    def write(self, oracle: str, *, mark: str) -> str:
        """V as text. See `Certificate.formula`."""
        names = [f"x{i + 1}" for i in range(len(self.powers))] if len(self.powers) > 1 else ["x"]
        names.append(f"grad {oracle}")
        all_powers = (*self.powers, self.degree)
        terms = [_write_term(self.weight, self.order, f"({oracle} - {oracle}*)")]
        for i, row in enumerate(self.P):
            for j, value in enumerate(row):
                if i <= j and value:
                    power = self.order - self.degree + all_powers[i] + all_powers[j]
                    product = f"|{names[i]}|{mark}^2" if i == j else f"<{names[i]}, {names[j]}>{mark}"
                    terms.append(_write_term(value if i == j else 2 * value, power, product))
        return " + ".join(terms).replace("+ -", "- ")


def _read_vector(values: object, name: str) -> tuple[Fraction, ...]:
    many = has_length(values)
    return tuple(rational(v, name=name) for v in (values if many else [values]))  # type: ignore[attr-defined]


def has_length(values: object) -> bool:
    """Whether a value is a list of numbers: no text, and no array without axes."""
    return hasattr(values, "__len__") and not isinstance(values, str) and getattr(values, "ndim", 1) > 0


def _write_term(value: Fraction, power: Fraction, factor: str) -> str:
    number = "" if value == 1 else f"{as_text(value)} "
    time = {Fraction(0): "", Fraction(1): "t "}.get(
        power, f"t^{power if power.denominator == 1 and power > 0 else f'({power})'} "
    )
    return f"{number}{time}{factor}"
