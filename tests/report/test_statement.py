from dataclasses import replace

import pytest

from lyapflow.classes import Monotone, SlopeRestricted, SmoothStronglyConvex
from lyapflow.dynamics import LureSystem
from lyapflow.report.statement import find_digest, state_theorem
from lyapflow.report.symbols import Symbols
from lyapflow.search import certify


def rename(certificate, name):
    system = certificate.system
    parts = {field: getattr(system, field) for field in ("A", "B", "C", "D", "oracles", "oracle_names")}
    return replace(certificate, system=LureSystem(**parts, name=name))


def test_every_statement_holds_the_exact_rate_and_the_hypotheses(certificate):
    text = state_theorem(certificate).text
    assert f"ρ = {certificate.rate}" in text
    for oracle in certificate.system.oracles:
        assert oracle.describe() in text
    assert "assumed, not proved" in text
    assert "absolutely continuous" in text


def test_every_exact_number_of_the_storage_function_is_printed(certificate):
    text = state_theorem(certificate).text
    numbers = [v for rows in certificate.storage.values() for row in rows for v in row]
    numbers += list(certificate.value_weights.values())
    for value in numbers:
        whole = abs(value).denominator == 1 or abs(value) in {0, 1}
        assert whole or str(abs(value)) in text or str(abs(2 * value)) in text


def test_the_label_plays_no_part(heavy_ball):
    other = rename(heavy_ball, "gradient flow at rate 100 <script>")
    assert state_theorem(other) == state_theorem(heavy_ball)


def test_equations_of_motion_are_exact(certificates):
    text = state_theorem(certificates["heavy ball"]).text
    assert "ẋ₁ = x₂" in text
    assert "ẋ₂ = -2x₂-u_f" in text
    assert "u_f = ∇f(y_f)" in text


def test_a_float_is_printed_at_its_binary_value(certificates):
    text = state_theorem(certificates["heavy ball, binary"]).text
    assert "5404319552844595/18014398509481984" in text
    assert "3602879701896397/36028797018963968-strongly convex" in text


def test_prox_steps_are_told_as_such(certificates):
    text = state_theorem(certificates["Douglas-Rachford"]).text
    assert "y_g = prox_(γ_g g)(v_g), γ_g = 1/3" in text
    assert "v_g = x-2/3 u_f" in text
    assert "u_g = (v_g-y_g)/γ_g ∈ ∂g(y_g)" in text


def test_the_constant_is_rounded_up(certificate):
    text = state_theorem(certificate).text
    if not certificate.is_bounded:
        assert "rounded up" not in text
        return
    c = certificate.transient_bound
    if f"c = {c}" not in text:
        decimal = text.split(" (rounded up)")[0].split("≤ ")[-1]
        assert float(decimal) >= float(c)
        assert float(decimal) <= float(c) * (1 + 1e-4)


def test_without_an_upper_bound_the_statement_is_about_V(certificates):
    certificate = certificates["heavy ball, nonsmooth"]
    assert not certificate.is_bounded
    text = state_theorem(certificate).text
    assert "V(t) ≤ e^(-2ρt) V(0)" in text
    assert "Chain rule" in text
    assert "c e^(-ρt)" not in text


def test_differentiable_functions_need_no_chain_rule_assumption(heavy_ball):
    assert "Chain rule" not in state_theorem(heavy_ball).text


def test_classes_that_are_not_shift_invariant_fix_the_equilibrium(certificates):
    assert "u_f* = 0" in state_theorem(certificates["dominated"]).text
    sector = state_theorem(certificates["sector"]).text
    assert "y_f* = 0" in sector
    assert "u_f* = 0" in sector
    assert "f(t,y_f)" in sector
    assert "u_f* = 0" not in state_theorem(certificates["heavy ball"]).text


def test_primal_dual_systems_print_their_constraint(certificates):
    text = state_theorem(certificates["primal-dual, irrational"]).text
    assert "E = [1, 1, 0; 0, 1, 2]" in text
    assert "ẋ = -u-Eᵀλ-1/2 Eᵀ(Ex-b)" in text
    assert "λ̇ = 2 (Ex-b)" in text
    assert "Consistent constraints" in text
    assert "proved enclosure" in text


def test_only_the_hypotheses_of_what_is_not_proved(broken):
    statement = state_theorem(broken, whole=False)
    assert statement.hypotheses
    assert not statement.conclusion
    assert not statement.storage


@pytest.mark.parametrize(
    ("names", "functions"),
    [
        (["f", "g"], ("f", "g")),
        (["x", "V"], ("f_{1}", "f_{2}")),
        (["loss", "penalty"], (r"\mathrm{loss}", r"\mathrm{penalty}")),
        (["f_1", "θ"], ("f_{1}", "f_{2}")),
        (["f1", "f2"], ("f_{1}", "f_{2}")),
    ],
)
def test_symbols_never_clash(names, functions):
    system = LureSystem(
        [[0]], [[-1, -1]], [[1], [1]], [[0, 0], [-1, -1]], oracles=[SmoothStronglyConvex(1, 2), Monotone()],
        oracle_names=names,
    )
    assert Symbols.of(system).functions == functions


def test_operators_and_maps_are_not_called_functions():
    prox = LureSystem([[0]], [[-1]], [[1]], [[-1]], oracles=[Monotone()], oracle_names=["g"])
    motion = LureSystem([[-1]], [[-1]], [[1]], oracles=[SlopeRestricted(0, 1)], oracle_names=["g"])
    for system, words in ((prox, "The operator g"), (motion, "The map g")):
        certificate = replace(certify(motion), system=system)
        assert words in state_theorem(certificate, whole=False).text
    assert "(I+γ_g g)⁻¹(v_g)" in state_theorem(replace(certify(motion), system=prox), whole=False).text


def test_a_certificate_that_cannot_be_saved_has_no_digest(heavy_ball):
    class Mine(SmoothStronglyConvex):
        pass

    system = heavy_ball.system
    own = LureSystem(system.A, system.B, system.C, oracles=[Mine(1, 10)], oracle_names=["f"])
    assert find_digest(replace(heavy_ball, system=own)) is None
    assert find_digest(heavy_ball) == heavy_ball.digest
