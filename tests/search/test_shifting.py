"""Loop shifting changes the letters of a proof, not the proof: each inequality is one form in two coordinates."""

import random
from fractions import Fraction as Q

import pytest
from systems import ALGORITHMS, CATALOGUE

import lyapflow as lf
from lyapflow.exact.matrices import identity, multiply, transpose
from lyapflow.lmi.dissipation import assemble
from lyapflow.search.shifting import shift_loop

SYSTEMS = CATALOGUE | ALGORITHMS
TEMPLATES = [lf.QuadraticStorage(), lf.QuadraticPlusValue()]


def shift(system, template):
    return shift_loop(system, template, beyond=Q(1))


def outputs_taken_apart(system, slopes, signals):
    """Rows of T in ``(x, v, v+) = T (x, u, u+)``, with ``v = u - m y`` written out from the equations."""
    n, m = system.shape
    rows = [list(row) for row in identity(signals)]
    flow = [[*a, *b, *[Q(0)] * (signals - n - m)] for a, b in zip(system.A, system.B, strict=True)]
    for j in range(m):
        y = [*system.C[j], *system.D[j], *[Q(0)] * (signals - n - m)]
        rows[n + j] = [a - slopes[j] * b for a, b in zip(rows[n + j], y, strict=True)]
        if signals > n + m:
            y_next = [sum((system.C[j][i] * flow[i][k] for i in range(n)), Q(0)) for k in range(signals)]
            for i in range(m):
                y_next[n + m + i] += system.D[j][i]
            rows[n + m + j] = [a - slopes[j] * b for a, b in zip(rows[n + m + j], y_next, strict=True)]
    return tuple(map(tuple, rows))


@pytest.mark.parametrize("template", TEMPLATES, ids=["quadratic", "value"])
@pytest.mark.parametrize("name", [n for n, s in SYSTEMS.items() if any(shift(s, TEMPLATES[1]).slopes)])
def test_inequalities_are_congruent(name, template):
    system = SYSTEMS[name]
    shifted = shift(system, template)
    assert shifted.system != system
    source = random.Random(name)
    claim = lf.Contraction("2/3") if system.dt > 0 else lf.ExponentialDecay("2/3")
    before, after = (assemble(s, claim, template, bounded=True) for s in (shifted.system, system))
    assert before.unknowns == after.unknowns
    values = {name: Q(source.randint(-9, 9), source.randint(1, 9)) for name in before.unknowns}
    uses = [n for equality in before.equalities for n, _ in equality.terms]
    for equality in before.equalities:  # the letters differ by values, so their coefficients must vanish
        free, coefficient = next((n, c) for n, c in equality.terms if ": " in n and uses.count(n) == 1)
        values[free] -= equality.at(values) / coefficient
    assert not any(e.at(values) for e in before.equalities)
    found = shifted.undo(values, template)
    assert not any(e.at(found) for e in after.equalities)
    for one, other in zip(before.conditions, after.conditions, strict=True):
        assert one.signals == other.signals
        T = outputs_taken_apart(system, shifted.slopes, len(one.signals))
        assert multiply(transpose(T), multiply(one.at(values), T)) == other.at(found), one.name


def test_what_cannot_be_shifted_is_left_alone():
    f = lf.SmoothStronglyConvex(1, 10)
    for system, template in (
        (lf.flows.gradient_flow(lf.SmoothConvex(3)), TEMPLATES[1]),
        (lf.flows.gradient_flow(lf.GradientDominated(1, 3)), TEMPLATES[1]),
        (lf.flows.gradient_flow(f), lf.QuadraticPlusValue(definite=True)),
        (lf.flows.primal_dual_flow(f, constraint=[[1]]), TEMPLATES[1]),
        (lf.PrimalDualIteration(f, f, step_primal=1, step_dual=1, intervals=[(1, 2)]), TEMPLATES[0]),
    ):
        assert shift(system, template).system is system


def test_small_condition_numbers_are_left_alone():
    for kappa, wanted in ((100, 0), (101, 1)):
        method = lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, kappa), step="1/100")
        assert shift_loop(method, TEMPLATES[1]).slopes == (wanted,)
