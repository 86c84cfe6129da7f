"""Help: what a command does, its examples and its own flags, a line or two each; it imports nothing heavy."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from absl import flags

_ASKED = ("-h", "-help", "--help", "-?", "--?", "-helpshort", "--helpshort")
_LEFT, _WIDEST = 24, 100
# What absl adds to the words about a flag: its values, and that it may be repeated.
_BY_ABSL = re.compile(r"^<[^>]*>: |;\s*repeat this option.*$", re.DOTALL)


def is_asked(given: Sequence[str]) -> bool:
    """Returns whether the arguments of a command ask for help; what follows `--` belongs to another command.

    >>> is_asked(["--workers=2", "--help"]), is_asked(["--", "--help"])
    (True, False)
    """
    own = given[: given.index("--")] if "--" in given else given
    return any(one in _ASKED for one in own)


def text(doc: str, own: Sequence[flags.Flag], *, arguments: str = "", width: int | None = None) -> str:
    """Returns the help of a command.

    Args:
      doc: what it does, and examples.
      own: its flags.
      arguments: what may follow the flags, in words; empty where nothing may.
      width: of the lines; that of the terminal by default.
    """
    width = width or min(shutil.get_terminal_size().columns - 1, _WIDEST)
    parts = [*(_paragraph(part, width) for part in doc.strip().split("\n\n"))]
    if arguments:
        parts.append(f"arguments: {arguments}")
    parts.append("\n".join(["flags:", *(line for flag in own for line in _lines(flag, width))]))
    parts.append("--helpfull lists the flags of libraries too.")
    return "\n\n".join(parts)


def of_command(arguments: str = "") -> str:
    """Returns the help of the command that runs."""
    doc = sys.modules["__main__"].__doc__ or ""
    return text(doc, flags.FLAGS.get_key_flags_for_module(sys.argv[0]), arguments=arguments)


def _paragraph(part: str, width: int) -> str:
    """Returns a paragraph: examples as they are, and indented; prose within the width."""
    if part.startswith("termwise "):
        return textwrap.indent(part, "  ")
    return textwrap.fill(part, width)


def _lines(flag: flags.Flag, width: int) -> Iterator[str]:
    name = f"  --{flag.name}{_value(flag)}"
    meaning = _BY_ABSL.sub("", flag.help or "")
    lines = textwrap.wrap(" ".join([*meaning.split(), *_more(flag)]), max(width - _LEFT - 2, 20))
    if len(name) > _LEFT:
        yield name
        name = ""
    for line in lines:
        yield f"{name:{_LEFT}}  {line}"
        name = ""


def _value(flag: flags.Flag) -> str:
    """Returns what is written behind the name of a flag."""
    if flag.boolean:
        return ""
    if isinstance(flag.parser, flags.EnumParser):
        return f"={'|'.join(flag.parser.enum_values)}"
    return "=N" if isinstance(flag.parser, (flags.IntegerParser, flags.FloatParser)) else "=..."


def _more(flag: flags.Flag) -> Iterator[str]:
    """Yields whether a flag is required, or its default, where that says something."""
    if flag.default is None and flag.validators:
        yield "(required)"
    elif flag.default not in (None, False, [], "") and not isinstance(flag.default, list):
        yield f"(default: {flag.default})"
