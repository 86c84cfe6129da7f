"""The gallery as a page: what the terms of each task bought, as a table over seeds, and a picture."""

import datetime
import inspect
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from termwise.benchmarks import machine
from termwise.cli.over_seeds import paired_p, spread
from termwise.cli.task_pairs import WITH, WITHOUT, Pair

# Below this a difference over the seeds is called one.
SIGNIFICANT = 0.05


def gallery_page(found: Mapping[str, Sequence[Pair]], asked: str, pictures: pathlib.Path) -> str:
    """Returns the page in Markdown.

    Args:
      found: the pairs of runs of each task, one for each seed.
      asked: the command that was run.
      pictures: the folder of the pictures, beside which the page lies.
    """
    seeds = max(len(pairs) for pairs in found.values())
    comparisons = sum(len(pairs[0].with_terms) * (1 + len(pairs[0].lacking)) for pairs in found.values())
    head = (
        f"# Tasks\n\nMade by `{asked}` on {datetime.date.today()}, on {machine.description()}. Each task is trained by "
        f"{seeds} seeds, of its data, its first weights and the order of its examples, once with all of its terms and "
        f"once as `NAME_plain.gin` has it: the same model, the same data, the same steps, with the weights of the "
        f"regularising terms at 0 and, where the data term weighs mistakes by their cost, without these costs. Numbers "
        f"are means ± standard deviations over the seeds; p is that of a paired t-test of both, and where it is above "
        f"{SIGNIFICANT:g} the seeds do not tell them apart. Bold are differences that they tell, for better or for "
        f"worse. No measure is left out. Were no term to change anything, about {SIGNIFICANT * comparisons:.0f} of the "
        f"{comparisons} comparisons would be in bold by chance."
    )
    return "\n\n".join([head, *(_part(name, pairs, pictures) for name, pairs in found.items())]) + "\n"


def _part(name: str, pairs: Sequence[Pair], pictures: pathlib.Path) -> str:
    task = pairs[0].task
    first, *others = (inspect.getdoc(task) or "").split("\n\nAttributes:")[0].split("\n\n")
    about = "\n\n".join(text.replace("\n", " ") for text in [first, *others] if not text.startswith("Keys:"))
    shown = [f"![{name}]({file.relative_to(pictures.parent)})" for file in pairs[0].pictures]
    terms = ", ".join(f"`{term}` by {weight}" for term, weight in pairs[0].terms.items())
    run = f"    termwise train --gin_file={name}.gin --workdir=runs/{name}"
    return "\n\n".join([f"## {task.__name__}", about, *shown, _table(pairs), *_lacking(pairs), f"Terms: {terms}.", run])


def _lacking(pairs: Sequence[Pair]) -> list[str]:
    """Returns the table of the runs that each lack one term, if there are any."""
    names = [*pairs[0].lacking]
    if not names:
        return []
    lines = [
        f"| measure | {WITH} |{''.join(f' without `{name}` |' for name in names)}",
        "|---" * (2 + len(names)) + "|",
    ]
    for measure in pairs[0].with_terms:
        full = np.array([pair.with_terms[measure] for pair in pairs])
        lacking = [np.array([pair.lacking[name][measure] for pair in pairs]) for name in names]
        cells = [spread(full), *(_marked(spread(one), paired_p(full, one)) for one in lacking)]
        lines.append(f"| {measure} | {' | '.join(cells)} |")
    said = "All terms but one, in bold where the seeds tell it from the run with all:"
    return [said, "\n".join(lines)]


def _table(pairs: Sequence[Pair]) -> str:
    lines = [f"| measure | {WITHOUT} | {WITH} | difference | p |", "|---|---|---|---|---|"]
    for measure in pairs[0].with_terms:
        without, with_terms = (
            np.array([side[measure] for side in sides])
            for sides in ([pair.without for pair in pairs], [pair.with_terms for pair in pairs])
        )
        p = paired_p(without, with_terms)
        difference = _marked(spread(with_terms - without), p)
        lines.append(f"| {measure} | {spread(without)} | {spread(with_terms)} | {difference} | {p:.2g} |")
    return "\n".join(lines)


def _marked(text: str, p: float) -> str:
    """Returns a text in bold where the seeds tell a difference."""
    return f"**{text}**" if p < SIGNIFICANT else text
