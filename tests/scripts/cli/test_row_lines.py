"""Row lines: nothing of a table is lost where its rows are lines."""

from rich.table import Table
from rich.text import Text

from termwise.cli.row_lines import row_lines


def test_a_single_value_is_beside_its_name_and_several_are_below_without_the_empty_ones():
    single = Table("of what", "size")
    single.add_row("weights", "872 B")
    assert [*row_lines(single)] == ["weights: 872 B"]
    several = Table("key", "  read by  ", "type")
    several.add_row("inputs", "the model,\nsmooth", "float32")
    several.add_section()
    several.add_row(Text("outputs"), "", Text(" 0.5 ★"))
    assert [*row_lines(several)] == [
        *("inputs", "  read by: the model, smooth", "  type: float32"),
        *("outputs", "  type: 0.5 ★"),
    ]
