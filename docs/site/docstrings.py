"""How the reference shows docstrings and signatures: examples as code, types alone, settings on a page of their own."""

import re
import textwrap
from typing import Any

import griffe

# A prompt at any depth, and all lines below it up to the first empty one.
_EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).+)*", re.MULTILINE)

# What stands by itself, four spaces in: code, as against the lines of an item.
_CODE = re.compile(r"(?<=\n\n)( {4}\S.*(?:\n+ {4}.*)*)")


class Docstrings(griffe.Extension):
    """Prepares each docstring before its sections are read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Makes a block of code of every example: to Markdown, `>>>` at the start of a line is a quotation."""
        if obj.docstring:
            # The class fills in a line for each setting as it is imported, which nobody does here.
            text = re.sub(r"\n *\{settings\}", "", obj.docstring.value)
            text = re.sub(r"^( *)Formula: ", r"\1**Formula:** ", text, flags=re.MULTILINE)
            text = _CODE.sub(lambda code: f"```python\n{textwrap.dedent(code[1])}\n```", text)
            obj.docstring.value = _EXAMPLE.sub(_fenced, text)

    def on_attribute_instance(self, *, attr: griffe.Attribute, **kwargs: Any) -> None:
        """Shows the type of an attribute alone; of a dataclass it becomes that of a parameter."""
        attr.annotation = _plain(attr.annotation)

    def on_function_instance(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """Shows the types of parameters alone."""
        for parameter in func.parameters:
            parameter.annotation = _plain(parameter.annotation)


def _fenced(example: re.Match[str]) -> str:
    return f"{example[1]}```pycon\n{example[0]}\n{example[1]}```"


def _plain(annotation: Any) -> Any:
    """Returns the type in `Annotated[type, ...]` or `InitVar[type]`: what stands behind it is for programs to read."""
    if isinstance(annotation, griffe.ExprSubscript) and str(annotation.left) in ("Annotated", "InitVar"):
        inside = annotation.slice
        return _plain(inside.elements[0] if isinstance(inside, griffe.ExprTuple) else inside)
    return annotation
