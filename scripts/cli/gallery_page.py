"""The gallery as a page: what the terms of each task bought, as tables over seeds, and a picture."""

import datetime
import inspect
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from termwise.benchmarks import machine
from termwise.cli.over_seeds import holm, paired_p, spread
from termwise.cli.task_pairs import WITH, WITHOUT, Pair

# Below this the corrected p of a difference is one that is told.
SIGNIFICANT = 0.05
_UNTRAINED = "not trained"
# The p of a comparison and whether it is told, by task, by what a run lacks, and by measure.
_Tests = Mapping[tuple[str, str, str], tuple[float, bool]]


def gallery_page(found: Mapping[str, Sequence[Pair]], asked: str, pictures: pathlib.Path) -> str:
    """Returns the page in Markdown.

    Args:
      found: the pairs of runs of each task, one for each seed.
      asked: the command that was run.
      pictures: the folder of the pictures, beside which the page lies.
    """
    p = {
        (name, way, measure): paired_p(_judged(pairs, way, measure), _judged(pairs, WITH, measure))
        for name, pairs in found.items()
        for way in (WITHOUT, *pairs[0].lacking)
        for measure in _measures(pairs[0], way)
    }
    tests = {one: (p[one], corrected < SIGNIFICANT) for one, corrected in zip(p, holm([*p.values()]), strict=True)}
    seeds = max(len(pairs) for pairs in found.values())
    head = (
        f"# Tasks\n\nMade by `{asked}` on {datetime.date.today()}, on {machine.description()}. Each task is trained by "
        f"{seeds} seeds, of its data, its first weights and the order of its examples, once with all of its terms and "
        f"once as `NAME_plain.gin` has it: the same model, the same data, the same steps, with the weights of the "
        f"regularising terms at 0 and, where the data term weighs mistakes by their cost, without these costs. Numbers "
        f"are means ± standard deviations over the seeds.\n\n"
        f"Weights are those of the gin files: chosen by hand when each file was written, and the same since. It is not "
        f"recorded which seeds were looked at for that, these five or others. So a p tells of these files, and not of "
        f"what a term brings by another weight.\n\n"
        f"The p of a table is that of a paired t-test over the seeds, of this one comparison alone; where a number is "
        f"right, it is that of the distances to it. Bold is what is "
        f"told, for better or for worse: a difference whose p, corrected by Holm's method for all {len(p)} comparisons "
        f"of this page together, is below {SIGNIFICANT:g}. So the chance that anything is in bold by chance is below "
        f"{100 * SIGNIFICANT:g} %; but {seeds} seeds tell so little among so many comparisons that a difference "
        f"which is not bold may be real. No measure is left out, but where no term of a run reads the output that it "
        f"judges. Pictures are of seed 0. An arrow says which way a measure gets better: ↑ more, ↓ less, → as near as "
        f"can be to the number behind it."
    )
    return "\n\n".join([head, *(_part(name, pairs, pictures, tests) for name, pairs in found.items())]) + "\n"


def _part(name: str, pairs: Sequence[Pair], pictures: pathlib.Path, tests: _Tests) -> str:
    task = pairs[0].task
    first, *others = (inspect.getdoc(task) or "").split("\n\nAttributes:")[0].split("\n\n")
    about = "\n\n".join(text.replace("\n", " ") for text in [first, *others] if not text.startswith("Keys:"))
    shown = [f"![{name}]({file.relative_to(pictures.parent)})" for file in pairs[0].pictures]
    meanings = "\n".join(f"- `{measure}` {its.sign}: {its.meaning}." for measure, its in task.measures.items())
    terms = ", ".join(f"`{term}` by {weight}" for term, weight in pairs[0].terms.items())
    run = f"    termwise train --gin_file={name}.gin --workdir=runs/{name}"
    tables = [_table(name, pairs, tests), *_lacking(name, pairs, tests)]
    return "\n\n".join([f"## {task.__name__}", about, *shown, meanings, *tables, f"Terms: {terms}.", run])


def _table(name: str, pairs: Sequence[Pair], tests: _Tests) -> str:
    """Returns the table of both runs."""
    lines = [f"| measure | {WITHOUT} | {WITH} | difference | p |", "|---|---|---|---|---|"]
    for measure in pairs[0].with_terms:
        with_terms = _values(pairs, WITH, measure)
        cells = [_UNTRAINED, spread(with_terms), "", ""]
        if (name, WITHOUT, measure) in tests:
            without, (p, is_told) = _values(pairs, WITHOUT, measure), tests[name, WITHOUT, measure]
            cells = [spread(without), spread(with_terms), _marked(spread(with_terms - without), is_told), f"{p:.2g}"]
        lines.append(f"| {_signed(pairs[0], measure)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _lacking(name: str, pairs: Sequence[Pair], tests: _Tests) -> list[str]:
    """Returns the table of the runs that each lack one term, if there are any."""
    ways = [*pairs[0].lacking]
    if not ways:
        return []
    lines = [
        f"| measure | {WITH} |{''.join(f' without `{way}` | p |' for way in ways)}",
        "|---" * (2 + 2 * len(ways)) + "|",
    ]
    for measure in pairs[0].with_terms:
        cells = [_signed(pairs[0], measure), spread(_values(pairs, WITH, measure))]
        for way in ways:
            if (name, way, measure) in tests:
                p, is_told = tests[name, way, measure]
                cells += [_marked(spread(_values(pairs, way, measure)), is_told), f"{p:.2g}"]
            else:
                cells += [_UNTRAINED, ""]
        lines.append(f"| {' | '.join(cells)} |")
    return ["All terms but one, beside the run with all:", "\n".join(lines)]


def _measures(pair: Pair, way: str) -> Mapping[str, float]:
    """Returns the measures of the run with all terms, of the plain one, or of that which lacks a term."""
    return {WITH: pair.with_terms, WITHOUT: pair.without, **pair.lacking}[way]


def _values(pairs: Sequence[Pair], way: str, measure: str) -> np.ndarray:
    """Returns a measure of each seed."""
    return np.array([_measures(pair, way)[measure] for pair in pairs])


def _judged(pairs: Sequence[Pair], way: str, measure: str) -> np.ndarray:
    """Returns what is tested of a measure of each seed: itself, or how far it is from the number that is right."""
    values, right = _values(pairs, way, measure), pairs[0].task.measures[measure].better
    return values if isinstance(right, str) else np.abs(values - right)


def _signed(pair: Pair, measure: str) -> str:
    """Returns the name of a measure with an arrow for the way in which it gets better."""
    return f"{measure} {pair.task.measures[measure].sign}"


def _marked(text: str, is_told: bool) -> str:
    """Returns a text in bold where a difference is told."""
    return f"**{text}**" if is_told else text
