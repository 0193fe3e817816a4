"""The site: ``make docs`` writes docs/_build/html, runs every cell and takes warnings for errors."""

import os
import sys
from pathlib import Path

from docutils import nodes
from myst_nb.core import render
from sphinx.ext import autosummary

import rbmflow

autosummary.WELL_KNOWN_ABBREVIATIONS += ("eq.", "sec.")  # they end no sentence

HERE = Path(__file__).parent

project = "rbmflow"
author = "the rbmflow developers"
copyright = "the rbmflow developers, BSD-3-Clause"
version = release = rbmflow.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # MathJax from the site itself: formulas without a network
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "rbmflow"
html_static_path = ["_static"]
html_css_files = ["rbmflow.css"]
html_show_sourcelink = False
ALONE = "index tutorial tour gallery verdicts papers benchmarks comparison glossary development"
html_sidebars = {page: [] for page in ALONE.split()}  # pages with none beneath them
html_theme_options = {
    "logo": {"text": "rbmflow"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

myst_enable_extensions = ["amsmath", "attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Cells run in a folder of their own, where a warning that a cell causes is an error and so is an exception.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_merge_streams = True
os.environ["PYTHONWARNINGS"] = "error:::__main__"
os.environ["RBMFLOW_DOCS"] = str(HERE)  # where cells find the data beside their page
os.environ["COLUMNS"] = "96"  # what a page holds on a desk
os.environ["MATPLOTLIBRC"] = str(HERE / "matplotlibrc")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def coalesce_streams(outputs):
    """Join what a cell prints: its parts may end within a line, where MyST-NB would begin a new one."""
    joined, streams = [], {}
    for output in outputs:
        name = output.get("name") if output["output_type"] == "stream" else None
        if name in streams:
            streams[name]["text"] += output["text"]
            continue
        joined.append(output)
        if name is not None:
            streams[name] = output
    return in_lines(joined)


in_lines, render.coalesce_streams = render.coalesce_streams, coalesce_streams


def name_shells(_app, doctree):
    """Show a cell of the shell, which begins with %%bash, without that line and in the shell's colours."""
    for block in doctree.findall(nodes.literal_block):
        if block.astext().startswith("%%bash\n"):
            block.children = [nodes.Text(block.astext().removeprefix("%%bash\n"))]
            block.rawsource = block.astext()
            block["language"] = "bash"


def leave_out(_app, _what, _name, member, skip, _options):
    """Leave out what a class has from another package, such as the methods of scikit-learn's estimators."""
    module = getattr(member, "__module__", None) or "rbmflow"
    return skip or not module.startswith("rbmflow")


def setup(app):
    """Connect what is above."""
    app.connect("autodoc-skip-member", leave_out)
    app.connect("doctree-read", name_shells)
