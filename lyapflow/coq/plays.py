"""A claim whose V varies with time, laid out for a proof: powers of t, definitions, and the chain rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..dynamics import LureSystem
from ..exact.matrices import Matrix
from ..lmi.logtime import LogTime
from .terms import combine, comment, difference, inner, number

__all__ = ["Play", "define_play"]

_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Play:
    """What the theorems share; base vectors are deviations of the states, the output, and its derivative.

    Attributes
    ----------
    system : LureSystem
        With one oracle.
    log : LogTime
        Its powers of t.
    order, weight, P : Fraction, Fraction, Matrix
        p, lambda and P of V.
    values : dict
        Multipliers by their names.
    outputs : bool
        Whether the gradient is in V.
    name : str
        Of the oracle.
    """

    system: LureSystem
    log: LogTime
    order: Fraction
    weight: Fraction
    P: Matrix
    values: dict[str, Fraction]
    outputs: bool
    name: str

    @property
    def states(self) -> list[str]:
        """Names of the states."""
        return [f"x{i + 1}" for i in range(len(self.log.powers))]

    @property
    def here(self) -> list[str]:
        """The vectors in which V is quadratic."""
        return [difference(x, f"{x}s") for x in self.states] + ([f"u_{self.name}"] if self.outputs else [])

    @property
    def powers(self) -> list[int]:
        """Powers of t that they are multiplied by; e more, those of the derivatives."""
        return [*self.log.powers, self.log.degree]

    @property
    def arguments(self) -> str:
        """Of the right side."""
        return " ".join(["t", *self.states, f"u_{self.name}"])

    def field(self, i: int) -> str:
        """The right side."""
        return f"F{i + 1} {self.arguments}"

    def row(self, i: int, vectors: Sequence[str]) -> list[tuple[str, str]]:
        """The right side over vectors: (A + N / t) x + B u."""
        found = []
        system = self.system
        for a, v, x in zip((*system.A[i], system.B[i][0]), (*system.N[i], _ZERO), vectors, strict=True):
            if a or v:
                both = f"({number(a)} + {number(v)} / t)" if a else f"({number(v)} / t)"
                found.append((both if v else number(a), x))
        return found

    def multiplier(self, kind: str, point: str) -> Fraction:
        """Of an interpolation inequality."""
        name = self.system.oracle_names[0]
        return self.values.get(f"{kind}: {name} interpolation({point})", _ZERO)


def define_play(play: Play, hypotheses: Sequence[str]) -> Iterator[str]:
    """Space, oracle, dynamics, equilibrium and V."""
    n, u, system = play.name, f"u_{play.name}", play.system
    states = " ".join(play.states)
    yield "(** 1. The space: any real inner-product space. *)\nVariable E : space."
    yield f"\n(** 2. The oracle: what is known of it. [out_{n} y u] says that u is an output at y. *)"
    yield f"Variable val_{n} : E -> R.\nVariable out_{n} : E -> E -> Prop."
    yield f"(* {comment(system.oracles[0].describe())} *)"
    yield from hypotheses
    yield "\n(** 3. The dynamics, for t > 0. *)"
    y = [(number(c), x) for c, x in zip(system.C[0], play.states, strict=True) if c]
    yield f"Definition y ({states} : E) : E :=\n  sealed ({combine(y, instead=play.states[0])})."
    for i in range(len(play.states)):
        body = combine(play.row(i, [*play.states, u]), instead=play.states[0])
        yield f"Definition F{i + 1} (t : R) ({states} {u} : E) : E :=\n  sealed ({body})."
    yield "\n(** 4. An equilibrium: at rest at all times. *)"
    yield f"Variables {' '.join(f'{x}s' for x in play.states)} us_{n} : E."
    stars = " ".join(f"{x}s" for x in play.states)
    for i in range(len(play.states)):
        yield f"Hypothesis rest_{i + 1} : forall t w, 0 < t -> << F{i + 1} t {stars} us_{n}, w >> = 0."
    yield f"Hypothesis rest_out_{n} : out_{n} (y {stars}) us_{n}."
    yield "\n(** 5. W, and V = t^p W with the order p of the decay. *)"
    extra = f" {u}" if play.outputs else ""
    gap = f"(val_{n} (y {states}) - val_{n} (y {stars}))"
    yield f"Definition W (t : R) ({states}{extra} : E) : R :=\n  {_sum(_storage(play, gap))}."
    yield "(* Its derivative along the dynamics: product rule for the powers of t, chain rule for vectors and f. *)"
    derivative = f"{extra} ud_{n}" if play.outputs else f" {u}"
    yield f"Definition W_dot (t : R) ({states}{derivative} : E) : R :=\n  {_sum(_change(play))}."
    p = number(play.order)
    yield f"Definition V (t : R) ({states}{extra} : E) : R := Rpower t {p} * W t {states}{extra}."
    yield f"Definition V_dot (t : R) ({states}{derivative} : E) : R :="
    yield f"  Rpower t {p} * (W_dot t {states}{derivative} + {p} / t * W t {states}{extra})."


def _power(k: int) -> str:
    return "" if k == 0 else f"t^{k} * " if k > 0 else f"/ t^{-k} * "


def _entries(play: Play) -> Iterator[tuple[Fraction, int, int, int]]:
    """Entries of P with the power of t in W."""
    for i, row in enumerate(play.P):
        for j, value in enumerate(row):
            if value:
                yield value, i, j, play.powers[i] + play.powers[j] - play.log.degree


def _sum(terms: Sequence[tuple[Fraction, str]]) -> str:
    return " + ".join(what if c == 1 else f"{number(c)} * {what}" for c, what in terms if c) or "0"


def _storage(play: Play, gap: str) -> list[tuple[Fraction, str]]:
    here = play.here
    forms = [(c * (1 + (i < j)), f"({_power(k)}{inner(here[i], here[j])})") for c, i, j, k in _entries(play) if i <= j]
    return [(play.weight, gap), *forms]


def _change(play: Play) -> list[tuple[Fraction, str]]:
    here, fields = play.here, [play.field(i) for i in range(len(play.states))]
    later = [*fields, f"ud_{play.name}"]
    found = [(play.weight, inner(f"u_{play.name}", f"y {' '.join(f'({f})' for f in fields)}"))]
    for c, i, j, k in _entries(play):
        if i <= j and k:
            found.append((c * k * (1 + (i < j)), f"({_power(k - 1)}{inner(here[i], here[j])})"))
        found.append((2 * c, f"({_power(k)}{inner(here[i], later[j])})"))
    return found
