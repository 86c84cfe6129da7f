"""The help of a command: what it does, examples as they are, and a line for each of its own flags."""

import pathlib
import re

import pytest
from absl import flags

from termwise.cli import help

SCRIPTS = pathlib.Path(help.__file__).parents[1]

SHOWN = """\
Does something that takes many words to say, so that they
are wrapped.

  termwise something --workdir=runs/a_long_name/of/a/folder/that/is/not/wrapped

arguments: the folders of runs

flags:
  --workdir=...           The run's folder. It is only read.
                          (required)
  --steps=N               How many. (default: 3)
  --format=keras|onnx|saved_model
                          As what.
  --gin_file=...          Repeat for several.
  --debug                 Shows a traceback.

--helpfull lists the flags of libraries too."""


@pytest.fixture
def defined():
    """Flags of each kind."""
    values = flags.FlagValues()
    flags.DEFINE_string("workdir", None, "The run's folder. It is only read.", flag_values=values, required=True)
    flags.DEFINE_integer("steps", 3, "How many.", flag_values=values)
    flags.DEFINE_enum("format", None, ["keras", "onnx", "saved_model"], "As what.", flag_values=values)
    flags.DEFINE_multi_string("gin_file", [], "Repeat for several.", flag_values=values)
    flags.DEFINE_bool("debug", False, "Shows a traceback.", flag_values=values)
    return [values[name] for name in ("workdir", "steps", "format", "gin_file", "debug")]


def test_each_flag_has_its_value_its_meaning_and_its_default_within_the_width(defined):
    doc = """Does something that takes many words to say, so that they are wrapped.

termwise something --workdir=runs/a_long_name/of/a/folder/that/is/not/wrapped
"""
    assert help.text(doc, defined, arguments="the folders of runs", width=60) == SHOWN


@pytest.mark.parametrize("given", [["--help"], ["-h"], ["--workdir=x", "-?"], ["--helpshort"]])
def test_help_is_asked_for(given):
    assert help.is_asked(given)


@pytest.mark.parametrize("given", [[], ["--helpfull"], ["--workdir=--help"], ["--workers=2", "--", "--help"]])
def test_help_is_not_asked_for(given):
    assert not help.is_asked(given)


def test_every_command_has_two_examples():
    for path in SCRIPTS.glob("[!_]*.py"):
        doc = path.read_text().split('"""')[1]
        assert len(re.findall(rf"^termwise {path.stem}\b", doc, re.MULTILINE)) >= 2, path.stem
