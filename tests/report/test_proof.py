"""The printed proof, expanded again from the equations: independent of the pencil that the checker uses."""

from fractions import Fraction

import pytest
from forms import times, total

from lyapflow.dynamics import PrimalDualSystem, ProximalLagrangianSystem
from lyapflow.errors import InvalidModelError
from lyapflow.lmi.claims import Contraction
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.proof import list_parts, list_steps


def plant_of(system, step):
    """Dynamics of the mode that the step speaks of, written out from its definition."""
    if isinstance(system, ProximalLagrangianSystem):
        return proximal_plant(system, step.mode)
    if not isinstance(system, PrimalDualSystem):
        return system.A, system.B, system.C, system.D
    theta, h = step.theta, system.step
    if step.mode == "null":
        A, B, C = ((0,),), ((-1,),), ((1,),)
    else:
        A, B, C = ((-system.augmentation * theta, -1), (system.dual_gain * theta, 0)), ((-1,), (0,)), ((1, 0),)
    return step_of((A, B, C, ((0,),)), h)


def proximal_plant(system, mode):
    """The same for a proximal augmented Lagrangian; on the null space of the operator g has no signals."""
    if mode == "null primal":
        plant = ((0,),), ((-1, 0),), ((1,), (0,)), ((0, 0), (0, 0))
    else:
        label, _, end = mode.partition(" ")
        s, p = system.intervals[int(label.removeprefix("sigma")) - 1][end == "high"], system.penalty
        plant = ((0, 0), (0, -p)), ((-1, -s), (0, p)), ((1, 0), (s, p)), ((0, 0), (0, -p))
    return step_of(plant, system.step)


def step_of(plant, h):
    """The explicit Euler method; the flow itself for h = 0."""
    A, B, C, D = plant
    if h:
        A = [[(i == k) + h * v for k, v in enumerate(row)] for i, row in enumerate(A)]
        B = [[h * v for v in row] for row in B]
    return A, B, C, D


def modal(step):
    """Label of the mode, without the end of its interval."""
    return step.mode.removesuffix(" low").removesuffix(" high")


def signals(plant, kind):
    """Forms of one kind over states ``x``, outputs ``u`` and, at the next step, outputs ``u+``."""
    A, B, C, D = plant
    n, m = len(A), len(B[0])

    def through(M, x, N, u):
        sums = [[*zip(row, x, strict=True), *zip(other, u, strict=True)] for row, other in zip(M, N, strict=True)]
        return [total(*terms) for terms in sums]

    found = {
        "x": [{("x", i): Fraction(1)} for i in range(n)],
        "u": [{("u", j): Fraction(1)} for j in range(m)],
        "u+": [{("u+", j): Fraction(1)} for j in range(m)],
    }
    found["flow"] = found["x+"] = through(A, found["x"], B, found["u"])
    found["y"] = through(C, found["x"], D, found["u"])
    found["y+"] = through(C, found["x+"], D, found["u+"])
    return found[kind]


def storage(certificate, step, plant, values, later=""):
    """V in states, outputs and values; with ``later="+"`` at the next step."""
    P = certificate.storage[modal(step)]
    z = [*signals(plant, f"x{later}"), *signals(plant, f"u{later}")][: len(P)]
    size = range(len(P))
    quadratic = [(P[i][k], times(z[i], z[k])) for i in size for k in size]
    return total(*quadratic, *[(weight, {(f"phi{later}", j): Fraction(1)}) for j, weight in values.items()])


