import re
from base64 import b64decode
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pytest

from lyapflow.certificates import load, verify
from lyapflow.dynamics import LureSystem
from lyapflow.errors import InvalidModelError
from lyapflow.report import Figure, Note, Simulation, Table, write_report
from lyapflow.search import Bracket, Witness, bracket

VOID = {"meta", "br", "link", "img", "input", "hr"}
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)> & ' {{ 7*7 }}"

EMBEDDED = "data:application/json;base64,"


class Page(HTMLParser):
    """Tags that do not match, ids, links and words of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.ids, self.links, self.tags, self.words = [], [], [], [], [], []
        self.labels = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self._note(tag, attrs)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append((tag, self.getpos()))

    def handle_data(self, data):
        self.words.append(data)

    def _note(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in {"href", "src", "xlink:href", "action"}:
                self.links.append(value)
            if name == "aria-label":
                self.labels.append(value)
            if name.startswith("on"):
                self.faults.append((name, value))

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def draw(figure):
    figure.subplots().plot([0, 1], [0, 1], label="<script>")


@pytest.fixture(scope="module")
def items(heavy_ball, trajectory):
    return [
        heavy_ball,
        Simulation(heavy_ball, trajectory, "Least squares"),
        Simulation(heavy_ball, trajectory, "The same again"),
        Table("Rates", ["flow", "rate"], [["heavy ball", Fraction(1, 3)], ["none", None]], ["", "solver's word"]),
        Note("Remark", "One.\n\nTwo."),
        Figure("Mine", draw, "seen in simulation", "A caption."),
    ]


@pytest.fixture(scope="module")
def written(items, tmp_path_factory):
    """The page of all items, as it is written first."""
    return write_report(tmp_path_factory.mktemp("written") / "report.html", *items)


@pytest.fixture(scope="session")
def page_of(paged, tmp_path_factory):
    """The page of a certificate, read once for all that is asked of it."""
    return Page(read(write_report(tmp_path_factory.mktemp("paged") / "report.html", paged)))


def read(path):
    return path.read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_stands_alone(written):
    text = read(written)
    page = Page(text)
    assert not page.faults
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.tags
    inner = [link for link in page.links if not link.startswith(EMBEDDED)]
    assert all(link.startswith("#") and link[1:] in page.ids for link in inner)
    assert not re.search(r"https?:", text)
    assert not re.search(r"@import|url\((?!#)", text)
    references = re.findall(r"url\(#([^)]+)\)", text)
    assert references
    assert set(references) <= set(page.ids)


def test_every_kind_of_certificate_has_a_page(paged, page_of):
    certificate, page = paged, page_of
    assert not page.faults
    assert len(page.ids) == len(set(page.ids))
    assert str(certificate.factor if certificate.system.dt else certificate.rate) in page.text
    assert certificate.digest in page.text
    assert "NOT PROVED" not in page.text
    for value in certificate.multipliers.values():
        assert str(value) in page.text
    for rows in certificate.storage.values():
        assert all(str(value) in page.text for row in rows for value in row)
    assert not any("?" in label for label in page.labels)
    assert "lyapflow verify FILE" in page.text


def test_the_same_items_give_the_same_bytes(written, items, tmp_path):
    first = written.read_bytes()
    assert write_report(tmp_path / "b.html", *items).read_bytes() == first
    assert b"\r" not in first


def test_settings_of_matplotlib_neither_leak_in_nor_out(written, items, tmp_path):
    import matplotlib as mpl

    first = written.read_bytes()
    with mpl.rc_context({"font.size": 31.0, "axes.facecolor": "black", "mathtext.fontset": "cm"}):
        assert write_report(tmp_path / "b.html", *items).read_bytes() == first
        assert mpl.rcParams["font.size"] == 31.0


def test_everything_of_a_user_is_escaped(heavy_ball, trajectory, tmp_path):
    system = heavy_ball.system
    named = LureSystem(system.A, system.B, system.C, oracles=system.oracles, oracle_names=["f"], name=EVIL)
    certificate = replace(heavy_ball, system=named, versions=((EVIL, EVIL),))
    items = [
        certificate,
        Simulation(certificate, trajectory, EVIL),
        Table(EVIL, [EVIL], [[EVIL], [1.5]]),
        Note(EVIL, EVIL),
        Figure(EVIL, draw, "", EVIL),
    ]
    text = read(write_report(tmp_path / "report.html", *items, title=EVIL))
    page = Page(text)
    assert not page.faults
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert "<script" not in text
    assert EVIL in "".join(page.words)


def test_a_broken_certificate_is_called_not_proved(broken, trajectory, tmp_path):
    page = Page(read(write_report(tmp_path / "report.html", broken, Simulation(broken, trajectory))))
    assert not page.faults
    assert page.text.count("NOT PROVED") >= 4
    assert "Violated: " in page.text
    assert "Theorem" not in page.text
    assert "Settling time, 2 % band" not in page.text
    assert str(broken.transient_bound) not in page.text


def test_a_broken_algorithm_is_called_not_proved(broken_method, iterates, tmp_path):
    page = Page(read(write_report(tmp_path / "report.html", broken_method, Simulation(broken_method, iterates))))
    assert not page.faults
    assert "The claim of contraction with factor 1/2 is not proved" in page.text
    assert page.text.count("NOT PROVED") >= 4
    assert "Theorem" not in page.text
    assert "One minus the factor" not in page.text


def test_the_table_of_claims_says_what_each_is_about(certificates, tmp_path):
    flow, method = certificates["gradient"], certificates["gradient-descent"]
    pages = [Page(read(write_report(tmp_path / "r.html", *items))).text for items in ([flow], [method], [flow, method])]
    assert "Claim: exponential decay with rate" in pages[0]
    assert "Claim: contraction with factor" in pages[1]
    assert "9/11 ≈ 0.818182" in pages[1]
    assert "exponential decay with rate 1/3" in pages[2]
    assert "contraction with factor 9/11 ≈ 0.818182" in pages[2]
    assert "≤ 20 steps" in pages[2]


@pytest.mark.parametrize("change", ["value", "missing", "extra"])
def test_no_edit_of_the_unknowns_is_printed_as_proved(heavy_ball, change, tmp_path):
    values = dict(heavy_ball.unknowns)
    if change == "value":
        values["decrease: f interpolation(t,*)"] += 1
    elif change == "missing":
        del values["P[0,0]"]
    else:
        values["<b>more</b>"] = Fraction(1)
    page = Page(read(write_report(tmp_path / "r.html", replace(heavy_ball, unknowns=tuple(values.items())))))
    assert not page.faults
    assert "NOT PROVED" in page.text
    assert "Theorem" not in page.text


def test_a_bracket_adds_its_witness_and_prints_the_certificate_once(certificates, tmp_path):
    found = bracket(certificates["gradient"].system)
    page = Page(read(write_report(tmp_path / "report.html", found.certificate, found)))
    assert page.text.count("How to verify this again") == 1
    assert str(found.witness) in page.text
    assert "No larger rate holds than" in page.text


def test_a_false_witness_is_refused(certificates, tmp_path, monkeypatch):
    certificate = certificates["gradient"]
    witness = Witness(slopes=((Fraction(1, 4), Fraction(0)),), oracle_names=("f",), rate=Fraction(1, 4))
    found = Bracket(certificate=certificate, witness=witness)
    with pytest.raises(InvalidModelError, match="witness must belong to the classes"):
        write_report(tmp_path / "report.html", found)
    assert not (tmp_path / "report.html").exists()
    # Behind that check stands a second one, for a fault in the checker itself.
    monkeypatch.setattr("lyapflow.search.witness.check_witness", lambda system, witness: True)
    page = Page(read(write_report(tmp_path / "report.html", found)))
    assert "CONTRADICTION" in page.text
    assert "NOT PROVED" in page.text


def test_a_false_factor_is_a_contradiction(certificates, tmp_path, monkeypatch):
    certificate = certificates["gradient-descent"]
    wrong = {"slopes": ((Fraction(10), Fraction(0)),), "oracle_names": ("f",), "factor": Fraction(9, 10)}
    found = Bracket(certificate=certificate, witness=Witness(**wrong))
    with pytest.raises(InvalidModelError, match="witness must belong to the classes"):
        write_report(tmp_path / "report.html", found)
    monkeypatch.setattr("lyapflow.search.witness.check_witness", lambda system, witness: True)
    page = Page(read(write_report(tmp_path / "report.html", found)))
    assert "A concrete member decays more slowly than the claimed factor" in page.text
    assert "NOT PROVED" in page.text


def test_planar_systems_have_a_phase_portrait(certificates, tmp_path):
    planar = read(write_report(tmp_path / "a.html", certificates["heavy ball"]))
    scalar = read(write_report(tmp_path / "b.html", certificates["gradient"]))
    assert "Phase portraits" in planar
    assert planar.count('class="figure"') == 1
    assert "Phase portraits" not in scalar
    assert scalar.count('class="figure"') == 0


def test_simulations_are_drawn_beside_their_bounds(heavy_ball, trajectory, tmp_path):
    page = Page(read(write_report(tmp_path / "report.html", Simulation(heavy_ball, trajectory, "Run"))))
    assert page.tags.count("figure") == 4  # the portrait, V, the distance, the plane
    assert "How to verify this again" in page.text  # the certificate is printed with it
    assert str(heavy_ball.settling_time()) in page.text


def test_runs_of_an_algorithm_are_drawn_against_steps(triple_momentum, iterates, tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    labels = []
    monkeypatch.setattr(Axes, "set_xlabel", lambda axes, text: labels.append(text))
    page = Page(read(write_report(tmp_path / "report.html", Simulation(triple_momentum, iterates, "Run"))))
    assert not page.faults
    assert page.tags.count("figure") == 4  # the portrait, V, the distance, the plane
    assert labels.count("step $k$") == 2
    assert "k from 0 to 30" in page.text
    assert "there the step of the state has norm" in page.text
    assert "level sets of the quadratic part of V" not in page.text  # V depends on the output too
    assert f"≤ {triple_momentum.settling_time()} steps" in page.text


def test_level_sets_of_an_algorithm_are_those_of_its_storage_function(triple_momentum):
    """V of the figure against V of the simulation, which reads the certificate by itself."""
    from lyapflow.members import SquaredNorm
    from lyapflow.report.figures import _storage_form, close_loop
    from lyapflow.simulation import simulate

    slope = Fraction(4)
    path = simulate(triple_momentum.system, [SquaredNorm(slope)], [[1.0], [0.5]], 12)
    form = _storage_form(triple_momentum, triple_momentum.system, (slope,))
    x = path.x[:, :, 0]
    assert np.einsum("ki,ij,kj->k", x, form, x) == pytest.approx(path.storage(triple_momentum), rel=1e-6)
    assert x[1:] == pytest.approx(x[:-1] @ close_loop(triple_momentum.system, (slope,))[0].T, rel=1e-9)


def test_an_algorithm_that_is_done_after_one_step(certificates, tmp_path):
    from lyapflow.members import SquaredNorm
    from lyapflow.simulation import simulate

    certificate = certificates["gradient descent, factor 0"]
    path = simulate(certificate.system, [SquaredNorm(4)], [3.0], 4)
    page = Page(read(write_report(tmp_path / "report.html", Simulation(certificate, path))))
    assert not page.faults
    assert "≤ 1 step" in page.text


def test_without_an_upper_bound_there_is_no_distance_bound(certificates, tmp_path):
    from lyapflow.members import QuadraticFunction
    from lyapflow.simulation import simulate

    certificate = certificates["heavy ball, nonsmooth"]
    member = QuadraticFunction(np.diag([1.0, 4.0]))
    path = simulate(certificate.system, [member], np.ones((2, 2)), (0, 3))
    page = Page(read(write_report(tmp_path / "report.html", Simulation(certificate, path))))
    assert "proved bound" in page.text
    assert "Distance from the equilibrium" not in page.text
    assert "Settling time, 2 % band" not in page.text


def test_a_trajectory_of_another_system_is_refused(certificates, trajectory, tmp_path):
    with pytest.raises(InvalidModelError):
        write_report(tmp_path / "report.html", Simulation(certificates["sector"], trajectory))
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("item", ["text", 3, None])
def test_other_items_are_refused(item, tmp_path):
    with pytest.raises(InvalidModelError, match="a report is made of"):
        write_report(tmp_path / "report.html", item)


def test_an_empty_report_is_refused(tmp_path):
    with pytest.raises(InvalidModelError, match="at least one"):
        write_report(tmp_path / "report.html")


def test_the_page_carries_the_certificate_as_a_file(paged, page_of, tmp_path):
    certificate, page = paged, page_of
    (link,) = [link for link in page.links if link.startswith(EMBEDDED)]
    (tmp_path / "certificate.json").write_bytes(b64decode(link.removeprefix(EMBEDDED)))
    assert verify(tmp_path / "certificate.json").proved
    assert load(tmp_path / "certificate.json") == certificate


def test_pyplot_is_not_needed():
    import subprocess
    import sys

    code = "import sys, lyapflow.report; assert not {'matplotlib', 'jinja2', 'cvxpy', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
