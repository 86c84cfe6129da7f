"""What a dry run shows, within the terminal: terms and their gradients, what is read, parameters, memory and time.

Effective weights and gradients are those of the first step, which a trial of it has told.
"""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from objectives import Objective
from objectives.quantities import quantity
from termwise.cli.results import show_judged, show_note, show_table, show_widest
from trainer import Players, Trainer
from trainer.executions.preview import Parameters, Preview, Read
from trainer.reports.history import History
from trainer.reports.log import LogRecord, LogRecords, measured_values, term_names
from trainer.reports.shares import by_player
from trainer.reports.terminal import figures
from trainer.reports.terminal.term_table import ABSENT, table_of, values_of
from trainer.reports.verdicts import ALWAYS_0, OVER, percentage, verdicts

# As many layers as a table shows; the smaller ones of a model that has more are counted together.
_LAYERS = 12
# The most columns of a key or a layer, and of a name in a list, from the widest table on.
_LIMITS = ((1000, 1000), (40, 24), (40, 16), (24, 16), (24, 12), (12, 12))
# The columns and the lines of a list of names.
_LIST, _LINES = 24, 3
_UNITS = ((86400, "day", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def show_preview(trainer: Trainer, values: Mapping[str, float], preview: Preview) -> None:
    """Shows what is known of a run before its first step.

    Args:
      trainer: of the run.
      values: of the terms on the first batch, by tag.
      preview: what the run reads, holds and takes.
    """
    players = tuple(trainer.players.players) if trainer.players else ()
    _show_terms(trainer.objective, players, {**values, **preview.gradients, **preview.own})
    if trainer.balancer:
        show_note(f"factors of the terms by {trainer.balancer}")
    if trainer.players:
        show_table(_players(trainer.players, preview))
    show_widest(_reads(preview, trainer.batch_size))
    show_widest(_parameters(preview.parameters))
    show_table(_memory(preview))
    show_note(_time(trainer, preview))


def _show_terms(objective: Objective, players: Sequence[str], values: Mapping[str, float]) -> None:
    """Shows a row for each term, the words on them, and the metrics."""
    rivals = by_player([*objective.terms], players).values()
    shares = {name: share for own in rivals for name, share in _shares(own, values).items()}
    rows = {name: _cells(values, name, shares.get(name, math.nan)) for name in term_names(values)}
    show_judged("each term on the first batch", values, rows, dict(_words(objective, players, values)))
    for name, value in measured_values(values, "metrics").items():
        show_note(f"{name}: {value:.5g}")


def _cells(values: Mapping[str, float], name: str, share: float) -> dict[str, str]:
    """Returns the cells of a term by column; dashes where its gradient is not known."""
    found = (values.get(f"terms/{name}/{what}") for what in ("effective_weight", "grad_norm", "grad_cosine"))
    effective, norm, cosine = found
    return {
        **values_of(values, name),
        **({} if effective is None else {"effective": figures.precise(effective)}),
        "gradient": ABSENT if norm is None else figures.precise(norm),
        "share": percentage(share),
        "cosine": ABSENT if cosine is None else f"{cosine:.2f}",
    }


def _shares(rivals: Sequence[str], values: Mapping[str, float]) -> dict[str, float]:
    """Returns the share of each gradient in the sum of their norms; nan where one is not finite, none if all are 0."""
    tags = {name: f"terms/{name}/grad_norm" for name in rivals}
    norms = {name: values[tag] for name, tag in tags.items() if tag in values}
    total = sum(norms.values())
    return {name: norm / total for name, norm in norms.items()} if total else {}


def _words(objective: Objective, players: Sequence[str], values: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Yields each term of which something is to be said, and what."""
    history = History(2)
    history.add(LogRecords.of(LogRecord("train", 1, values)))
    for verdict in verdicts(history, [*objective.terms], players, measurements=1):
        norm = values.get(f"terms/{verdict.name}/grad_norm")
        if not values[f"terms/{verdict.name}/weight"]:
            is_scheduled = objective.terms[verdict.name].optimised
            yield verdict.name, "weight 0 at this step" if is_scheduled else "weight 0: only measured"
        elif norm is not None and not math.isfinite(norm):
            yield verdict.name, "its gradient is not finite"
        elif verdict.words:
            yield verdict.name, ", ".join(_on_a_batch(word) for word in verdict.words)


def _on_a_batch(word: str) -> str:
    """Returns what is said of a run as what one batch tells.

    >>> _on_a_batch("fights border"), _on_a_batch("0 in all steps"), _on_a_batch("idle")
    ('opposes border on this batch', '0 on this batch', 'idle')
    >>> _on_a_batch("over its limit by 0.5")
    'over its limit by 0.5 on this batch'
    """
    if word.startswith(OVER):
        return f"{word} on this batch"
    if word.startswith("fights "):
        return f"opposes {word.removeprefix('fights ')} on this batch"
    return "0 on this batch" if word == ALWAYS_0 else word


def _players(players: Players, preview: Preview) -> Table:
    """Returns a table of who updates what, in the order in which they do."""
    table = table_of(
        "players, in the order in which they move", "player", ["turn", "updates", "variables", "parameters"]
    )
    for name, player in players.players.items():
        updates = f"{player.steps}" if player.every == 1 else f"{player.steps} every {player.every} steps"
        own = preview.players[name]
        table.add_row(name, f"{player.turn}", updates, f"{own.variables:,}", f"{own.parameters:,}")
    return table


def _reads(preview: Preview, batch_size: int) -> Iterator[Table]:
    """Yields tables of what is read, each narrower than the one before."""
    shared = "" if preview.replicas == 1 else f", shared among {preview.replicas} replicas"
    for longest, listed in _LIMITS:
        table = table_of(f"what is read of a batch of {batch_size:,}{shared}", "key", [])
        for column in ("shape", "type", "read by"):
            table.add_column(column)
        keys = figures.shortened(tuple(read.key for read in preview.reads), longest)
        for key, read in zip(keys, preview.reads, strict=True):
            names = _readers(figures.shortened(read.readers, listed), min(listed, _LIST))
            table.add_row(key, _shape(read), read.dtype, names)
        yield table


def _readers(names: Sequence[str], width: int) -> str:
    """Returns names in a few lines; of those that these have no place for, how many there are."""
    shown = len(names)
    while len(lines := _listed(names, shown, width)) > _LINES and shown > 1:
        shown -= 1
    return "\n".join(lines)


def _listed(names: Sequence[str], shown: int, width: int) -> list[str]:
    """Returns the lines of a list that has so many of the names."""
    others = len(names) - shown
    text = ", ".join(names[:shown]) + (f" and {quantity(others, 'other')}" if others else "")
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _shape(read: Read) -> str:
    return f"[{', '.join('any' if size is None else str(size) for size in read.shape)}]"


def _parameters(parameters: Sequence[Parameters]) -> Iterator[Table]:
    """Yields tables of layers, each narrower than the one before."""
    # The largest, in the order of the model.
    order = sorted(range(len(parameters)), key=lambda i: -parameters[i].trained - parameters[i].fixed)
    largest = {*(order if len(order) <= _LAYERS else order[: _LAYERS - 1])}
    shown = [one for i, one in enumerate(parameters) if i in largest]
    rest = [one for i, one in enumerate(parameters) if i not in largest]
    for longest, _ in _LIMITS:
        table = table_of("parameters", "layer", ["trained", "fixed"])
        names = figures.shortened(tuple(one.layer or "(the model itself)" for one in shown), longest)
        for name, one in zip(names, shown, strict=True):
            table.add_row(name, *_sums([one]))
        if rest:
            table.add_row(f"{len(rest)} smaller ones", *_sums(rest))
        table.add_section()
        table.add_row("all", *_sums(parameters))
        yield table


def _sums(parameters: Sequence[Parameters]) -> tuple[str, str]:
    return f"{sum(one.trained for one in parameters):,}", f"{sum(one.fixed for one in parameters):,}"


def _memory(preview: Preview) -> Table:
    each = "" if preview.replicas == 1 else " of each replica"
    table = table_of(f"memory{each}, an estimate without what operations need meanwhile", "of what", ["size"])
    for what, size in preview.memory.items():
        table.add_row(what, _bytes(size))
    table.add_section()
    table.add_row("all", _bytes(sum(preview.memory.values())))
    return table


def _bytes(size: int) -> str:
    """Returns a size in words, to three digits.

    >>> _bytes(512), _bytes(12_345_678), _bytes(3 * 10**9)
    ('512 B', '12.3 MB', '3 GB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} B"


def _time(trainer: Trainer, preview: Preview) -> str:
    """Returns how long the run takes, as far as a few steps tell, in words."""
    left = trainer.steps - trainer.step
    measured = 0 if trainer.gradients_every is None else left // trainer.gradients_every
    total = duration(left * preview.step_seconds + measured * preview.gradients_seconds)
    gradients = f" with {quantity(measured, 'measurement')} of the gradients of the terms" if measured else ""
    each = f"{duration(preview.step_seconds)} a step as {preview.execution} runs it"
    return (
        f"time: about {total} for {quantity(left, 'step')}{gradients}, at {each}; evaluations, checkpoints and "
        f"waiting for data come on top"
    )


def duration(seconds: float) -> str:
    """Returns a time in words, to two or three digits.

    >>> [duration(seconds) for seconds in (0.0000253, 0.0412, 3.27, 42.1, 184.0, 5000.0, 200_000.0)]
    ['25 us', '41 ms', '3.3 s', '42 s', '3 min', '1 h 23 min', '2 days 8 h']
    """
    for unit, name, smaller, part in _UNITS:
        if round(seconds) >= unit:
            if name == "min" and seconds >= 3 * unit:
                return f"{round(seconds / unit)} min"
            whole, rest = divmod(round(seconds / smaller), unit // smaller)
            plural = "s" if name == "day" and whole > 1 else ""
            return f"{whole} {name}{plural}" + (f" {rest} {part}" if rest else "")
    for scale, unit_name in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.{0 if seconds * scale >= 9.95 else 1}f} {unit_name}"
    return "0 s" if not seconds else f"{seconds * 1e6:.1f} us"
