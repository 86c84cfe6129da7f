"""Other files: those that further bindings have a saved run evaluate, while its split was meant for its own."""

from gin.config import ConfigurableReference

from objectives import ConfigurationError
from trainer import config
from trainer.feeds.files.split_source import SplitSource
from trainer.feeds.sources import Source

_FILES = ("file", "folder")


def refuse_side_of_other_files(source: Source | None) -> None:
    """Raises ConfigurationError where bindings name other files for evaluation, and not which side of a split of them.

    The run has held out one side of its own files. Of others it has seen no example, unless they are its own at another
    place, which only the user knows.

    Args:
      source: of evaluation, as gin's current bindings have built it for `Trainer.eval`.
    """
    reference = config.bound("Trainer.eval", None)
    if not isinstance(source, SplitSource) or source.split is None or not isinstance(reference, ConfigurableReference):
        return
    scope, kind = "/".join(reference.scopes), type(source).__name__
    given = {one.parameter: one for one in config.requested(kind, scope)}
    files = [given[name] for name in _FILES if name in given]
    if files and "split" not in given:
        split = f"{scope}/{kind}.split".lstrip("/")
        raise ConfigurationError(
            f"{files[-1].place}: the split of the run would evaluate a part of these files alone, {source.words}; "
            f'expected also --gin_param="{split} = None" for all of their examples, or, where they are the files of '
            f'the run at another place, --gin_param="{split} = {source.split!r}"'
        )
