"""Model card: what a reader of an exported model has to know, as Markdown, from the folder of its run alone."""

import dataclasses
import pathlib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from objectives.base_term import default_of
from objectives.formulas import formula_of
from objectives.quantities import quantity
from trainer import config
from trainer.checkpoints.snapshot import Snapshot
from trainer.config.registry import short
from trainer.reports import jsonl
from trainer.reports.log import LogRecord, measured_values, term_names
from trainer.running.workdir import read_environment, read_learned
from trainer.saved.signature import Signature, argument_name, described, safe_name
from trainer.settings import changes

# What a class may have on top of its fields in the record of a run: the code of its methods.
_CODE = "()"
# What stands behind the name of a function there.
_DIGEST = re.compile(r" \(digest \w+\)")
# What a loss of Keras has and a term does not use.
_UNUSED = ("reduction",)

_LOADING = {
    "keras": "model = keras.models.load_model({name!r})\noutputs = model.predict({inputs})",
    "saved_model": 'loaded = tf.saved_model.load({name!r})\noutputs = loaded.signatures["serving_default"]({named})',
    "onnx": "session = onnxruntime.InferenceSession({name!r})\noutputs = session.run(None, {inputs})",
}


def model_card(
    folder: pathlib.Path, snapshot: Snapshot, signature: Signature, own: Sequence[str], *, name: str, form: str
) -> str:
    """Returns the card of the model of a run.

    Args:
      folder: of the run.
      snapshot: the checkpoint whose weights were exported.
      signature: the inputs and outputs of the model.
      own: the user's own classes and functions that a program needs to load it.
      name: of the file or folder that was exported.
      form: its format.
    """
    settings, environment = changes.read_description(folder), read_environment(folder)
    lines = [
        f"# {pathlib.Path(name).stem}",
        _trained(settings, environment, snapshot),
        "## Inputs and outputs",
        _signature(signature, form),
        "## Load it",
        _loading(signature, name, form),
        *([f"Import first what the file needs and does not contain: {', '.join(own)}."] if own else []),
        "## Terms",
        "The model was trained on the sum of these terms, each times its weight.",
        _table(["term", "kind", "weight", "formula", "settings"], _terms(settings)),
        "## Evaluation",
        *_evaluation(folder, snapshot, environment.get("steps")),
        "## Training data",
        _table(["what", "value"], settings.get("training data", {}).items()),
        "## Where it is from",
        _table(["what", "value"], _origin(folder, environment)),
    ]
    return "\n\n".join(lines) + "\n"


def _trained(settings: changes.Description, environment: Mapping, snapshot: Snapshot) -> str:
    own = settings.get("Trainer", {})
    planned = environment.get("steps")
    updates = f"{snapshot.step:,} of {quantity(planned, 'update')}" if planned else quantity(snapshot.step, "update")
    averaged = any(name.startswith("average/") for name in snapshot.arrays)
    weights = "a moving average of the weights" if averaged else "the weights"
    precision = own.get("precision", "float32").strip("'")
    return (
        f"Trained by Termwise: {weights} after {updates} of {own.get('batch_size', 'some')} "
        f"examples, by {own.get('optimizer', 'an optimizer')} in {precision}."
    )


def _signature(signature: Signature, form: str) -> str:
    tensors = [("input", signature.inputs, argument_name), ("output", signature.outputs, safe_name)]
    rows = [
        (kind, _label(name, name if form == "keras" else spelled(name)), described(spec))
        for kind, specs, spelled in tensors
        for name, spec in specs.items()
    ]
    return _table(["which", "name", "type and shape"], rows)


def _label(name: str, exported: str) -> str:
    return f"`{exported}`" if exported == name else f"`{exported}` (`{name}` in the model)"


def _loading(signature: Signature, name: str, form: str) -> str:
    arguments = [argument_name(one) for one in signature.inputs]
    names = [*signature.inputs] if form == "keras" else arguments
    inputs = "{" + ", ".join(f"{name!r}: {one}" for name, one in zip(names, arguments, strict=True)) + "}"
    given = inputs if form != "keras" or len(names) > 1 else arguments[0]
    text = _LOADING[form].format(name=name, inputs=given, named=", ".join(f"{one}={one}" for one in arguments))
    return f"```python\n{text}\n```"


