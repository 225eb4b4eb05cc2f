"""Proofs about a V that varies with time: inequalities times a power of t, so that all terms are polynomials in t."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import lcm

from ..exact.factor import weighted_squares
from ..exact.matrices import Matrix, Vector
from .plays import Play
from .terms import combine, difference, number

__all__ = ["prove_play"]

_ZERO, _ONE = Fraction(0), Fraction(1)


def prove_play(play: Play, convex: str) -> Iterator[str]:
    """The theorems; ``convex`` is the proof that f is convex."""
    yield from _prove_rest(play, convex)
    yield from _prove_decay(play)
    yield from _prove_bound(play)


def _prove_rest(play: Play, convex: str) -> Iterator[str]:
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
        row = " + ".join(f"{c} * << {x}, w >>" for c, x in play.row(i, [*deviations, u])) or "0"
        yield f"Lemma read_F{i + 1} : forall t {states} {u} w, 0 < t -> << {play.field(i)}, w >> = {row}."
        yield f"Proof.\nintros t {states} {u} w ht. assert (r := rest_{i + 1} t w ht). assert (z := zero_u w)."
        yield f"transitivity (<< {play.field(i)}, w >> - << F{i + 1} t {stars} us_{n}, w >>). rewrite r."
        yield "ring. clear r."
        yield f"unfold F{i + 1}. rewrite !sealed_is. spread. rewrite ?z. field; lra.\nQed."
    row = " + ".join(f"{number(c)} * << {x}, w >>" for c, x in zip(play.system.C[0], deviations, strict=True) if c)
    fields = [play.field(i) for i in range(len(play.states))]
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


def _head(play: Play, name: str, claim: str, *, rates: bool) -> str:
    n = play.name
    fields = " ".join(f"({play.field(i)})" for i in range(len(play.states)))
    moving = f" ud_{n}" if rates and play.outputs else ""
    slope = f"  0 <= << ud_{n}, y {fields} >> ->\n" if moving else ""
    premises = f"  0 < t -> out_{n} (y {' '.join(play.states)}) u_{n} ->\n{slope}"
    vectors = f"{' '.join(play.states)} u_{n}{moving}"
    names = f"t {vectors} ht H{' Hd' if moving else ''}"
    return f"Theorem {name} : forall (t : R) ({vectors} : E),\n{premises}  {claim}.\nProof.\nintros {names}."


def _calls(play: Play) -> tuple[str, str]:
    states = " ".join(play.states)
    own = f" u_{play.name}" if play.outputs else ""
    return f"W t {states}{own}", f"W_dot t {states} u_{play.name}" + (f" ud_{play.name}" if play.outputs else "")


def _prove_decay(play: Play) -> Iterator[str]:
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


def _prove_bound(play: Play) -> Iterator[str]:
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
    play: Play, slack: Sequence[Sequence[Fraction]], above: Fraction, below: Fraction
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


def _conclude(play: Play, facts: Sequence[tuple[Fraction, str]], unfold: str) -> Iterator[str]:
    """The end of a proof: all in inner products of the base, and an identity between polynomials in t."""
    common = lcm(*(w.denominator for w, _ in facts), 1)
    names, fields = [f"a{i + 1}" for i in range(len(play.states))], [play.field(i) for i in range(len(play.states))]
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
