"""Templates: the HTML files beside this one, and what is filled into all of them."""

import functools
import pathlib
from typing import Any

import jinja2
from markupsafe import Markup


def render(name: str, **values: Any) -> str:
    """Returns a page: a template with values in it, none of which is taken for markup unless it is `Markup`."""
    return _environment().get_template(name).render(**values)


@functools.cache
def resources() -> Markup:
    """Returns the parts of Bokeh that figures need, 1.7 MB."""
    from bokeh.resources import Resources  # here, because it takes a second to load, and a table does without it

    return Markup(Resources(mode="inline", components=["bokeh", "bokeh-widgets"]).render())


@functools.cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(pathlib.Path(__file__).parent)
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
