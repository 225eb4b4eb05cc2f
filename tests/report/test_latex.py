import re
import shutil
import subprocess
from fractions import Fraction

import pytest

from lyapflow.errors import VerificationError
from lyapflow.lmi.claims import Contraction
from lyapflow.report import to_latex
from lyapflow.report.latex import escape_tex
from lyapflow.report.proof import list_parts, list_steps

PREAMBLE = r"\documentclass{article}\usepackage{amsmath,amssymb,amsthm}\newtheorem{theorem}{Theorem}\begin{document}"


def numbers_of(fragment):
    """Rationals of the lists, by their symbols."""
    found = {}
    for line in fragment.splitlines():
        match = re.match(r"\s*\\item \$(.+?) = ([-\d/\\a-z ]+?)(?: (?:=|\\approx).*|=.*|\\approx.*)?\$$", line)
        if match:
            found[match[1]] = Fraction(match[2].replace(r"\allowbreak ", ""))
    return found


def test_the_fragment_is_a_theorem_and_its_proof(certificate):
    fragment = to_latex(certificate)
    for name in ("theorem", "proof", "itemize"):
        assert fragment.count(rf"\begin{{{name}}}") == fragment.count(rf"\end{{{name}}}") > 0
    assert fragment.count("{") == fragment.count("}")
    assert certificate.digest in fragment
    number = certificate.factor if isinstance(certificate.claim, Contraction) else certificate.rate
    shown = str(number) if number.denominator == 1 else rf"\frac{{{number.numerator}}}{{{number.denominator}}}"
    assert rf"\rho = {shown}" in fragment
    assert (r"V^{+} \leq \rho^{2}V" in fragment) == isinstance(certificate.claim, Contraction)


def test_the_numbers_of_the_fragment_are_those_of_the_proof(certificate):
    numbers = numbers_of(to_latex(certificate))
    count = 0
    order = ["decrease", "positivity", "upper bound", "storage"]
    for step in sorted(list_steps(certificate), key=lambda step: order.index(step.part)):
        for weight, vector in step.squares:
            count += 1
            assert numbers[f"d_{{{count}}}"] == weight
            for k, value in enumerate(vector, start=1):
                assert numbers.get(rf"\ell_{{{count},{k}}}", value) == value
    assert f"d_{{{count + 1}}}" not in numbers
    for part in list_parts(certificate):
        for used in part.used:
            assert not used.value or numbers[used.symbol] == used.value


@pytest.mark.parametrize("name", ["broken", "broken_method"])
def test_what_is_not_proved_is_refused(name, request):
    with pytest.raises(VerificationError, match="proves its claim") as caught:
        to_latex(request.getfixturevalue(name))
    assert caught.value.inequality


def test_text_is_escaped():
    assert escape_tex(r"\input{x} & 50%") == r"\textbackslash{}input\{x\} \& 50\%"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed; nothing else needs it")
def test_the_fragments_compile(certificates, tmp_path):
    body = "\n".join(to_latex(certificate) for certificate in certificates.values())
    (tmp_path / "proofs.tex").write_text(PREAMBLE + body + r"\end{document}", encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "proofs.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
