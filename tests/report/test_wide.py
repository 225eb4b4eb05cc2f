"""Reports of systems with many states: matrices by their names, entries in the file."""

import base64
import re

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.report import state_theorem, to_latex


def plant(n, dt=0):
    """A lightly coupled plant, stable by far, with its input at one end and its output at the other."""
    A = -np.eye(n) + 0.25 * (np.eye(n, k=1) + np.eye(n, k=-1))
    if dt:
        A = 0.25 * np.eye(n) - 0.125 * (np.eye(n, k=1) + np.eye(n, k=-1))
    return lf.LureSystem(A, np.eye(n)[:, :1], np.eye(n)[-1:], oracles=[lf.SectorBounded("-1/4", "1/5")], dt=dt)


@pytest.fixture(scope="module", params=[(30, 0), (24, 1)], ids=["continuous", "discrete"])
def certificate(request):
    return lf.certify(plant(*request.param))


def test_the_theorem_names_its_matrices(certificate):
    text = state_theorem(certificate).text
    n = certificate.system.shape[0]
    assert f"A ({n} x {n}), B ({n} x 1), C (1 x {n}) of the certificate's file" in text
    assert ("x⁺ = Ax+Bu" if certificate.system.dt else "ẋ = Ax+Bu") in text
    assert "y = Cx" in text
    assert "assumed, not proved" in text
    assert certificate.system.oracles[0].describe() in text
    assert "V = z" in text
    assert len(text) < 3000


def test_the_page_is_short_and_carries_the_file(certificate, tmp_path):
    path = lf.write_report(tmp_path / "report.html", certificate)
    page = path.read_text()
    file = re.search(r"data:application/json;base64,([A-Za-z0-9+/=]+)", page)[1]
    saved = tmp_path / "c.json"
    saved.write_bytes(base64.b64decode(file))
    assert lf.load(saved) == certificate
    assert lf.verify(saved).proved
    rest = page.replace(file, "")
    assert len(rest) < 300_000
    n = certificate.system.shape[0]
    assert f"{n} x {n}, in the certificate" in rest
    assert "symmetric matrix" in rest
    assert f"of size {n + 1}" in rest
    assert "all d" not in rest


def test_latex_is_short_too(certificate):
    text = to_latex(certificate)
    assert len(text) < 8000
    assert r"\zeta^{\mathsf{T}}S\zeta" in text
    assert r"\ell_{1}" not in text


def test_outputs_and_values_in_v_are_named():
    f = lf.SmoothStronglyConvex(1, 2)
    n = 13
    A, b = 0.25 * np.eye(n), 0.125 * np.eye(n)[:, :1]
    system = lf.LureSystem(A, b, np.eye(n)[:1], oracles=[f], dt=1)
    for template in (lf.QuadraticPlusValue(), lf.QuadraticPlusValue(definite=True)):
        text = to_latex(lf.certify(system, lf.Contraction("9/10"), template=template))
        assert r"z = (x-x^{\star},u-u^{\star})" in text
        assert r"\zeta = (x,u,u^{+})" in text
    assert "Storage." in text


def test_twelve_states_are_written_out():
    certificate = lf.certify(plant(12))
    assert "of the certificate's file" not in state_theorem(certificate).text
    assert r"\ell_{1}" in to_latex(certificate)
