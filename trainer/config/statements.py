"""Statements: splits the text of a gin file into statements, so that a wrong one does not hide later ones."""

import io
import re
import tokenize
from collections.abc import Iterator
from typing import Any, NamedTuple

import gin
from gin.config_parser import ConfigParser

# A statement is one of gin's: BindingStatement, BlockDeclaration, ImportStatement, IncludeStatement.
Statement = Any


class Wrong(NamedTuple):
    """A statement that could not be read, with the message of gin or Python."""

    error: Exception


def statements(text: str) -> Iterator[tuple[int, Statement]]:
    r"""Yields each statement of a text with the number of the line at which it begins, or where it is wrong.

    >>> [line for line, _ in statements("A = 1\nB = [\nC = 3\n")]
    [1, 2, 3]
    """
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if re.match(r"[A-Za-z_%]", line)]
    begin = 0
    while True:
        wrong = None
        for line, statement in _until_wrong(lines, begin):
            wrong = line if isinstance(statement, Wrong) else None
            yield line, statement
        following = [number for number in starts if wrong is not None and number >= wrong]
        if not following:
            return
        begin = following[0]


def _until_wrong(lines: list[str], begin: int) -> Iterator[tuple[int, Statement]]:
    """Yields the statements from line `begin` (from 0) on, up to the first that is wrong."""
    # Earlier lines are blank, so that gin counts lines as the reader does.
    text = "\n" * begin + "\n".join(lines[begin:]) + "\n"
    line = begin + 1
    try:
        parser: Any = ConfigParser(io.StringIO(text), gin.config.ParserDelegate())
        while True:
            parser._skip_whitespace_and_comments()
            line = parser.current_token.start[0]
            statement = parser.parse_statement()
            if statement is None:
                return
            yield statement.location.line_num, statement
    except (SyntaxError, ValueError, LookupError, NameError, AttributeError, tokenize.TokenError) as error:
        found = _line_of(error, line, lines)
        swallowed = isinstance(error, SyntaxError) and found == line < (error.lineno or line)
        yield found, Wrong(tokenize.TokenError("an open bracket includes the next statement") if swallowed else error)


def _line_of(error: Exception, begin: int, lines: list[str]) -> int:
    """Returns the line of a mistake in the statement that begins at line `begin`; that line if a bracket stays open."""
    found = error.lineno if isinstance(error, SyntaxError) else None
    if found is None or not begin < found <= len(lines) or re.match(r"[A-Za-z_%]", lines[found - 1]):
        return begin
    return found
