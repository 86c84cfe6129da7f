"""After training: what only measures or draws is known by what a task's methods name, and all else may train."""

import functools

from trainer import Task
from trainer.settings.after_training import measuring_methods, methods_after_training

ALWAYS = {"measure()", "measured_shapes()", "refuse_terms()", "draw()", "draw_models()"}


class Screening(Task):
    @functools.cached_property
    def train(self):
        return self._cases(0)

    @functools.cached_property
    def eval(self):
        return self._cases(1)

    def build_model(self):
        return None

    def measure(self, model):
        return {"error": self._judged(model)}

    def draw(self, model, folder):
        return [folder / self._title()]

    def _judged(self, model):
        return [self._error(case) for case in self._cases(2)]

    def _error(self, case):
        return self._error(case - 1) if case else 0.0

    def _title(self):
        return self.__class__.__name__

    def _cases(self, part):
        return range(part)

    def _unnamed(self):
        return 0


def test_helpers_of_measures_and_pictures_train_nothing_and_what_anything_else_names_may():
    assert methods_after_training(Screening()) == {*ALWAYS, "_judged()", "_error()", "_title()"}


def test_a_helper_that_the_data_need_too_may_train():
    class Filtered(Screening):
        def _cases(self, part):
            return filter(self._judged, range(part))

    assert methods_after_training(Filtered()) == {*ALWAYS, "_title()"}


def test_what_decides_measures_is_what_measure_names_at_any_depth():
    assert {*measuring_methods(Screening())} == {"measure()", "_judged()", "_error()", "_cases()"}
