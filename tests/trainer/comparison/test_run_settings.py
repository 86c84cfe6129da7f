"""Run settings: what differs between runs is told by name, and what follows from something else is not."""


def test_runs_that_are_alike_differ_in_nothing(told):
    assert told(a={}, b={}) == {}


def test_weights_are_first_then_what_else_differs(told):
    settings = {"Trainer": {"seed": "0", "optimizer": "SGD"}, "training data": {"inputs": "digest b"}}
    found = told(a={}, b={"weight": 0.25, "settings": settings})
    assert [*found.items()] == [
        ("small.weight", ["0.5", "0.25"]),
        ("Trainer.optimizer", ["Adam", "SGD"]),
        ("training data: inputs", ["digest a", "digest b"]),
    ]


def test_a_term_that_only_one_run_has_is_told_with_its_weight_alone(told):
    extra = {
        "Objective": {"data": "MeanSquaredError", "small": "RangeHinge", "extra": "Overlap"},
        "Objective.extra = Overlap": {"weight": "3", "margin": "1"},
    }
    assert told(a={}, b={"settings": extra}) == {"extra.weight": [None, "3"], "term extra": [None, "Overlap"]}


def test_settings_of_another_optimizer_are_not_told_but_those_of_one_and_the_same_are(told):
    of = {
        kind: {"Trainer.optimizer = " + kind: own}
        for kind, own in (("Adam", {"rate": "1", "beta": "0.9"}), ("SGD", {"rate": "2"}))
    }
    assert told(a={"settings": of["Adam"]}, b={"settings": of["SGD"]}) == {"Trainer.optimizer.rate": ["1", "2"]}
    fewer = {"Trainer.optimizer = Adam": {"rate": "1"}}
    assert told(c={"settings": of["Adam"]}, d={"settings": fewer}) == {"Trainer.optimizer.beta": ["0.9", None]}


def test_initial_weights_are_told_unless_they_follow_from_another_seed_or_other_layers(told):
    assert told(a={"initial": "w"}, b={"initial": "v"}) == {"initial weights": ["w", "v"]}
    assert [*told(c={"initial": "w"}, d={"initial": "v", "seed": 1})] == ["Trainer.seed"]
    layers = [{"Model.layer 0 = Dense": {"units": units}} for units in "34"]
    assert [*told(e={"initial": "w", "settings": layers[0]}, f={"initial": "v", "settings": layers[1]})] == [
        "Model.layer 0.units"
    ]
