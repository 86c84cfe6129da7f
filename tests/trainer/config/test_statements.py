"""Statements: a text is cut into statements, and all that are wrong are found with their lines."""

import gin
import pytest

from trainer.config.statements import Wrong, statements


def kinds(text):
    return [(line, type(statement).__name__) for line, statement in statements(text)]


def wrong_lines(text):
    return [line for line, statement in statements(text) if isinstance(statement, Wrong)]


def test_each_kind_of_statement_has_its_line():
    text = "# comment\nimport math\ninclude 'a.gin'\n\nRangeHinge:\n  weight = 1\n  max_value = 2\nSTEPS = (1,\n  2)\n"
    assert kinds(text) == [
        (2, "ImportStatement"),
        (3, "IncludeStatement"),
        (5, "BlockDeclaration"),
        (6, "BindingStatement"),
        (7, "BindingStatement"),
        (8, "BindingStatement"),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("RangeHinge.weight = a\nRangeHinge.weight = 1\nRangeHinge.weight 3\n", [1, 3]),
        ("A = [1,\nB = 2\nRangeHinge.weight = b\n", [1, 3]),
        ("A = (1,\n     b)\nC = @RangeHing()\nD = 1", [2, 3]),
        ("A = 'open\nB = 2\n", [1]),
        ("A = 1\n  B = 2\nC = c", [3]),
        ("A = 'x' 3\n$\nB = @\n", [1, 3]),
        ("RangeHinge:\nweight = 1\n", [1]),
        ("A = (((", [1]),
        ("", []),
    ],
)
def test_every_wrong_statement_is_found_and_none_hides_the_next(text, lines):
    assert wrong_lines(text) == lines


def test_what_is_right_behind_a_mistake_is_read():
    found = [statement for _, statement in statements("A = [1,\nB = 2\nC = c\nD = (3,\n 4)\n")]
    assert [one.value for one in found if not isinstance(one, Wrong)] == [2, (3, 4)]


def test_references_are_made_in_the_context_of_a_file():
    with gin.config._parse_scope():
        ((_, statement),) = statements("Trainer.objective = @Objective()")
    assert statement.value.scoped_selector == "Objective"
