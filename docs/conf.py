"""Sphinx configuration of the lyapflow documentation."""

import os
import tempfile
from importlib.metadata import version as find_version

from docutils import nodes
from latex2mathml.converter import convert

project = "lyapflow"
author = "The lyapflow developers"
copyright = "The lyapflow developers"
release = find_version("lyapflow")
version = release

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "jupyter_execute",
    "**.ipynb_checkpoints",
    # What the gallery writes beside its pages: myst-nb would run the notebooks a second time.
    "gallery/*.ipynb",
    "gallery/*.py",
    "gallery/*.zip",
]
default_role = "py:obj"
nitpicky = False

html_theme = "furo"
html_title = f"lyapflow {release}"
html_show_copyright = False
html_math_renderer = "mathml"

# Pages with code cells run from top to bottom; an error in a cell is an error of the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc sections say the types
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# The case studies are a gallery: each script runs with its quick settings and ends in assertions.
os.environ["LYAPFLOW_QUICK"] = "1"
os.environ["LYAPFLOW_OUTPUT"] = tempfile.mkdtemp(prefix="lyapflow-gallery-")  # reports of the studies
_STUDIES = (
    "accelerated_splitting",
    "affine_relu",
    "deep_linear_networks",
    "dispatch_118",
    "elastic_net_diabetes",
    "feedback_optimization",
    "finite_time",
    "homogeneous_networks",
    "kl_natural_gradient",
    "large_steps",
    "logistic_breast_cancer",
    "matrix_factorization",
    "neural_feature_ansatz",
    "related_papers",
    "shallow_relu",
    "sparse_attention",
)
_NAMES = "|".join(_STUDIES)
sphinx_gallery_conf = {
    "examples_dirs": ["../case_studies"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": rf"[/\\]({_NAMES})\.py$",
    "ignore_pattern": rf"^(?!({_NAMES})\.py$)",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "plot_gallery": True,
    "min_reported_time": 1e9,
    "write_computation_times": False,
}


def _keep_readme_files(app):
    """A README.md is for those who browse the folder: only GALLERY_HEADER.rst opens a gallery section."""
    app.config.sphinx_gallery_conf["source_suffix"] = {".rst": "restructuredtext"}


# Formulas are MathML, which browsers set by themselves: the pages need no script and no network.


def _write_inline(translator, node):
    translator.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def _write_block(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(convert(node.astext(), display="block") + "</div>")
    raise nodes.SkipNode


def setup(app):
    # After sphinx-gallery has copied the source suffixes (priority 10), before it writes the gallery (500).
    app.connect("builder-inited", _keep_readme_files, priority=100)
    app.add_html_math_renderer("mathml", inline_renderers=(_write_inline, None), block_renderers=(_write_block, None))
