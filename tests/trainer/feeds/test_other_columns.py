"""Other columns: a file whose columns are in another order is refused where their order alone says what they are."""

import keras
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import CsvSource, MixedSource, Trainer
from trainer.feeds.other_columns import refuse_other_columns


@pytest.fixture
def source(tmp_path):
    """A source of one row with the given columns, of which y is the target."""

    def make(names, **settings):
        (tmp_path / f"{names}.csv").write_text(f"{','.join(names)}\n{','.join('1' for _ in names)}\n")
        return CsvSource(file=tmp_path / f"{names}.csv", targets=["y"], **settings)

    return make


@pytest.mark.parametrize("names", ["bay", "abcy", "aby"])
def test_columns_that_differ_or_are_in_another_order_are_refused(source, names):
    train, evaluation = source("aby"), source(names)
    if names == "aby":
        refuse_other_columns(train, evaluation)
        refuse_other_columns(train, None)
    else:
        with pytest.raises(
            ConfigurationError, match=r"those of training are \['a', 'b'\].*CsvSource.inputs = \['a', 'b"
        ):
            refuse_other_columns(train, evaluation)
        with pytest.raises(ConfigurationError, match="columns of the part 'p' that evaluation reads"):
            refuse_other_columns(MixedSource(p=train), MixedSource(p=evaluation))


@pytest.mark.parametrize("named", [{}, {"inputs": ["age", "weight"]}])
def test_a_misspelt_column_is_told_with_the_nearest_name(source, named):
    train = source(["age", "weight", "y"], **named)
    with pytest.raises(ConfigurationError, match=r"csv has no column 'weight'.*did you mean 'wieght'\?"):
        refuse_other_columns(train, source(["age", "wieght", "y"], **named))


def test_no_run_evaluates_on_them(source):
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    trainer = Trainer(
        model=model,
        objective=Objective(data=MeanSquaredError()),
        optimizer=keras.optimizers.SGD(),
        train=source("aby"),
        eval=source("bay"),
        steps=1,
        batch_size=1,
        default_reports=False,
    )
    for use in (trainer.evaluate, trainer.dry_run, trainer.train):
        with pytest.raises(ConfigurationError, match="expected the same in one order"):
            use()
    assert trainer.step == 0


def test_a_source_that_names_its_inputs_is_taken_at_its_word(source):
    refuse_other_columns(source("aby"), source("bay", inputs=["a", "b"]))
    refuse_other_columns(source("aby"), source("cdy", inputs=["c", "d"]))
