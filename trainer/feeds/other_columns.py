"""Other columns: where evaluation would read other columns of CSV files than training, or in another order."""

from objectives.blame import shown_path
from objectives.errors import Mistakes, expected
from trainer.feeds.files.csv import CsvSource
from trainer.feeds.files.names import all_names
from trainer.feeds.overlap import pairs
from trainer.feeds.sources import Source


def refuse_other_columns(train: Source, eval: Source | None) -> None:
    """Raises ConfigurationError where a model would be given other numbers in the place of those that it learned from.

    A source that names its inputs itself is taken at its word.
    """
    mistakes = Mistakes()
    for trained, evaluated, part in pairs(train, eval):
        if not (isinstance(trained, CsvSource) and isinstance(evaluated, CsvSource)):
            continue
        if evaluated.inputs is not None or evaluated.columns == trained.columns:
            continue
        known = all_names(evaluated.columns)
        if missing := [name for name in all_names(trained.columns) if name not in known]:
            hints = [f"{name!r} ({expected(name, known, used=all_names(trained.columns))})" for name in missing]
            mistakes.messages.append(
                f"CsvSource: {shown_path(evaluated.places[0])}{part} has no column {' and no '.join(hints)}, which "
                f"training reads as an input; expected all that training reads"
            )
        else:
            mistakes.messages.append(
                f"the columns{part} that evaluation reads as inputs are {evaluated.columns}, and those of training are "
                f"{trained.columns}; expected the same in one order: name them in both by CsvSource.inputs = "
                f"{trained.columns}"
            )
    mistakes.raise_any()