def left_side(certificate, step, plant, values):
    """Left side of the condition, in states, outputs and values."""
    C = plant[2]
    n = len(plant[0])
    x, u, dx = (signals(plant, kind) for kind in ("x", "u", "flow"))
    V = storage(certificate, step, plant, values)
    if isinstance(certificate.claim, Contraction):
        if step.part == "decrease":
            return total((certificate.factor**2, V), (-1, storage(certificate, step, plant, values, later="+")))
    else:
        P = certificate.storage[modal(step)]
        slope = total(*[(2 * P[i][k], times(x[i], dx[k])) for i in range(n) for k in range(n)])
        for j, weight in values.items():
            dy = total(*[(C[j][k], dx[k]) for k in range(n)])
            slope = total((1, slope), (weight, times(u[j], dy)))
    norm = {("x", i): Fraction(1) for i in range(n)}
    if step.theta is not None:
        low, high = next(box for box in certificate.system.enclosures if box[0] <= step.theta <= box[1])
        norm[("x", 1)] = 1 / (low if step.part == "positivity" else high)
    N = {(key, key): weight for key, weight in norm.items()}
    if step.part == "decrease":
        return total((-1, slope), (-2 * certificate.rate, V))
    if step.part == "positivity":
        return total((1, V), (-1, N))
    return total((certificate.values["upper bound"], N), (-1, V))


def place(names, used, part, point):
    """Oracle and time of an evaluation point, from the name of the multiplier."""
    oracles = used.name.removeprefix(f"{part.name}: ").partition(" ")[0].split("=")
    oracle, _, time = point.rpartition("@")
    return names.index(oracle or oracles[0]), "+" if time == "k+1" else ""


def class_part(names, part, plant):
    """Multipliers times class inequalities, with the inputs written in states and outputs."""
    forms = {kind: signals(plant, kind) for kind in ("y", "u", "y+", "u+")}
    terms = []
    for used in part.used:
        for ((a, p), (b, q)), coefficient in used.inequality.products:
            (i, now), (j, then) = (place(names, used, part, point) for point in (p, q))
            terms.append((used.value * coefficient, times(forms[a + now][i], forms[b + then][j])))
        for point, coefficient in used.inequality.values:
            j, later = place(names, used, part, point)
            terms.append((used.value * coefficient, {(f"phi{later}", j): Fraction(1)}))
    return total(*terms)


def square_part(step, plant):
    n, m = len(plant[0]), len(plant[2])
    names = [("x", k) for k in range(n)] + [("u", j) for j in range(m)] + [("u+", j) for j in range(m)]
    names = names[: len(step.signals)]
    forms = [(d, {name: v for name, v in zip(names, vector, strict=True) if v}) for d, vector in step.squares]
    return total(*[(d, times(form, form)) for d, form in forms])


def test_each_condition_is_the_printed_sum(certificate):
    parts = {part.name: part for part in list_parts(certificate)}
    names = certificate.system.oracle_names
    values = {names.index(name): w for name, w in certificate.value_weights.items()}
    checked = 0
    for step in list_steps(certificate):
        if step.part == "storage":
            continue
        plant = plant_of(certificate.system, step)
        left = left_side(certificate, step, plant, values)
        right = total((1, class_part(names, parts[step.part], plant)), (1, square_part(step, plant)))
        assert left == right, step.name
        checked += 1
    modes = len(certificate.system.modes)
    assert checked >= modes * (3 if certificate.is_bounded else 2)


def test_the_printed_inequalities_are_those_of_the_classes(certificate):
    """Between all points at which an operator is evaluated in a part of the proof, and the equilibrium."""
    system = certificate.system
    discrete = isinstance(certificate.claim, Contraction)
    rich = any(
        len(P) > len(mode.vertices[0].A) for P, mode in zip(certificate.storage.values(), system.modes, strict=True)
    )
    for part in list_parts(certificate):
        times_of = ("k", "k+1") if rich and part.name == "decrease" else ("k",)
        for group in sorted(set(system.groups)):
            own = [name for name, g in zip(system.oracle_names, system.groups, strict=True) if g == group]
            if part.name != "decrease" and not rich and own[0] not in certificate.value_weights:
                continue
            points = [t if len(own) == 1 else f"{name}@{t}" for t in (times_of if discrete else ("t",)) for name in own]
            expected = system.oracles[system.groups.index(group)].inequalities((*points, "*"))
            prefix = f"{part.name}: {'='.join(own)} "
            assert [u.inequality for u in part.used if u.name.startswith(prefix)] == list(expected)


