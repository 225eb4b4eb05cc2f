"""What is proved of a parameter before the theorems: signs of the numbers that depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

from ..exact.polynomials import evaluate, polynomial, scale
from .families import Family
from .hypotheses import list_moduli
from .ratios import write_polynomial
from .scenes import Scene
from .terms import comment, number

__all__ = ["list_gaps", "write_parameter"]


def list_gaps(scene: Scene) -> Iterator[tuple[str, str, list[Fraction]]]:
    """What is positive and varies in a family: moduli of classes, and their gaps.

    Yields
    ------
    (str, str, list of Fraction)
        Name of the lemma, its statement, and the difference of the sides at the nodes.
    """
    for j, own in enumerate(scene.beliefs):
        for k, belief in enumerate(own if scene.owner(j) == j else ()):
            texts = ["0", *belief.moduli]
            rows = [(Fraction(0), *list_moduli(member.beliefs[j][k].oracle)) for member in scene.members]
            for a, b in combinations(range(len(texts)), 2):
                gaps = [row[b] - row[a] for row in rows]
                if min(gaps) > 0 and len(set(gaps)) > 1:
                    yield f"order_{belief.name}_{a}{b}", f"{texts[a]} < {texts[b]}", gaps


def write_parameter(scene: Scene, family: Family) -> Iterator[str]:
    """The parameter, its range, and the signs of what depends on it."""
    over, below = family.over, polynomial(family.over.denominator)
    yield f"(* The parameter s is {comment(family.system.parameter)}. *)\nVariable s : R."
    yield f"Hypothesis s_low : {number(over.low)} <= s."
    yield f"Lemma s_above : 0 <= s - {number(over.low)}.\nProof. lra. Qed."
    if over.high is not None:
        yield f"Hypothesis s_high : s <= {number(over.high)}."
        yield f"Lemma s_below : 0 <= {number(over.high)} - s.\nProof. lra. Qed."
    start = "assert (above := s_above)." + (" assert (below := s_below)." if over.high is not None else "")
    yield (
        f"Lemma denominator_positive : 0 < {write_polynomial(below)}.\n"
        f"Proof. {start} assert (up : 0 < {over.write_positive(below)}) by positive. lra. Qed."
    )
    yield "Ltac nonzero := try assert (whole := denominator_positive); repeat split; let e := fresh in intro e; lra."
    yield "Ltac settle ::= field; nonzero."
    names = []
    for name, text, gaps in list_gaps(scene):
        above, down = over.find(gaps)
        left, right = text.split(" < ")
        sign = 1 if evaluate(down, over.nodes[0]) > 0 else -1
        above, down = scale(above, sign), scale(down, sign)
        yield (
            f"Lemma {name} : {text}.\nProof.\n{start} assert (whole := denominator_positive). apply Rminus_gt_0_lt.\n"
            f"assert (up : 0 < {over.write_positive(above)}) by positive.\n"
            f"assert (down : 0 < {over.write_positive(down)}) by positive.\n"
            f"replace ({right} - {left}) with (({over.write_positive(above)}) / ({over.write_positive(down)})).\n"
            "{ apply Rdiv_lt_0_compat; assumption. }\nfield; repeat split; let e := fresh in intro e; lra.\nQed."
        )
        names.append(name)
    known = "".join(f" | exact {name} | (left; exact {name})" for name in names)
    yield f"Ltac order := first [lra{known}]."
