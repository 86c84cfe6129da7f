"""Explanations: turns errors of gin into messages that say what is wrong and what would be right."""

import contextlib
import re
import tokenize
from collections.abc import Iterator

import gin

from objectives import ConfigurationError
from objectives.errors import expected
from trainer.config.mistakes import UnknownName
from trainer.config.registry import configurables, parameters, short


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turns what gin raises as it reads into a ConfigurationError that names the nearest valid name."""
    try:
        yield
    except ConfigurationError:
        raise
    except (ValueError, SyntaxError, TypeError, LookupError, NameError, AttributeError, tokenize.TokenError) as error:
        kind = UnknownName if _unknown_name(error) else ConfigurationError
        raise kind(explain(error) or _first_line(error)) from error


def explain(error: Exception) -> str | None:
    """Returns what is wrong and what would be right, if the words of gin's error say enough, or None."""
    message = str(error)
    if name := _unknown_name(error):
        return unknown(name)
    if found := re.search(r"Configurable '([^']+)' doesn't have a parameter named '([^']+)'", message):
        return f"{found[1]} has no {found[2]!r}; {expected(found[2], parameters(found[1]))}"
    lacking = r"(?s)missing \d+ required .*?arguments?: '(\w+)'.*call to configurable '(\w+)' \((<function)?"
    if found := re.search(lacking, message):
        return _lacking(found[1], found[2], is_function=bool(found[3]))
    if found := re.search(r"No bindings specified for '(?:[^']*/)?(\w+)/gin\.macro'", message):
        macros = [scope for scope, selector in gin.config._CONFIG if selector == "gin.macro"]
        return f"the macro %{found[1]} has no value; {expected(found[1], macros)}"
    text = (error.text or "").strip() if isinstance(error, SyntaxError) else ""
    if isinstance(error, tokenize.TokenError) or text.count("'") % 2 or text.count('"') % 2:
        return "the value does not end: a bracket or a quote is not closed"
    if isinstance(error, SyntaxError) and (name := _unfit_name(text)):
        return (
            f"{name!r} is no name to set; names consist of letters, digits and '_', and begin with no digit, "
            "as in Objective.my_term ('/' stands between a scope and a class, as in my_scope/RangeHinge.weight)"
        )
    if isinstance(error, SyntaxError):
        token = re.search(r"Failed to parse token '([^']*)'", message)
        what = f"{token[1]!r} is not a value" if token else f"{_first_line(error)} at {text!r}"
        return f"{what}; write text in quotes ('l1') and an object as a reference (@RangeHinge())"
    return None


def _unfit_name(text: str) -> str | None:
    """Returns what a binding sets, where gin reads no such name."""
    found = re.match(r"([^=:'\"(\[#]+?)\s*=", text)
    word = r"[^\W\d]\w*"
    return found[1] if found and not re.fullmatch(rf"({word}/)*{word}(\.{word})*", found[1]) else None


def unknown(name: str) -> str:
    """Returns the message for a name that gin does not know."""
    known = [short(full) for full in configurables()]
    return f"there is no {name!r} to configure; {expected(short(name), known)}"


def _lacking(parameter: str, name: str, *, is_function: bool) -> str:
    """Returns the message for a parameter without a value; a function may be meant itself, and not what it returns."""
    itself = f"expected @{name} without brackets, which is the function itself, or " if is_function else "add "
    return f"{name} needs a value for {parameter!r}; {itself}a line such as {name}.{parameter} = ..."


def _unknown_name(error: Exception) -> str | None:
    found = re.search(r"No configurable matching (?:reference )?'@?([^']+?)(?:\(\))?'", str(error))
    return found[1].rpartition("/")[2] if found else None


def _first_line(error: Exception) -> str:
    return (error.msg if isinstance(error, SyntaxError) else str(error)).strip().splitlines()[0].rstrip(".")
