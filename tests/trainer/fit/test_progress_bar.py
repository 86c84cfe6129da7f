"""TermsProgbar: the bar has one short name for each term; what is named alike keeps its tag."""

import keras

from trainer.fit.progress_bar import TermsProgbar, short


def test_a_term_named_like_a_metric_keeps_its_tag():
    logs = {"data": 0.5, "terms/data/raw": 1.0, "terms/data/weighted": 2.0, "val_terms/data/weighted": 3.0}
    assert short(logs) == {"data": 0.5, "terms/data/weighted": 2.0, "val_data": 3.0}


def test_tensors_of_a_term_with_a_star_are_left_to_the_history():
    assert short({"loss": 1.0, "terms/small/encoder/weighted/raw": 2.0, "terms/small/weighted": 3.0}) == {
        "loss": 1.0,
        "small": 3.0,
    }


def test_it_shows_what_was_asked_although_keras_is_asked_for_nothing(capsys):
    bar = TermsProgbar(2)
    keras.callbacks.CallbackList([bar], verbose=0, epochs=2, steps=3)
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    bar.on_train_batch_end(0, {"loss": 1.0})
    bar.on_epoch_end(0, {"loss": 2.0, "terms/a/weighted": 2.0})
    assert "- loss: 2.0000 - a: 2.0000" in capsys.readouterr().out
