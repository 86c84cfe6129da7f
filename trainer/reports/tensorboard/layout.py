"""Layout: the charts of TensorBoard's page Custom Scalars, in three categories."""

import re
from collections.abc import Sequence

from tensorboard.plugins.custom_scalar import layout_pb2

from trainer.reports.tensorboard.term_runs import (
    COSINE,
    GRADIENT_SHARE,
    NORM,
    RAW,
    SHARE,
    SOURCES,
    WEIGHT,
    WEIGHTED,
    tag_of,
)

_TOTAL = "loss/total"


def layout_of(terms: Sequence[str], *, term_runs: bool = True) -> layout_pb2.Layout:
    """Returns charts of all terms, one chart a term, and charts of the gradients.

    TensorBoard shows the charts of several runs side by side, those of the same title and tags once.

    Args:
      terms: the names of the terms.
      term_runs: whether each term is a run of TensorBoard, so that a chart of all terms has a colour for each.
    """
    every, gradients = _of_term_runs() if term_runs else _of_tags()
    single = [_chart("total", re.escape(_TOTAL)), *(_chart(name, _tags("weighted", name)) for name in terms)]
    gradients.append(_chart("norm of the gradient of the total", "optimizer/grad_norm"))
    categories = {
        "all terms, a colour each" if term_runs else "all terms": every,
        "one chart a term, training and evaluation": single,
        "gradients: how large they are, and who is opposed to whom": [*gradients, *map(_pairs, terms)],
    }
    return layout_pb2.Layout(
        category=[layout_pb2.Category(title=title, chart=charts) for title, charts in categories.items()]
    )


def _of_term_runs() -> tuple[list[layout_pb2.Chart], list[layout_pb2.Chart]]:
    """Charts of all terms, and of all their gradients, by the tags that all terms share."""

    def chart(title: str, measure: str, split: str = "train", more: str = "") -> layout_pb2.Chart:
        return _chart(title, re.escape(tag_of(measure, split)) + more)

    return [
        chart("weighted terms and their total", WEIGHTED, more=f"|{_TOTAL}"),
        chart("share of each term of the total", SHARE),
        chart("share of each term of the gradient", GRADIENT_SHARE),
        chart("raw terms", RAW),
        chart("weights", WEIGHT),
        chart("weighted terms in evaluations", WEIGHTED, "eval"),
        chart("raw terms in evaluations", RAW, "eval"),
    ], [
        chart("norm of the gradient of each term", NORM),
        chart("cosine of the gradient of each term with that of the total", COSINE),
    ]


def _of_tags() -> tuple[list[layout_pb2.Chart], list[layout_pb2.Chart]]:
    """The same as far as there are tags, in which the term is named."""
    return [
        _chart("weighted terms and their total", f"{_tags(SOURCES[WEIGHTED])}|{_TOTAL}"),
        _chart("raw terms", _tags(SOURCES[RAW])),
        _chart("weights", _tags(SOURCES[WEIGHT])),
    ], [
        _chart("norm of the gradient of each term", _tags(SOURCES[NORM])),
        _chart("cosine of the gradient of each term with that of the total", _tags(SOURCES[COSINE])),
    ]


def _tags(what: str, name: str | None = None) -> str:
    """Returns a pattern for the tags of a term, or of all."""
    return f"terms/{'[^/]+' if name is None else re.escape(name)}/{what}"


def _pairs(name: str) -> layout_pb2.Chart:
    """A chart of the cosines of a term with each other term, on whichever side of the tag it is."""
    own = re.escape(name)
    return _chart(f"cosines of {name} with the others", f"cosines/{own}/[^/]+|cosines/[^/]+/{own}")


def _chart(title: str, pattern: str) -> layout_pb2.Chart:
    # One pattern, because TensorBoard asks for each pattern in each run by itself.
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=[f"^({pattern})$"]))
