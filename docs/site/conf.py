"""Settings of Sphinx. Warnings are errors; nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

import docstrings  # noqa: E402
import inventories  # noqa: E402

project = "fusiontheory"
author = "The fusiontheory authors"
copyright = author
version = release = inventories.own_version(ROOT)
root_doc = "index"

extensions = [
    "myst_parser",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
    "sphinx_gallery.gen_gallery",
]

# Pages
myst_enable_extensions = ["colon_fence", "dollarmath", "fieldlist"]
myst_heading_anchors = 4
# Single words in backticks are arguments, and several classes may have one of that name.
suppress_warnings = ["config.cache", "ref.python"]
exclude_patterns = ["gallery"]
html_theme = "pydata_sphinx_theme"
html_title = "fusiontheory"
html_sidebars = {"docs/five_minutes": []}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_theme_options = {
    "logo": {"text": "fusiontheory"},
    "show_prev_next": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# API reference
default_role = "py:obj"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
autodoc_default_options = {"exclude-members": "set_score_request, set_fit_request"}
intersphinx_mapping = inventories.mapping(ROOT / "build" / "site" / "inventories")

# Examples: scripts that are run by the build and become pages and notebooks
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "notebooks",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("scraper",),
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"Picture|Figure",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 1e9,
    "show_memory": False,
    "write_computation_times": False,
}


def setup(app: Sphinx) -> None:
    """Have docstrings read as they are meant: bars are lengths, tables are Markdown's."""
    app.connect("autodoc-process-docstring", docstrings.mend, priority=400)