def test_labels_tell_inequalities_apart(certificate):
    found = {}
    for part in list_parts(certificate):
        assert len({used.label for used in part.used}) == len(part.used)
        for used in part.used:
            assert found.setdefault(used.label, used.inequality) == used.inequality


def test_multipliers_and_weights_have_the_right_sign(certificate):
    assert all(used.value >= 0 for part in list_parts(certificate) for used in part.used)
    assert all(weight > 0 for step in list_steps(certificate) for weight, _ in step.squares)


def test_every_multiplier_is_listed(certificate):
    listed = {used.name: used.value for part in list_parts(certificate) for used in part.used}
    assert listed == dict(certificate.multipliers)


def test_enclosures_that_are_not_points_are_proved_at_both_ends(certificates):
    certificate = certificates["primal-dual, irrational"]
    ends = {step.theta for step in list_steps(certificate) if step.part == "decrease" and step.theta is not None}
    assert ends == {theta for box in certificate.system.enclosures for theta in box}


def test_intervals_are_proved_at_both_ends(certificates):
    certificate = certificates["proximal Lagrangian, irrational"]
    decrease = [step.mode for step in list_steps(certificate) if step.part == "decrease"]
    assert decrease == ["sigma1 low", "sigma1 high", "sigma2 low", "sigma2 high", "null primal"]
    text = text_of(argue(certificate))
    assert "each S_k is concave in s" in text
    assert text.count("(s = s₁⁻)") == text.count("(s = s₂⁺)") == 1


def test_definite_templates_show_their_storage_matrix(certificates):
    steps = list_steps(certificates["definite"])
    assert "storage" in {step.part for step in steps}
    assert "positive semidefinite" in text_of(argue(certificates["definite"]))


def test_what_is_not_proved_has_no_steps(heavy_ball):
    from dataclasses import replace

    values = heavy_ball.values | {"P[0,0]": heavy_ball.values["P[0,0]"] / 10}
    with pytest.raises(InvalidModelError, match="positive semidefinite"):
        list_steps(replace(heavy_ball, unknowns=tuple(values.items())))


def test_the_argument_speaks_of_its_own_time(certificate):
    text = text_of(argue(certificate))
    discrete = isinstance(certificate.claim, Contraction)
    assert ("Hence V⁺ ≤ ρ²V and N(k) ≤ V(k) ≤ ρ^(2k)V(0)" in text) == discrete
    assert ("Hence V̇ ≤ -2ρV and N(t) ≤ V(t) ≤ e^(-2ρt)V(0)" in text) != discrete
    assert ("ρ²V-V⁺ =" in text) == discrete


def test_the_argument_of_an_algorithm_holds_its_relations(certificates):
    rich, plain = (text_of(argue(certificates[name])) for name in ("heavy-ball", "gradient-descent"))
    assert "x₁⁺ = x₁+1/4 x₂-1/10 u_f" in rich
    assert "y_f⁺ = x₁⁺" in rich
    assert "-λ_f+σ_(f,1)" in rich  # the value at the next step cancels too
    assert "x⁺ = x-2/11 u_f" in plain
    assert "y_f⁺" not in plain  # V holds no outputs, so those of the next step do not occur
    twice = text_of(argue(certificates["extragradient"]))
    assert "y_F2⁺ = x⁺-1/20 u_F1⁺" in twice
    assert "⟨u_F1,u_F2⟩" in twice
    order = [line.split()[1] for line in twice.splitlines() if line.startswith("  - I_")]
    assert order[:2] == ["I_(F,1):", "I_(F,2):"]
    assert order.index("I_(F,10):") > order.index("I_(F,9):")


def test_the_printed_proof_holds_every_number(certificate):
    text = text_of(argue(certificate))
    for step in list_steps(certificate):
        for weight, _ in step.squares:
            assert f"= {weight}" in text
    for part in list_parts(certificate):
        for used in part.used:
            assert not used.value or f"= {used.value}" in text
