"""Board layout: the charts of TensorBoard's page Custom Scalars, in three categories."""

import re
from collections.abc import Sequence

from tensorboard.plugins.custom_scalar import layout_pb2

from trainer.reports.term_runs import COSINE, GRADIENT_SHARE, NORM, RAW, SHARE, WEIGHT, WEIGHTED, tag_of


def board_layout(terms: Sequence[str]) -> layout_pb2.Layout:
    """Returns charts of all terms in a colour each, one chart a term, and charts of the gradients.

    TensorBoard shows the charts of several runs side by side, those of the same title and tags once.
    """
    every = [
        _chart("weighted terms and their total", tag_of(WEIGHTED), "loss/total"),
        _chart("share of each term of the total", tag_of(SHARE)),
        _chart("raw terms", tag_of(RAW)),
        _chart("weights", tag_of(WEIGHT)),
        _chart("weighted terms in evaluations", tag_of(WEIGHTED, "eval")),
        _chart("raw terms in evaluations", tag_of(RAW, "eval")),
    ]
    single = [_chart("total", "loss/total"), *(_chart(name, f"terms/{name}/weighted") for name in terms)]
    gradients = [
        _chart("norm of the gradient of each term", tag_of(NORM)),
        _chart("share of each term of the gradient", tag_of(GRADIENT_SHARE)),
        _chart("cosine of the gradient of each term with that of the total", tag_of(COSINE)),
        _chart("norm of the gradient of the total", "optimizer/grad_norm"),
        *(_pairs(name) for name in terms),
    ]
    return layout_pb2.Layout(
        category=[
            layout_pb2.Category(title="all terms, a colour each", chart=every),
            layout_pb2.Category(title="one chart a term, training and evaluation", chart=single),
            layout_pb2.Category(title="gradients: who drives, and who is opposed to whom", chart=gradients),
        ]
    )


def _chart(title: str, *tags: str) -> layout_pb2.Chart:
    return _matching(title, "|".join(map(re.escape, tags)))


def _pairs(name: str) -> layout_pb2.Chart:
    """A chart of the cosines of a term with each other term, on whichever side of the tag it is."""
    own = re.escape(name)
    return _matching(f"cosines of {name} with the others", f"cosines/{own}/[^/]+|cosines/[^/]+/{own}")


def _matching(title: str, pattern: str) -> layout_pb2.Chart:
    # One pattern, because TensorBoard asks for each pattern in each run by itself.
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=[f"^({pattern})$"]))
