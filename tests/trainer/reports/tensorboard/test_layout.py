"""Layout: each chart has exactly its tags, whatever terms are called, and runs of other terms join in."""

import re

from trainer.reports.tensorboard.layout import layout_of

TAGS = [
    "loss/total",
    "all terms/1 weighted",
    "all terms/1 weighted too",
    "terms/a/weighted",
    "terms/a.b/weighted",
    "terms/a/part/weighted",
    "terms/axb/weighted",
    "cosines/a/axb",
    "cosines/axb/a.b",
    "cosines/a.b/a/encoder",
]


def charts(terms, **settings):
    """The tags that each chart shows, by its category and title."""
    return {
        (category.title, chart.title): [tag for tag in TAGS if re.match(chart.multiline.tag[0], tag)]
        for category in layout_of(terms, **settings).category
        for chart in category.chart
    }


def test_a_name_is_no_pattern_and_no_part_of_a_tag():
    found = {title: tags for (_, title), tags in charts(["a", "a.b"]).items() if tags}
    assert found == {
        "weighted terms and their total": ["loss/total", "all terms/1 weighted"],
        "total": ["loss/total"],
        "a": ["terms/a/weighted"],
        "a.b": ["terms/a.b/weighted"],
        "cosines of a with the others": ["cosines/a/axb"],
        "cosines of a.b with the others": ["cosines/axb/a.b"],
    }


def test_runs_of_different_terms_have_the_same_categories_and_differ_in_charts_of_single_terms():
    ours, others = charts(["a"]), charts(["axb"])
    assert {category for category, _ in ours} == {category for category, _ in others}
    single = {title for _, title in ours.keys() ^ others.keys()}
    assert single == {"a", "axb", "cosines of a with the others", "cosines of axb with the others"}


def test_without_runs_of_terms_all_terms_are_on_one_chart_by_their_own_tags():
    found = {title: tags for (_, title), tags in charts(["a"], term_runs=False).items() if tags}
    assert found["weighted terms and their total"] == [
        "loss/total",
        "terms/a/weighted",
        "terms/a.b/weighted",
        "terms/axb/weighted",
    ]
    assert found["a"] == ["terms/a/weighted"]
    assert "share of each term of the total" not in found
