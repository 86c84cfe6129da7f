"""The tutorials: each has a place in the site, and one that fails or ends in nothing is named."""

import pathlib

import pytest

pytest.importorskip("nbclient", reason="the site is built with the extra `docs`")

import nbformat
import tutorials
from mkdocs.exceptions import PluginError

ROOT = pathlib.Path(__file__).parents[2]


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[*cells])


def code(*data):
    outputs = [nbformat.v4.new_output("display_data", {kind: "..."}) for kind in data]
    return nbformat.v4.new_code_cell("shown", outputs=outputs)


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "tutorials").glob("*.py")), ids=lambda file: file.stem)
def test_each_is_in_the_navigation_and_on_the_front_page(file):
    page = f"tutorials/{file.stem}.md"
    assert page in (ROOT / "mkdocs.yml").read_text()
    assert f"]({page})" in (ROOT / "docs" / "index.md").read_text()


def test_one_without_a_picture_or_a_next_step_is_refused():
    step = nbformat.v4.new_markdown_cell("Next: [terms](terms.md).")
    tutorials.require_ending("good.py", notebook(code("image/png"), step))
    with pytest.raises(PluginError, match="plain.py ends without a picture"):
        tutorials.require_ending("plain.py", notebook(code("image/png"), code("text/plain"), step))
    with pytest.raises(PluginError, match="last.py ends without a link"):
        tutorials.require_ending("last.py", notebook(step, code("image/png")))


def test_colours_that_a_command_prints_are_left_out_and_the_folder_that_is_gone():
    printed = nbformat.v4.new_output("stream", text="\033[1mbest\033[0m in /gone/runs/a\n")
    shown = notebook(nbformat.v4.new_code_cell("!termwise compare a b", outputs=[printed]))
    tutorials.quieten(shown, "/gone")
    assert shown.cells[0].outputs[0].text == "best in runs/a\n"


@pytest.mark.slow
@pytest.mark.parametrize("magic", ["", "# %%capture\n"], ids=["plain", "capture"])
def test_a_cell_that_fails_is_shown_with_the_name_of_its_file(tmp_path, magic):
    (tmp_path / "broken.py").write_text(f"# %%\n{magic}1 / 0\n")
    with pytest.raises(PluginError, match=r"(?s)broken.py fails.*ZeroDivisionError"):
        tutorials.executed(tmp_path / "broken.py")


@pytest.mark.slow
def test_what_commands_of_a_cell_print_is_one_text(tmp_path):
    (tmp_path / "shown.py").write_text("# %%\n# !echo first\n# !echo second\n")
    (cell,) = tutorials.executed(tmp_path / "shown.py").cells
    (output,) = cell.outputs
    assert output.text.splitlines() == ["first", "second"]
