"""The two paths to a solver answer alike, on every system of the catalogues."""

from functools import partial
from itertools import islice

import numpy as np
import pytest
from systems import ALGORITHMS, CATALOGUE

import lyapflow as lf
from lyapflow.lmi.dissipation import assemble
from lyapflow.search.arrays import on_face, to_arrays
from lyapflow.search.backend import MarginProblem
from lyapflow.search.direct import DirectMarginProblem
from lyapflow.search.rate import search_parameter
from lyapflow.search.reduction import find_face
from lyapflow.search.scaling import equilibrate
from lyapflow.search.witness import estimate_ceiling

SYSTEMS = CATALOGUE | ALGORITHMS
TEMPLATES = [lf.QuadraticStorage(), lf.QuadraticPlusValue()]


def forms_of(system):
    """Forms of V that a system allows."""
    return TEMPLATES if system.dt == 0 or isinstance(system, lf.LureSystem) else TEMPLATES[:1]


def cone_problem(system, template, ceiling):
    claim = lf.Contraction("1/2") if system.dt > 0 else lf.ExponentialDecay(1)
    pencil = assemble(system, claim, template).move(lf.exact.rationals.rational(ceiling) / 3)
    return equilibrate(on_face(to_arrays(pencil), find_face(pencil), ceiling / 3), ceiling / 2)


@pytest.mark.parametrize(("name", "template"), [(name, form) for name, s in SYSTEMS.items() for form in forms_of(s)])
def test_margins_agree(name, template):
    ceiling = estimate_ceiling(SYSTEMS[name])
    data = cone_problem(SYSTEMS[name], template, ceiling)
    through, direct = MarginProblem(data, solver="CLARABEL"), DirectMarginProblem(data)
    for share in (0.3, 0.6, 0.9, 1.2):
        a, b = through.solve(share * ceiling), direct.solve(share * ceiling)
        assert a.margin == pytest.approx(b.margin, abs=1e-10)
        assert set(a.values) == set(b.values)


@pytest.mark.parametrize("name", SYSTEMS)
def test_newton_steps_agree(name):
    ceiling = estimate_ceiling(SYSTEMS[name])
    data = cone_problem(SYSTEMS[name], forms_of(SYSTEMS[name])[-1], ceiling)
    start = DirectMarginProblem(data).solve(ceiling / 2)
    moved = data.toward(start.values)
    through, direct = MarginProblem(moved, solver="CLARABEL").solve(ceiling), DirectMarginProblem(moved).solve(ceiling)
    assert through.margin == pytest.approx(direct.margin, rel=1e-5, abs=1e-6 * ceiling)


@pytest.mark.parametrize("name", ["heavy-ball", "nesterov", "triple-momentum", "chambolle-pock"])
def test_the_dual_solution_tells_where_the_margin_vanishes(name):
    system = SYSTEMS[name]
    p = estimate_ceiling(system) / 2
    solver = DirectMarginProblem(cone_problem(system, forms_of(system)[-1], 2 * p))
    below, here, above = (solver.solve(share * p) for share in (0.99, 1, 1.01))
    slope = (above.margin - below.margin) / (0.02 * p)
    assert here.margin / (p - here.root) == pytest.approx(slope, rel=0.05)


@pytest.mark.parametrize("make", [DirectMarginProblem, partial(MarginProblem, solver="CLARABEL")])
@pytest.mark.parametrize("name", ["nesterov", "euler-heavy-ball"])
def test_newton_finds_what_bisection_finds(name, make):
    """From the ceiling, and again in the units of an interior point; with a dual solution, and without."""
    ceiling = estimate_ceiling(SYSTEMS[name])
    data = cone_problem(SYSTEMS[name], forms_of(SYSTEMS[name])[-1], ceiling)
    found = list(islice(search_parameter(data, ceiling, make, make(data).solve(ceiling)), 3))
    assert [c.method for c in found] == ["Newton", "Newton, rescaled", "bisection"]
    assert [c.supremum for c in found] == pytest.approx([found[-1].supremum] * 3, rel=1e-6)
    assert max(c.solves for c in found[:2]) < 10 < found[2].solves


@pytest.mark.parametrize("name", ["heavy-ball", "douglas-rachford", "primal-dual"])
def test_proved_rates_agree(name):
    rates = [lf.certify(CATALOGUE[name], solver=solver).rate for solver in (None, "CLARABEL")]
    assert float(rates[0]) == pytest.approx(float(rates[1]), rel=1e-6)


@pytest.mark.parametrize("name", ["gradient-descent", "nesterov", "douglas-rachford"])
def test_proved_factors_agree(name):
    factors = [lf.certify(ALGORITHMS[name], solver=solver).factor for solver in (None, "CLARABEL")]
    assert 1 - float(factors[0]) == pytest.approx(1 - float(factors[1]), rel=1e-5)


def test_arrays_are_the_pencil():
    """Floats of the structured forms against the forms multiplied out exactly."""
    for system in SYSTEMS.values():
        claim = lf.Contraction("1/3") if system.dt > 0 else lf.ExponentialDecay("1/3")
        pencil = assemble(system, claim, forms_of(system)[-1], bounded=True)
        data = to_arrays(pencil)
        parameter = float(claim.parameter)
        for (base, slope), condition in zip(data.blocks, pencil.conditions, strict=True):
            found = base + parameter * slope
            terms = dict(condition.terms) | {"1": condition.constant}
            for k, name in enumerate(data.names):
                size = len(condition.signals)
                exact = np.array(terms.get(name, [[0] * size] * size), dtype=float)
                assert found[k] == pytest.approx(exact, rel=1e-12, abs=1e-12 * np.abs(found).max())
