import re
from dataclasses import replace
from fractions import Fraction

import pytest

from lyapflow.classes import Intersection, Lipschitz, Monotone, SectorBounded, SlopeRestricted, SmoothStronglyConvex
from lyapflow.dynamics import LureSystem
from lyapflow.lmi.claims import Contraction
from lyapflow.report.statement import find_digest, state_theorem
from lyapflow.report.symbols import Symbols
from lyapflow.search import certify


def rename(certificate, name):
    system = certificate.system
    parts = {field: getattr(system, field) for field in ("A", "B", "C", "D", "oracles", "oracle_names")}
    return replace(certificate, system=LureSystem(**parts, name=name))


def is_discrete(certificate):
    return isinstance(certificate.claim, Contraction)


def test_every_statement_holds_the_exact_number_and_the_hypotheses(certificate):
    text = state_theorem(certificate).text
    number = certificate.factor if is_discrete(certificate) else certificate.rate
    assert f"ρ = {number}" in text
    for oracle in certificate.system.oracles:
        assert oracle.describe() in text
    assert "assumed, not proved" in text
    assert ("absolutely continuous" in text) != is_discrete(certificate)
    assert bool(re.search(r"sequences x\(k\), .* satisfy the relations at every k", text)) == is_discrete(certificate)


def test_every_statement_speaks_of_its_own_time(certificate):
    text = state_theorem(certificate).text
    here, elsewhere = ("k", "t") if is_discrete(certificate) else ("t", "k")
    claim = {"k": "‖ ≤ c ρ^k ‖", "t": "‖ ≤ c e^(-ρt) ‖"}
    assert certificate.is_bounded == (claim[here] in text)
    assert claim[elsewhere] not in text
    assert ("x⁺ = x(k+1)" in text) == is_discrete(certificate)
    assert ("\u0307" in text or "ẋ" in text) != is_discrete(certificate)


def test_the_decimal_of_a_factor_is_proved_too(certificate):
    if is_discrete(certificate) and certificate.factor:
        decimal = re.search(r"exact factor ρ = \S+ [=≈] (\S+) of", state_theorem(certificate).text)[1]
        assert certificate.factor <= Fraction(decimal) < 1
        assert 1 - Fraction(decimal) >= (1 - certificate.factor) * (1 - Fraction(1, 10**5))


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


def test_iterations_are_exact(certificates):
    text = state_theorem(certificates["gradient-descent"]).text
    assert "for k = 0,1,2,… and with x = x(k), x⁺ = x(k+1)" in text
    assert "x⁺ = x-2/11 u_f" in text
    assert "‖x(k)-x*‖ ≤ c ρ^k ‖x(0)-x*‖" in text
    assert "with the exact factor ρ = 9/11 ≈ 0.818182 of the state norm (decimal rounded up) and c = 1" in text
    heavy = state_theorem(certificates["heavy-ball"]).text
    assert "x₁⁺ = x₁+1/4 x₂-1/10 u_f" in heavy
    assert "x₂⁺ = 1/4 x₂-1/10 u_f" in heavy


def test_the_storage_function_of_an_algorithm_names_its_outputs(triple_momentum):
    text = state_theorem(triple_momentum).text
    assert "ũ_f = u_f-u_f*" in text
    for term in ("⟨x̃₁,ũ_f⟩", "⟨x̃₂,ũ_f⟩", "|ũ_f|²", "φ_f"):
        assert term in text


def test_an_operator_that_is_evaluated_twice_is_one(certificates):
    text = state_theorem(certificates["extragradient"]).text
    assert "y_F1 = x, u_F1 = F(y_F1)" in text
    assert "y_F2 = x-1/20 u_F1, u_F2 = F(y_F2)" in text
    assert "The operator F (the oracles named F1 and F2) is" in text
    assert text.count("10-Lipschitz") == 1
    assert "F is one operator, evaluated at 2 points" in text
    assert "y_F1* = y_F2*, u_F1* = u_F2*" in text
    tseng = state_theorem(certificates["tseng"]).text  # A and B are matrices here
    assert "u₁ = f₁(y₁)" in tseng
    assert "u₂ = (v₂-y₂)/γ₂ ∈ f₂(y₂)" in tseng
    assert "u₃ = f₁(y₃)" in tseng
    assert "The operator f₁ (the oracles named B1 and B2) is" in tseng


