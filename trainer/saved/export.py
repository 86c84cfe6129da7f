"""Export: a model in a file or folder that other programs load, written completely or not at all."""

import importlib.util
import json
import pathlib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import blamed
from objectives.errors import expected
from trainer.saved.loaded import Loaded, load_keras, load_onnx, load_saved_model, require_equal
from trainer.saved.signature import Signature, argument_name, safe_name
from trainer.storage.files import unfinished, write_whole, writing

Format = Literal["keras", "saved_model", "onnx"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: Mapping[Format, str] = {"keras": ".keras", "saved_model": "", "onnx": ".onnx"}

# Of the version of ONNX's operations, which runtimes of the last years know.
_OPERATIONS = 18

_UNLOADABLE = (
    "Keras cannot load the file that it has written; expected --format=saved_model, which needs no code, or functions "
    "and classes with @keras.saving.register_keras_serializable()"
)


def refuse_format(output: pathlib.Path, form: str) -> None:
    """Raises ConfigurationError where a model cannot be exported to this place in this format."""
    if form not in FORMATS:
        raise ConfigurationError(f"the format is {form!r}; {expected(form, FORMATS)}")
    suffix = SUFFIXES[form]  # type: ignore[index]
    if suffix and output.suffix != suffix:
        raise ConfigurationError(
            f"the output is {str(output)!r}; expected a name that ends in {suffix}, as {form} is one file"
        )
    if suffix and output.is_dir():
        raise ConfigurationError(f"the output {str(output)!r} is a folder; expected the name of a file")
    if not suffix and (output.is_file() or (output.is_dir() and any(output.iterdir()))):
        raise ConfigurationError(f"the output {str(output)!r} is there already; expected a folder that is empty or new")
    if form == "onnx" and any(importlib.util.find_spec(name) is None for name in ("tf2onnx", "onnx")):
        raise ConfigurationError(
            "models are exported to ONNX with tf2onnx, which is not installed; `pip install tf2onnx onnx` installs it. "
            "The format saved_model needs nothing more"
        )


def export(
    model: keras.Model,
    signature: Signature,
    output: pathlib.Path,
    form: Format,
    *,
    card: Callable[[Sequence[str]], str],
) -> list[str]:
    """Writes a model with a card, and makes sure that what was written gives the outputs of the model.

    Args:
      model: the model, whose weights are exported.
      signature: its inputs and outputs by name, which a SavedModel and an ONNX file have too.
      output: a file, or a folder for "saved_model".
      form: the format.
      card: the text of the card, given what this function returns.

    Returns:
      The user's own classes and functions, with their modules, which a program needs to load the file; a `.keras` file
      has the names of classes and not their code.

    Raises:
      ConfigurationError: The format cannot represent the model.
      StorageError: The system refuses it; what was there before is there still.
    """
    refuse_format(output, form)
    _refuse_clashes(signature, form)
    with unfinished(output) as place:
        own = _save(model, signature, place, form)
        text = card(own)
        if place.is_dir():
            with writing(place):
                (place / "README.md").write_text(text, encoding="utf-8")
        elif output.is_dir():  # which was made since the format was looked at
            with writing(output):
                output.rmdir()
    if not output.is_dir():
        write_whole(output.with_name(f"{output.name}.md"), text)
    return own


def _save(model: keras.Model, signature: Signature, place: pathlib.Path, form: Format) -> list[str]:
    """Saves a model and compares its outputs, unless the user's own classes are needed to load it; returns these."""
    loaded: Loaded | None
    if form == "keras":
        if own := _save_keras(model, place):
            return own
        with blamed(_UNLOADABLE):
            loaded = load_keras(place, signature)
    elif form == "saved_model":
        _save_saved_model(model, signature, place)
        loaded = load_saved_model(place, signature)
    else:
        _save_onnx(model, signature, place)
        loaded = load_onnx(place, signature)  # None where nothing here can run it
    if loaded is not None:
        require_equal(model, signature, loaded, form)
    return []


def _refuse_clashes(signature: Signature, form: Format) -> None:
    for names, spelled in ((signature.inputs, argument_name), (signature.outputs, safe_name)):
        safe = [spelled(name) for name in names]
        if form != "keras" and len(set(safe)) < len(safe):
            raise ConfigurationError(
                f"{', '.join(names)} are names of the model, of which {form} would make {', '.join(safe)}; expected "
                f"names that differ in letters and digits"
            )


def _save_keras(model: keras.Model, place: pathlib.Path) -> list[str]:
    with writing(place), blamed("Keras cannot save the model; expected --format=saved_model, which needs no code"):
        model.save(place)
    with zipfile.ZipFile(place) as archive:
        return sorted(set(_own_names(json.loads(archive.read("config.json")))))


def _own_names(config: Any) -> Iterator[str]:
    """Yields the classes and functions of a model's configuration that are not of Keras."""
    if isinstance(config, dict):
        module, name = config.get("module"), config.get("class_name")
        if name == "__lambda__":
            yield "a lambda function"
        elif name == "function" and module != "builtins":
            yield f"{config.get('config')} ({module})" if module else f"{config.get('config')}"
        elif name and module and module.partition(".")[0] not in ("keras", "builtins"):
            yield f"{name} ({module})"
        elif name and module is None and config.get("registered_name") == name:  # which no other program can import
            yield f"{name} (of __main__, by custom_objects={{{name!r}: {name}}})"
        elif name and module is None and config.get("registered_name"):
            yield f"{name} ({config['registered_name']})"
    for inner in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _own_names(inner)


def _save_saved_model(model: keras.Model, signature: Signature, place: pathlib.Path) -> None:
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", _served(model, signature), input_signature=[_specs(signature)])
    with writing(place):
        archive.write_out(str(place), verbose=False)


def _save_onnx(model: keras.Model, signature: Signature, place: pathlib.Path) -> None:
    import onnx
    import tf2onnx
    from keras.src.export.tf2onnx_lib import patch_tf2onnx

    patch_tf2onnx()  # which knows no NumPy 2
    serve, specs = _served(model, signature), _specs(signature)
    # One after the other: of a dict, the names would be made anew.
    function = tf.function(lambda *inputs: serve(dict(zip(specs, inputs, strict=True))))
    with writing(place), blamed("tf2onnx cannot convert the model; expected --format=saved_model"):
        tf2onnx.convert.from_function(function, [*specs.values()], opset=_OPERATIONS, output_path=str(place))
        # It leaves out of the file what it cannot convert with no more than a line of a log.
        onnx.checker.check_model(str(place), full_check=True)


def _served(model: keras.Model, signature: Signature) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Returns the model as a function of its inputs by name."""

    def serve(inputs: Mapping[str, Any]) -> dict[str, Any]:
        outputs = signature.call(model, {name: inputs[argument_name(name)] for name in signature.inputs})
        return {safe_name(name): value for name, value in outputs.items()}

    return serve


def _specs(signature: Signature) -> dict[str, tf.TensorSpec]:
    named = {argument_name(name): spec for name, spec in signature.inputs.items()}
    return {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in named.items()}
