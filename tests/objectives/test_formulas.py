"""Formulas: each term and schedule says its own."""

from objectives.formulas import formula_of


def test_without_one_there_is_an_empty_text():
    class Silent:
        """Does something."""

    assert formula_of(Silent) == ""


def test_it_ends_with_its_paragraph():
    class Spoken:
        """Does something.

        Formula: `a +
          b`.

        Attributes:
          a: a number.
        """

    assert formula_of(Spoken) == "`a + b`."
