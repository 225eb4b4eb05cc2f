"""The two paths to a solver answer alike, on every system of the catalogue."""

import pytest
from systems import CATALOGUE

import lyapflow as lf
from lyapflow.lmi.dissipation import assemble
from lyapflow.search.arrays import equilibrate, to_arrays
from lyapflow.search.backend import MarginProblem
from lyapflow.search.direct import DirectMarginProblem
from lyapflow.search.reduction import find_face
from lyapflow.search.witness import find_witness


@pytest.mark.parametrize("name", CATALOGUE)
def test_margins_agree(name):
    system = CATALOGUE[name]
    ceiling = find_witness(system).rate
    ends = [assemble(system, lf.ExponentialDecay(rate), lf.QuadraticPlusValue()) for rate in (ceiling / 3, ceiling)]
    data = equilibrate(to_arrays(*ends, find_face(ends[0]), (float(ceiling / 3), float(ceiling))), float(ceiling) / 2)
    through, direct = MarginProblem(data, solver="CLARABEL"), DirectMarginProblem(data)
    for share in (0.3, 0.6, 0.9, 1.2):
        a, b = through.solve(share * float(ceiling)), direct.solve(share * float(ceiling))
        assert a.margin == pytest.approx(b.margin, abs=1e-10)
        assert set(a.values) == set(b.values)


@pytest.mark.parametrize("name", ["heavy-ball", "douglas-rachford", "primal-dual"])
def test_proved_rates_agree(name):
    rates = [lf.certify(CATALOGUE[name], solver=solver).rate for solver in (None, "CLARABEL")]
    assert float(rates[0]) == pytest.approx(float(rates[1]), rel=1e-6)
