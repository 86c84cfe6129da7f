"""Templates: nothing that is filled in is taken for markup."""

from trainer.comparison.cells import Cell
from trainer.comparison.table import Section, Table
from trainer.pages.templates import render


def test_names_and_values_are_no_markup():
    table = Table(["<i>a"], [Section("x", {"<b>": [Cell("<script>")]})], ["<p>"])
    text = render("comparison.html", title="<u>", runs="<s>", table=table, best="★")
    for name in ("i>a", "b>", "script>", "u>", "s>"):
        assert f"<{name}" not in text.partition("</style>")[2]
        assert f"&lt;{name.replace('>', '&gt;')}" in text
