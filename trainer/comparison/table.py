"""Table: a comparison as cells of text, a column for each group of runs, for terminals, files and pages."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from objectives.quantities import quantity as counted
from trainer.comparison.cells import ABSENT, BEST, UNCLEAR, UNLIKE, Cell, cells_of
from trainer.comparison.comparison import Comparison, number
from trainer.comparison.groups import Group
from trainer.comparison.run_settings import Kind, is_of_layers
from trainer.running.workdir import FORMER

_EARLIER = "*"
_ELSEWHERE = (
    f"{_EARLIER} evaluated at an earlier step than others, so that the values differ by the training in between, too"
)
# Of models that differ in more than so many settings, only the number of layers is told.
_LAYERS = 6
_SECTIONS = {"loss": "{split}, raw terms", "metrics": "{split}, metrics", "measures": "what was learned"}
_SPLITS = {"eval": "evaluation", "train": "training"}


@dataclasses.dataclass(frozen=True)
class Section:
    """Rows of a table that belong together.

    Attributes:
      title: what they are about.
      rows: the cells of each row by the name of the row, a cell a group.
      may_be_cut: whether long texts may be shortened where there is little space, as of settings; numbers are not.
    """

    title: str
    rows: Mapping[str, Sequence[Cell]]
    may_be_cut: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """A comparison as text.

    Attributes:
      columns: the names of the groups.
      sections: the rows.
      notes: what the marks mean, and what has to be known besides, a sentence each.
    """

    columns: Sequence[str]
    sections: Sequence[Section]
    notes: Sequence[str]


def table_of(comparison: Comparison) -> Table:
    """Returns a comparison as text: how far the runs are, what differs in their settings, then their values."""
    sections = [Section("runs", _progress(comparison)), *_settings(comparison), *_values(comparison)]
    return Table([group.name for group in comparison.groups], sections, [*_notes(comparison, sections)])


def _progress(comparison: Comparison) -> dict[str, list[Cell]]:
    groups, runs = comparison.groups, comparison.runs
    members = [[runs[i] for i in group.members] for group in groups]
    records = [[comparison.records[i] for i in group.members] for group in groups]
    steps = [record.step for own in records for record in own if record]
    where = "evaluated at step" if comparison.split == "eval" else "last logged at step"
    rows = {
        "status": [Cell(_counted([run.status for run in own])) for own in members],
        "steps": [
            Cell(_counted([f"{run.done:,}" + ("" if run.steps is None else f" of {run.steps:,}") for run in own]))
            for own in members
        ],
        where: [Cell(_range([record.step for record in own if record], max(steps, default=0))) for own in records],
    }
    if any(group.seeds or len(group.members) > 1 for group in groups):
        rows = {"runs": [Cell(group.size) for group in groups], **rows}
    for tag in dict.fromkeys(run.best.tag for run in runs if run.best):
        best = [[run.best for run in own if run.best and run.best.tag == tag] for own in members]
        rows[f"best {tag}"] = [
            Cell(_range_of([one.value for one in own], [one.step or 0 for one in own])) for own in best
        ]
    return rows


def _settings(comparison: Comparison) -> Iterator[Section]:
    found = comparison.settings_of_groups
    layers = [setting for setting in found if is_of_layers(setting)]
    hidden = {*layers} if len(layers) > _LAYERS else set()
    rows = {
        setting.name: [Cell(ABSENT if text is None else text) for text in texts]
        for setting, texts in found.items()
        if setting not in hidden
    }
    if hidden:
        rows[f"model ({len(hidden)} settings)"] = [Cell(_layers(comparison, group)) for group in comparison.groups]
    if rows:
        yield Section("settings that differ", rows, may_be_cut=True)


def _layers(comparison: Comparison, group: Group) -> str:
    """Returns how many layers the model of a group has."""
    names = [setting.name for setting in comparison.settings[group.first].texts if setting.kind == Kind.MODEL]
    return counted(sum(name.count(".") == 1 for name in names), "layer")


def _values(comparison: Comparison) -> Iterator[Section]:
    rows: dict[str, dict[str, list[Cell]]] = {}
    for quantity in comparison.quantities:
        kind = "loss" if quantity.kind == "terms" else quantity.kind
        rows.setdefault(kind, {})[quantity.name] = cells_of(comparison, quantity)
    for kind, own in rows.items():
        yield Section(_SECTIONS[kind].format(split=_SPLITS[comparison.split]), own)


def _notes(comparison: Comparison, sections: Sequence[Section]) -> Iterator[str]:
    yield from comparison.remarks
    cells = [cell for section in sections for row in section.rows.values() for cell in row]
    if any(cell.change for cell in cells):
        marks = f"changes are those from {comparison.groups[0].name}"
        marks += (
            f"; {BEST} is the best, where it is known whether lower or higher is"
            if any(c.is_best for c in cells)
            else ""
        )
        yield marks
    if any(len(group.members) > 1 for group in comparison.groups):
        unclear = any(cell.change.startswith(UNCLEAR) for cell in cells)
        yield "± is the standard deviation over the runs of one configuration" + (
            f"; {UNCLEAR} is a change that is no larger" if unclear else ""
        )
    yield from _unlike(comparison)
    if any(cell.text.endswith(_EARLIER) for row in sections[0].rows.values() for cell in row):
        yield _ELSEWHERE
    for name, folder, settings in zip(comparison.names, comparison.folders, comparison.settings, strict=True):
        if not settings.is_recorded:
            yield f"the settings of {name} are not recorded in its folder, so that others may differ too"
        if (folder / FORMER).exists():
            yield f"{name} was resumed with another configuration; its earlier ones are in its folder {FORMER}"


def _unlike(comparison: Comparison) -> Iterator[str]:
    """Yields a sentence for each reason why values stand beside one another that are not of the same quantity."""
    first = comparison.groups[0]
    reasons: dict[str, dict[str, None]] = {}
    for quantity in comparison.quantities:
        for group in comparison.groups[1:]:
            values = [comparison.statistic(one, quantity) for one in (first, group)]
            if all(values) and (reason := comparison.obstacle(group, first, quantity)):
                reasons.setdefault(reason, {})[quantity.name] = None
    for reason, names in reasons.items():
        yield f"{UNLIKE} not the same quantity: {', '.join(names)} ({reason})"


def _counted(texts: Sequence[str]) -> str:
    """Returns texts that are the same once, others with how often each occurs.

    >>> _counted(["finished", "finished"]), _counted(["finished", "stopped", "finished"])
    ('finished', '2 finished, 1 stopped')
    """
    counts = {text: texts.count(text) for text in dict.fromkeys(texts)}
    return texts[0] if len(counts) == 1 else ", ".join(f"{count} {text}" for text, count in counts.items())


def _range(steps: Sequence[int], latest: int) -> str:
    if not steps:
        return ABSENT
    first, last = min(steps), max(steps)
    return f"{first:,}{'' if first == last else f' to {last:,}'}{f' {_EARLIER}' if first < latest else ''}"


def _range_of(values: Sequence[float], steps: Sequence[int]) -> str:
    """Returns the best values of the runs of a group, and where they were."""
    if not values:
        return ABSENT
    told = [number(one) for one in (min(values), max(values))]
    return f"{' to '.join(dict.fromkeys(told))} at step {_range(steps, 0)}"
