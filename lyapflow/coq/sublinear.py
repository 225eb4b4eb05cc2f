r"""A claim whose V varies with time, as theorems: one oracle, powers of t, and the chain rule written out.

With :math:`W = \lambda(f(y) - f^\star) + t^{-e}\,\zeta^\top P\zeta`, where the entries of :math:`\zeta` are deviations
times powers of t, :math:`V = t^p W`, so :math:`\dot V = t^p(\dot W + (p/t)\,W)`. The proof multiplies
:math:`t\dot W + pW \le 0` by :math:`t^e`: then all terms are polynomials in t.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm

from .. import classes as known
from ..certificates.certificate import Certificate
from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem
from ..errors import InvalidModelError
from ..exact.factor import weighted_squares
from ..exact.matrices import Matrix, Vector
from ..lmi.logtime import LogTime, take_logarithmic_time
from ..lmi.sublinear import has_outputs
from .components import safe_names
from .hypotheses import state_class
from .terms import combine, difference, inner, number

__all__ = ["write_sublinear"]

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class _Play:
    """What the theorems share; base vectors are deviations of the states, the output, and its derivative."""

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
        return " ".join(["t", *self.states, f"u_{self.name}"])

    def multiplier(self, kind: str, point: str) -> Fraction:
        name = self.system.oracle_names[0]
        return self.values.get(f"{kind}: {name} interpolation({point})", _ZERO)


def write_sublinear(certificate: Certificate) -> tuple[list[str], str]:
    """The section about a `SublinearDecay`, and the parts of ``prelude.v`` that it needs.

    Raises
    ------
    InvalidModelError
        If the certificate proves nothing, or its class has no definition in ``prelude.v``.
    """
    core = certificate.core
    log, system = take_logarithmic_time(core.system), core.system
    if not isinstance(system, LureSystem):
        raise TypeError("internal error: only a Lur'e system has a logarithmic time")
    play = _Play(
        system=system,
        log=log,
        order=certificate.order,
        weight=next(iter(certificate.value_weights.values())),
        P=certificate.P,
        values=dict(certificate.values),
        outputs=has_outputs(core.template),
        name=safe_names(system)[0],
    )
    parts, convex, hypothesis = _find_convexity(play)
    lines = [*_define(play, hypothesis), *_prove_rest(play, convex), *_prove_decay(play), *_prove_bound(play)]
    return ["height", "subgradient", "convex", *parts], "\n".join(lines)


# --- the class --------------------------------------------------------------------------------------------------------


def _find_convexity(play: _Play) -> tuple[list[str], str, list[str]]:
    """Parts of the prelude, the proof that f is convex, and the hypotheses about its class."""
    beliefs = state_class(play.system.oracles[0], play.name)
    for belief in beliefs:
        proof = _read_convexity(belief.oracle, f"{' '.join('_' * belief.holes)} {belief.name}")
        if proof:
            parts = [part for b in beliefs for part in b.parts]
            extra = ["curvature_below"] * ("curvature" in parts) + ["quadratic_below"] * ("quadratic" in parts)
            return parts + extra, proof, [f"Hypothesis {b.name} : {b.text}." for b in beliefs]
    raise InvalidModelError(f"export_coq knows no proof that members of {play.system.oracles[0]!r} are convex")


def _read_convexity(oracle: OperatorClass, hypothesis: str) -> str:
    if isinstance(oracle, known.SmoothConvex | known.SmoothStronglyConvex):
        return f"subgradient_convex _ _ _ _ (curvature_below {hypothesis}) ltac:(lra)"
    if isinstance(oracle, known.Convex | known.StronglyConvex):
        return f"subgradient_convex {hypothesis} ltac:(lra)"
    if isinstance(oracle, known.Quadratic):
        return f"subgradient_convex _ _ _ _ (quadratic_below {hypothesis}) ltac:(lra)"
    return ""


# --- definitions ------------------------------------------------------------------------------------------------------


def _define(play: _Play, hypotheses: Sequence[str]) -> Iterator[str]:
    n, u, system = play.name, f"u_{play.name}", play.system
    states = " ".join(play.states)
    yield "(** 1. The space: any real inner-product space. *)\nVariable E : space."
    yield f"\n(** 2. The oracle: what is known of it. [out_{n} y u] says that u is an output at y. *)"
    yield f"Variable val_{n} : E -> R.\nVariable out_{n} : E -> E -> Prop."
    yield f"(* {system.oracles[0].describe().replace('(*', '( *').replace('*)', '* )')} *)"
    yield from hypotheses
    yield "\n(** 3. The dynamics, for t > 0. *)"
    y = [(number(c), x) for c, x in zip(system.C[0], play.states, strict=True) if c]
    yield f"Definition y ({states} : E) : E :=\n  sealed ({combine(y, instead=play.states[0])})."
    for i in range(len(play.states)):
        body = combine(_row(play, i, [*play.states, u]), instead=play.states[0])
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


def _row(play: _Play, i: int, vectors: Sequence[str]) -> list[tuple[str, str]]:
    """The right side: (A + N / t) x + B u."""
    found = []
    for a, v, x in zip((*play.system.A[i], play.system.B[i][0]), (*play.system.N[i], _ZERO), vectors, strict=True):
        if a or v:
            both = f"({number(a)} + {number(v)} / t)" if a else f"({number(v)} / t)"
            found.append((both if v else number(a), x))
    return found


def _power(k: int) -> str:
    return "" if k == 0 else f"t^{k} * " if k > 0 else f"/ t^{-k} * "


def _entries(play: _Play) -> Iterator[tuple[Fraction, int, int, int]]:
    """Entries of P with the power of t in W."""
    for i, row in enumerate(play.P):
        for j, value in enumerate(row):
            if value:
                yield value, i, j, play.powers[i] + play.powers[j] - play.log.degree


def _sum(terms: Sequence[tuple[Fraction, str]]) -> str:
    return " + ".join(what if c == 1 else f"{number(c)} * {what}" for c, what in terms if c) or "0"


def _storage(play: _Play, gap: str) -> list[tuple[Fraction, str]]:
    here = play.here
    forms = [(c * (1 + (i < j)), f"({_power(k)}{inner(here[i], here[j])})") for c, i, j, k in _entries(play) if i <= j]
    return [(play.weight, gap), *forms]


def _field(play: _Play, i: int) -> str:
    return f"F{i + 1} {play.arguments}"


def _change(play: _Play) -> list[tuple[Fraction, str]]:
    here, fields = play.here, [_field(play, i) for i in range(len(play.states))]
    later = [*fields, f"ud_{play.name}"]
    found = [(play.weight, inner(f"u_{play.name}", f"y {' '.join(f'({f})' for f in fields)}"))]
    for c, i, j, k in _entries(play):
        if i <= j and k:
            found.append((c * k * (1 + (i < j)), f"({_power(k - 1)}{inner(here[i], here[j])})"))
        found.append((2 * c, f"({_power(k)}{inner(here[i], later[j])})"))
    return found


# --- proofs -----------------------------------------------------------------------------------------------------------


def _prove_rest(play: _Play, convex: str) -> Iterator[str]:
    n, u = play.name, f"u_{play.name}"
    states, stars = " ".join(play.states), " ".join(f"{x}s" for x in play.states)
    yield "\n(** 6. The theorems. *)\n"
    yield "(* The gradient is zero at the equilibrium. *)"
    yield f"Lemma zero_u : forall w, << us_{n}, w >> = 0.\nProof.\nintro w."
    for i in range(len(play.states)):
        yield f"assert (a{i} := rest_{i + 1} 1 w ltac:(lra)). assert (b{i} := rest_{i + 1} 2 w ltac:(lra))."
        yield f"unfold F{i + 1} in a{i}, b{i}. rewrite sealed_is in a{i}, b{i}. revert a{i} b{i}."
    yield "spread. intros. lra.\nQed."
    yield "(* The right side and the input of the oracle, in deviations. *)"
    deviations = [difference(x, f"{x}s") for x in play.states]
    for i in range(len(play.states)):
        row = " + ".join(f"{c} * << {x}, w >>" for c, x in _row(play, i, [*deviations, u])) or "0"
        yield f"Lemma read_F{i + 1} : forall t {states} {u} w, 0 < t -> << {_field(play, i)}, w >> = {row}."
        yield f"Proof.\nintros t {states} {u} w ht. assert (r := rest_{i + 1} t w ht). assert (z := zero_u w)."
        yield f"transitivity (<< {_field(play, i)}, w >> - << F{i + 1} t {stars} us_{n}, w >>). rewrite r."
        yield "ring. clear r."
        yield f"unfold F{i + 1}. rewrite !sealed_is. spread. rewrite ?z. field; lra.\nQed."
    row = " + ".join(f"{number(c)} * << {x}, w >>" for c, x in zip(play.system.C[0], deviations, strict=True) if c)
    fields = [_field(play, i) for i in range(len(play.states))]
    terms = [(number(c), f) for c, f in zip(play.system.C[0], fields, strict=True) if c]
    yield f"Lemma read_rate : forall t {states} {u} w, 0 < t ->"
    yield f"  << y {' '.join(f'({f})' for f in fields)}, w >> = {' + '.join(f'{c} * << {f}, w >>' for c, f in terms)}."
    yield "Proof. intros. unfold y. rewrite sealed_is. spread. ring. Qed."
    yield f"Lemma read_y : forall {states} w, << y {states} [-] y {stars}, w >> = {row}."
    yield "Proof. intros. spread. unfold y. rewrite !sealed_is. spread. ring. Qed."
    yield f"Lemma convex_{n} : forall {states} {u}, out_{n} (y {states}) {u} ->"
    yield f"  0 <= val_{n} (y {states}) - val_{n} (y {stars}) /\\"
    inner_row = " + ".join(
        f"{number(c)} * << {x}, {u} >>" for c, x in zip(play.system.C[0], deviations, strict=True) if c
    )
    yield f"  0 <= {inner_row} - (val_{n} (y {states}) - val_{n} (y {stars}))."
    yield f"Proof.\nintros {states} {u} H. assert (c := {convex})."
    yield f"assert (a := c _ _ _ _ H rest_out_{n}). assert (b := c _ _ _ _ rest_out_{n} H). clear c."
    yield f"rewrite zero_u in a. split. lra. rewrite <- (read_y {states} {u}). revert b. spread."
    yield f"rewrite !(ip_sym _ {u}). lra.\nQed."


def _squares(slack: Matrix) -> Iterator[tuple[Fraction, Vector]]:
    for weight, form in weighted_squares(slack):
        common = lcm(*(v.denominator for v in form))
        yield weight / common**2, tuple(v * common for v in form)


def _head(play: _Play, name: str, claim: str, *, rates: bool) -> str:
    n = play.name
    fields = " ".join(f"({_field(play, i)})" for i in range(len(play.states)))
    moving = f" ud_{n}" if rates and play.outputs else ""
    slope = f"  0 <= << ud_{n}, y {fields} >> ->\n" if moving else ""
    premises = f"  0 < t -> out_{n} (y {' '.join(play.states)}) u_{n} ->\n{slope}"
    vectors = f"{' '.join(play.states)} u_{n}{moving}"
    names = f"t {vectors} ht H{' Hd' if moving else ''}"
    return f"Theorem {name} : forall (t : R) ({vectors} : E),\n{premises}  {claim}.\nProof.\nintros {names}."


def _calls(play: _Play) -> tuple[str, str]:
    states = " ".join(play.states)
    own = f" u_{play.name}" if play.outputs else ""
    return f"W t {states}{own}", f"W_dot t {states} u_{play.name}" + (f" ud_{play.name}" if play.outputs else "")


def _prove_decay(play: _Play) -> Iterator[str]:
    W, W_dot = _calls(play)
    n, e, size = len(play.states), Fraction(play.log.degree), len(play.states) + 1 + play.outputs
    plant, P = play.log.plant, play.P
    above, below = (play.multiplier("decrease", at) for at in ("t,*", "*,t"))
    slope = play.values.get(f"decrease: {play.system.oracle_names[0]} slope", _ZERO)
    unit = [tuple(Fraction(int(i == k)) for i in range(size)) for k in range(size)]
    flow = [tuple((*plant.A[i], plant.B[i][0], *(_ZERO,) * play.outputs)) for i in range(n)]
    y = (*plant.C[0], *(_ZERO,) * (size - n))
    y_rate = _mix(plant.C[0], flow, size)
    here = unit[: n + play.outputs]
    later = [*flow, *([_mix((e, _ONE), unit[n:], size)] if play.outputs else [])]
    slack = [[_ZERO] * size for _ in range(size)]
    for i, a in enumerate(here):
        for j, b in enumerate(here):
            _add(slack, -2 * P[i][j], a, later[j])
            _add(slack, -(play.order - e) * P[i][j], a, b)
    _add(slack, -play.weight, unit[n], y_rate)
    _add(slack, -below, y, unit[n])
    _add(slack, -slope, y_rate, unit[-1])
    yield ""
    p = number(play.order)
    yield _head(play, "W_decays", f"t * {W_dot} + {p} * {W} <= 0", rates=True)
    facts = _facts(play, slack, above, below)
    if play.outputs and slope:
        facts.append((slope, f"Rmult_le_pos _ _ (pow_le t {play.log.degree + 2} (Rlt_le _ _ ht)) Hd"))
    yield from _conclude(play, facts, "unfold W, W_dot.")
    yield "Qed.\n"
    call = W_dot.replace("W_dot", "V_dot", 1)
    yield _head(play, "V_never_grows", f"{call} <= 0", rates=True)
    names = " ".join(W_dot.split()[1:]) if play.outputs else f"t {' '.join(play.states)} u_{play.name}"
    yield f"assert (a := W_decays {names} ht H{' Hd' if play.outputs else ''})."
    yield "unfold V_dot. assert (b : 0 < Rpower t " + p + ") by apply exp_pos."
    yield f"replace ({W_dot} + {p} / t * {W}) with (/ t * (t * {W_dot} + {p} * {W})) by (field; lra)."
    yield "assert (c := Rinv_0_lt_compat _ ht). apply Ropp_le_cancel. rewrite Ropp_0, !Ropp_mult_distr_r."
    yield "repeat apply Rmult_le_pos; lra.\nQed."


def _prove_bound(play: _Play) -> Iterator[str]:
    W = _calls(play)[0]
    n, size = len(play.states), len(play.states) + play.outputs
    slack = [[_ZERO] * size for _ in range(size)]
    unit = [tuple(Fraction(int(i == k)) for i in range(size)) for k in range(size)]
    for i in range(size):
        for j in range(size):
            _add(slack, play.P[i][j], unit[i], unit[j])
    above, below = (play.multiplier("positivity", at) for at in ("t,*", "*,t"))
    if play.outputs:
        _add(slack, -below, (*play.log.plant.C[0], _ZERO), unit[n])
    states, stars = " ".join(play.states), " ".join(f"{x}s" for x in play.states)
    gap = f"(val_{play.name} (y {states}) - val_{play.name} (y {stars}))"
    yield ""
    yield _head(play, "W_is_above", f"{gap} <= {W}", rates=False)
    # what is left of the value has the weight  lambda - 1 - above + below  of f - f* >= 0
    rest = play.weight - 1 + below - above
    facts = _facts(play, slack, above + rest, below)
    yield "apply monus."
    yield from _conclude(play, facts, "unfold W.")
    yield "Qed.\n"
    V = W.replace("W", "V", 1)
    p = number(play.order)
    yield _head(play, "V_is_above", f"Rpower t {p} * {gap} <= {V}", rates=False)
    names = f"t {states} u_{play.name} ht H"
    yield f"unfold V. apply Rmult_le_compat_l. left. apply exp_pos. exact (W_is_above {names}).\nQed."


def _facts(
    play: _Play, slack: Sequence[Sequence[Fraction]], above: Fraction, below: Fraction
) -> list[tuple[Fraction, str]]:
    """Weights and proofs of what is not negative, times t^e."""
    power = f"(pow_le t {play.log.degree} (Rlt_le _ _ ht))"
    found = []
    if above:
        found.append((above, f"Rmult_le_pos _ _ {power} (proj1 c)"))
    if below:
        found.append((below, f"Rmult_le_pos _ _ {power} (proj2 c)"))
    vectors = [f"a{i + 1}" for i in range(len(play.states))] + [f"u_{play.name}", f"ud_{play.name}"]
    powers = [*play.powers, play.log.degree + 1]
    for weight, form in _squares(tuple(map(tuple, slack))):
        terms = [(f"({number(c)} * t^{k})", f"({v})") for c, k, v in zip(form, powers, vectors, strict=False) if c]
        found.append((weight, f"ip_pos E ({combine(terms, instead='')})"))
    return found


def _conclude(play: _Play, facts: Sequence[tuple[Fraction, str]], unfold: str) -> Iterator[str]:
    """The end of a proof: all in inner products of the base, and an identity between polynomials in t."""
    common = lcm(*(w.denominator for w, _ in facts), 1)
    names, fields = [f"a{i + 1}" for i in range(len(play.states))], [_field(play, i) for i in range(len(play.states))]
    moved = f"y {' '.join(f'({f})' for f in fields)}"
    others = [f"u_{play.name}", *([f"ud_{play.name}"] if "W_dot" in unfold and play.outputs else [])]
    yield f"assert (c := convex_{play.name} _{' _' * len(play.states)} H)."
    yield unfold
    if "W_dot" in unfold:
        deviations = [difference(x, f"{x}s") for x in play.states]
        flips = [f"?(ip_sym _ {v} ({moved}))" for v in others]
        flips += [f"?(ip_sym _ ({v}) ({f}))" for v in (*deviations, *others) for f in fields]
        reads = ", ".join(["?read_rate", *(f"?read_F{i + 1}" for i in range(len(play.states)))])
        yield f"rewrite {', '.join(flips)}."
        yield f"rewrite {reads} by exact ht."
        if len(others) > 1:
            yield f"rewrite (ip_sym _ {others[1]}), {reads} in Hd by exact ht."
    for name, x in zip(names, play.states, strict=True):
        yield f"set ({name} := {difference(x, f'{x}s')}) in *. clearbody {name}."
    yield f"set (gap := val_{play.name} _ - val_{play.name} _) in *. clearbody gap."
    last = ""
    for k, (weight, term) in enumerate(facts):
        yield f"assert (S{k} := weigh {number(weight * common)} _ ltac:(lra) ({term}))."
        last = f"(Rplus_le_le_0_compat _ _ {last} S{k})" if last else f"S{k}"
    yield f"refine (conclude ({number(Fraction(common))} * t^{play.log.degree}) _ _ _ {last or '(Rle_refl 0)'} _)."
    yield "{ apply Rmult_lt_0_compat; [lra | apply pow_lt; exact ht]. }"
    flips = [f"?(ip_sym _ {b} {a})" for a, b in combinations([*names, *others], 2)]
    yield f"spread. {f'rewrite {chr(44).join(flips)}. ' if flips else ''}field;"
    yield "repeat split; try apply pow_nonzero; apply Rgt_not_eq; exact ht."


def _mix(row: Sequence[Fraction], rows: Sequence[Vector], size: int) -> Vector:
    return tuple(sum((c * r[k] for c, r in zip(row, rows, strict=False)), _ZERO) for k in range(size))


def _add(total: list[list[Fraction]], weight: Fraction, a: Vector, b: Vector) -> None:
    for i, v in enumerate(a):
        for j, w in enumerate(b):
            total[i][j] += weight * v * w / 2
            total[j][i] += weight * v * w / 2