def test_an_algorithm_without_an_upper_bound(unbounded):
    assert not unbounded.is_bounded
    text = state_theorem(unbounded).text
    assert "V(k) ≤ ρ^(2k) V(0)" in text
    assert "‖x(k)-x*‖ ≤ √(V(k)) ≤ ρ^k√(V(0))" in text
    assert "not Lipschitz continuous, or none was found" in text


def test_nonlinearities_vary_with_their_own_time(certificates):
    assert "u_f = f(k,y_f)" in state_theorem(certificates["gradient descent, sector"]).text


def test_parts_of_an_intersection_are_told_apart():
    both = Intersection(SectorBounded(1, 10), Lipschitz(20))
    system = LureSystem([[1]], [["-1/10"]], [[1]], oracles=[both], dt=1, oracle_names=["g"])
    certificate = certify(system)
    text = state_theorem(certificate).text
    assert "The map g is in the sector [1, 10]" in text
    assert "u_g = g(y_g)" in text  # a Lipschitz operator is static
    assert "y_g* = 0" in text


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


def test_proximal_lagrangians_print_their_operator_and_their_modes(certificates):
    text = state_theorem(certificates["proximal Lagrangian, irrational"]).text
    assert "ẋ = -u_f-Kᵀu_g\n    λ̇ = γ (u_g-λ)" in text
    assert "y_g = prox_(γ g)(Kx+γλ)\n    u_g = (Kx+γλ-y_g)/γ ∈ ∂g(y_g)" in text
    assert "γ = 1/2" in text
    assert "K = [1, 1, 0; 0, 1, 2]" in text
    assert "u_f* = -Kᵀλ*, u_g* = λ*" in text
    assert "‖(x,λ)(t)-(x*,λ*)‖ ≤ c e^(-ρt)" in text
    assert "x₁,λ₁: s lies between s₁⁻ = 1302775637/1000000000 and s₁⁺ = 651387819/500000000, as is proved" in text
    assert "x₀: the null space of K" in text
    rational = state_theorem(certificates["proximal Lagrangian, definite"]).text
    assert "x₂,λ₂: s is 3" in rational
    assert "null space" not in rational


def test_the_method_of_a_proximal_lagrangian_prints_its_steps(certificates):
    text = state_theorem(certificates["euler-proximal-lagrangian"]).text
    assert "x⁺ = x-h (u_f+Kᵀu_g)\n    λ⁺ = λ+hγ (u_g-λ)" in text
    assert "h = 1/20" in text
    assert "sequences x(k), λ(k) satisfy" in text


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
        (["F1", "F"], ("f_{1}", "f_{2}")),
    ],
)
def test_symbols_never_clash(names, functions):
    system = LureSystem(
        [[0]],
        [[-1, -1]],
        [[1], [1]],
        [[0, 0], [-1, -1]],
        oracles=[SmoothStronglyConvex(1, 2), Monotone()],
        oracle_names=names,
    )
    assert Symbols.of(system).functions == functions


@pytest.mark.parametrize(
    ("names", "groups", "functions", "marks", "owners"),
    [
        (["F1", "F2", "g"], [0, 0, 1], ["F", "F", "g"], ["F1", "F2", "g"], ["F", "F", "g"]),
        (["B1", "g", "B2"], [0, 1, 0], ["f_{1}", "f_{2}", "f_{1}"], ["1", "2", "3"], ["1", "2", "1"]),
        (["q", "g", "h"], [0, 1, 0], ["f_{1}", "f_{2}", "f_{1}"], ["1", "2", "3"], ["1", "2", "1"]),
        (["F1", "F2", "F"], [0, 0, 1], ["f_{1}", "f_{1}", "f_{2}"], ["1", "2", "3"], ["1", "1", "3"]),
        (
            ["loss1", "loss2", "rest"], [0, 0, 1], [r"\mathrm{loss}"] * 2 + [r"\mathrm{rest}"],
            [r"\mathrm{loss1}", r"\mathrm{loss2}", r"\mathrm{rest}"], [r"\mathrm{loss}"] * 2 + [r"\mathrm{rest}"],
        ),
    ],
)  # fmt: skip
def test_oracles_of_one_operator_share_its_symbol(names, groups, functions, marks, owners):
    f = SmoothStronglyConvex(1, 2)
    system = LureSystem([[0]], [[-1, 0, 0]], [[1], [1], [1]], oracles=[f] * 3, oracle_names=names, groups=groups, dt=1)
    found = Symbols.of(system)
    assert (list(found.functions), list(found.marks), list(found.owners)) == (functions, marks, owners)


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