def _terms(settings: changes.Description) -> Iterator[Sequence[str]]:
    kinds = {short(name): kind for name, kind in config.configurables().items()}
    for name, kind in sorted(settings.get("Objective", {}).items()):
        place, fields = f"Objective.{name}", settings.get(f"Objective.{name} = {kind}", {})
        formula = formula_of(kinds[kind]) if kind in kinds else ""
        told = {field: text for field, text in fields.items() if _is_told(field, text, kinds.get(kind), formula)}
        own = ", ".join(f"`{field} = {_value(settings, f'{place}.{field}', text)}`" for field, text in told.items())
        weight = _value(settings, f"{place}.weight", fields.get("weight", "1")).replace("<", "\\<")
        # The formula of a term that is a plain function says no more than that.
        called = formula.replace("`fn(...)`", f"`{_DIGEST.sub('', fields.get('fn', 'fn'))}(...)`")
        yield f"`{name}`", kind, weight, called, own


def _is_told(field: str, text: str, kind: Any, formula: str) -> bool:
    """Returns whether a field says something: it is not as always, or a number of the formula."""
    if field == "weight" or _CODE in field:
        return False
    own = {one.name: one for one in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    if field not in own or default_of(own[field]) is dataclasses.MISSING:
        return True
    is_of_formula = re.search(rf"\b{re.escape(field)}\b", formula) is not None and not text.startswith("'")
    return is_of_formula or text != changes.text_of(default_of(own[field]))


def _value(settings: changes.Description, place: str, text: str) -> str:
    """Returns a value as a reader would write it: without digests, and with the settings that it has itself."""
    name = _DIGEST.sub("", text)
    inner = settings.get(f"{place} = {name}", {})
    own = {key: _DIGEST.sub("", value) for key, value in inner.items() if _CODE not in key and key not in _UNUSED}
    return f"{name} ({', '.join(f'{key} = {value}' for key, value in own.items())})" if own else name


def _evaluation(folder: pathlib.Path, snapshot: Snapshot, steps: int | None) -> Iterator[str]:
    """Yields what was evaluated at the checkpoint, or last before it, and what was measured at the end."""
    evaluations = [one for one in jsonl.records(folder) if one.split == "eval" and one.step <= snapshot.step]
    last = max(evaluations, key=lambda one: one.step, default=snapshot.evaluation)
    if last is None:
        yield "The run had no evaluation until then."
    else:
        yield f"On the evaluation data, at step {last.step:,}:"
        yield _table(["term", "raw", "weighted"], _values(last))
    measured = {} if last is None else measured_values(last.values)
    is_finished = snapshot.step == steps or snapshot.stopped_by is not None
    learned = read_learned(folder) if is_finished else {}
    if measured or learned:
        yield _table(["measured", "value"], [(name, _number(value)) for name, value in {**measured, **learned}.items()])


def _values(record: LogRecord) -> Iterator[Sequence[str]]:
    for name in term_names(record.values):
        raw, weighted = (record.values.get(f"terms/{name}/{what}") for what in ("raw", "weighted"))
        yield f"`{name}`", _number(raw), _number(weighted)
    yield "total", "", _number(record.values.get("loss/total"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _origin(folder: pathlib.Path, environment: Mapping) -> Iterator[Sequence[str]]:
    yield "run", folder.name
    yield "command", f"`{shlex.join(environment.get('argv', []))}`"
    yield "git revision of Termwise", str(environment.get("git_revision") or "unknown")
    yield "Python", str(environment.get("python", "unknown"))
    yield from environment.get("packages", {}).items()


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Returns a table of Markdown.

    >>> print(_table(["a", "b"], [("1", "x|y")]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    escaped = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    lines = [header, *escaped]
    texts = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([texts[0], f"|{'---|' * len(header)}", *texts[1:]])
