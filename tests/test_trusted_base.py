"""Ways in which something false could be called proved, each tried once by hand and closed since."""

import decimal
import re
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

import lyapflow as lf
from lyapflow.classes import LinearMembers
from lyapflow.classes.inequalities import Inequality, read_inequalities
from lyapflow.exact.rationals import show_above, show_below
from lyapflow.report import state_theorem
from lyapflow.search.witness import check_witness, find_witness

Q = Fraction
GROWING = {"A": [[1]], "B": [[0]], "C": [[1]]}  # x' = x


@dataclass(frozen=True)
class Growth:
    """A user's class with one inequality, phi - |y|^2 / 2 >= 0, and a value at the equilibrium, which is zero."""

    values: tuple
    name: str = "growth"
    point: str = "t"

    has_values = True
    is_monotone = False
    is_single_valued = True
    equilibria = "zero output"

    def inequalities(self, points):
        y = ("y", self.point)
        return (
            Inequality(name=self.name, formula="", source="", values=self.values, products=(((y, y), Q(-1, 2)),)),
        ) * (2 if self.name == "twice" else 1)

    def linear_members(self):
        return LinearMembers(lower=Q(1), upper=Q(2))

    def describe(self):
        return "at least as large as half the squared distance"


def claim_of_growing_state(oracle, multiplier):
    """ "x' = x decays with rate 5": the multiplier would have to make up for it."""
    return lf.Certificate(
        system=lf.LureSystem(**GROWING, oracles=[oracle]),
        claim=lf.ExponentialDecay(5),
        template=lf.QuadraticStorage(),
        unknowns=(("P[0,0]", Q(1)), ("decrease: f growth", Q(multiplier)), ("upper bound", Q(1))),
    )


def test_a_value_at_the_equilibrium_is_zero():
    assert not lf.verify(claim_of_growing_state(Growth((("t", Q(1)), ("*", Q(-1)))), 24)).proved


def test_float_coefficients_are_taken_exactly():
    oracle = Growth((("t", 1e17), ("t", 1.0), ("t", -1e17)))
    (inequality,) = read_inequalities(oracle, ("t", "*"))
    assert inequality.values == (("t", Q(1)),)
    assert not lf.verify(claim_of_growing_state(oracle, 24)).proved


@pytest.mark.parametrize(
    ("oracle", "said"),
    [
        (Growth((("s", Q(1)),)), "points t, *"),
        (Growth((("t", Q(1)),), point="k"), "at the points t, *"),
        (Growth((("t", Q(1)),), name="twice"), "different names"),
        (Growth((("t", float("nan")),)), "finite real number"),
    ],
)
def test_inequalities_that_make_no_sense_are_refused(oracle, said):
    with pytest.raises(lf.InvalidModelError, match=re.escape(said)):
        lf.attempt(lf.LureSystem(**GROWING, oracles=[oracle]))


def test_a_sector_assumes_its_own_input_to_be_zero():
    """With D != 0, x* = 0 does not make y_h* = 0, and the sector is measured from there."""
    f = lf.SmoothStronglyConvex(1, 2)
    system = lf.LureSystem(
        [[0]], [[-1, -1, -1]], [[1], [1], [1]], [[0, 0, 0], [0, 0, 0], ["-1/20", 0, 0]],
        oracles=[f, f, lf.SectorBounded(0, 1)], oracle_names=["f", "g", "h"],
    )  # fmt: skip
    text = state_theorem(lf.certify(system)).text
    assert "y_h* = 0" in text
    assert "u_h* = 0" in text
    assert "u_f* = 0" not in text


def test_without_an_upper_bound_no_bound_by_the_distance_is_stated():
    certificate = lf.certify(lf.flows.heavy_ball_flow(lf.StronglyConvex(1), damping=2))
    assert not certificate.is_bounded
    assert "V(0)" in state_theorem(certificate).text
    with pytest.raises(lf.ClaimMismatchError):
        _ = certificate.transient_bound


def test_wide_enclosures_refute_nothing_that_is_proved():
    f = lf.SlopeRestricted(-5, "-49/10")
    options = {"augmentation": 1, "dual_gain": "1/10"}
    rate = lf.certify(lf.PrimalDualSystem(f, [[3]], **options)).rate
    wide = find_witness(lf.PrimalDualSystem(f, [[3]], enclosures=[["1/10", "9"]], **options))
    assert wide.rate >= rate


@pytest.mark.parametrize("kind", [lf.ConvexIndicator(), lf.SupportFunction()], ids=repr)
def test_the_one_linear_member_of_indicators_and_support_functions(kind):
    system = lf.LureSystem([["-1/10", 1], [-1, "-1/10"]], [[0], [1]], [[1, 0]], [[-1]], oracles=[kind])
    witness = find_witness(system)
    assert witness.slopes == ((Q(0), Q(0)),)
    assert check_witness(system, witness)
    assert not check_witness(system, replace(witness, slopes=((Q(1), Q(0)),)))


@pytest.mark.parametrize("digits", [3, 9, 30, 60])
@pytest.mark.parametrize("precision", [3, 28, 100])
def test_decimals_are_on_the_safe_side_whatever_the_context(digits, precision):
    with decimal.localcontext() as context:
        context.prec = precision
        for value in (Q(2, 3), Q(1, 3), Q(-2, 3), Q(10**40, 7), Q(1, 7 * 10**40)):
            assert Q(show_below(value, digits)) <= value <= Q(show_above(value, digits))


def test_a_witness_in_discrete_time_bounds_the_factor_from_below():
    system = lf.LureSystem([["1/2"]], [["-1/10"]], [[1]], oracles=[lf.SmoothStronglyConvex(1, 10)], dt=1)
    witness = find_witness(system)  # |1/2 - s/10| over 1 <= s <= 10
    assert (witness.rate, witness.factor, witness.slopes) == (None, Q(1, 2), ((Q(10), Q(0)),))
    assert check_witness(system, witness)
    assert not check_witness(system, replace(witness, factor=Q(51, 100)))
    assert not check_witness(system, replace(witness, factor=None, rate=Q(0)))
    assert witness.refutes(Q(1, 3))
    assert not witness.refutes(Q(1, 2))
    assert not witness.refutes(None)


def test_subclasses_are_not_believed():
    class Lie(lf.SmoothStronglyConvex):
        def inequalities(self, points):
            return lf.SmoothStronglyConvex(100, 100).inequalities(points)

    class Bent(lf.LureSystem):
        pass

    honest = lf.certify(lf.flows.gradient_flow(lf.SmoothStronglyConvex(100, 100)))
    lying = replace(honest, system=lf.flows.gradient_flow(Lie(1, 10)))
    assert not lf.verify(lying).proved
    assert "Lie" in lf.verify(lying).reason
    bent = replace(honest, system=Bent([[0]], [[-1]], [[1]], oracles=honest.system.oracles))
    assert not lf.verify(bent).proved


def test_an_oracle_named_like_a_symbol_of_the_proof():
    system = lf.LureSystem([[0]], [[-1]], [[1]], oracles=[lf.SmoothStronglyConvex(1, 2)], oracle_names=["N"])
    assert "∇N" not in state_theorem(lf.certify(system)).text
