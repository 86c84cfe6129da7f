"""SoundEpochs: each epoch ends with a look at the weights."""

import types

from trainer.fit.sound_epochs import SoundEpochs


def test_the_model_is_asked_once_an_epoch():
    asked = []
    callback = SoundEpochs()
    callback.set_model(types.SimpleNamespace(require_sound=lambda: asked.append(True)))
    callback.on_train_batch_end(0)
    assert asked == []
    callback.on_epoch_end(0)
    assert asked == [True]
