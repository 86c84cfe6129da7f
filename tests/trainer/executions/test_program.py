"""The program: training as a function of the step."""

import numpy as np


def test_the_tags_name_the_numbers(make_program):
    program = make_program()
    assert program.tags[0] == "loss/total"
    expected = {f"terms/{name}/{what}" for name in ("data", "small") for what in ("raw", "weight", "weighted", "count")}
    assert set(program.tags) == {"loss/total", "optimizer/learning_rate", "optimizer/grad_norm"} | expected
    rows = program.train(first_step=0, steps=3)
    assert rows.shape == (3, len(program.tags))
    assert rows.dtype == np.float32


def test_the_weighted_terms_add_up_to_the_total_in_each_step(make_program, dict_model, every_reading, source):
    program = make_program(model=dict_model(), objective=every_reading, train=source)
    rows = dict(zip(program.tags, program.train(first_step=0, steps=10).T.astype(np.float64), strict=True))
    weighted = sum(values for tag, values in rows.items() if tag.endswith("/weighted"))
    np.testing.assert_allclose(rows["loss/total"], weighted, rtol=1e-6)
