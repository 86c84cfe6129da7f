"""The examination of a step: the examples at fault are found whatever their number, one look at a time."""

from hypothesis import given
from hypothesis import strategies as st

from trainer.executions.examination import Examples, at_fault, search


@given(st.integers(1, 40), st.data())
def test_exactly_the_guilty_rows_of_each_name_are_found(size, data):
    rows = st.sets(st.integers(0, size - 1), min_size=1, max_size=4)
    guilty = {name: data.draw(rows) for name in ("a", "b")}
    found = search(lambda chosen: {name for name in guilty if guilty[name] & set(chosen)}, {"a", "b"}, size)
    assert found == {name: Examples(tuple(sorted(guilty[name])), size) for name in guilty}


def test_where_too_many_are_guilty_the_first_are_found():
    looks = []
    found = search(lambda chosen: looks.append(chosen) or {"a"}, {"a"}, 5000)
    assert len(looks) <= 100
    assert found["a"].rows[:20] == tuple(range(20))
    assert found["a"].others


def test_what_takes_several_rows_together_is_not_blamed_on_one():
    assert search(lambda chosen: {"a"} if {1, 6} <= set(chosen) else set(), {"a"}, 8) == {}
    assert search(lambda chosen: {"a"}, set(), 8) == {}


def test_terms_are_at_fault_for_values_and_gradients_and_not_for_what_they_read():
    tags = ["terms/a/raw", "terms/b/not_finite/targets.y", "terms/c/not_finite/slope", "not_finite/outputs"]
    assert at_fault([*tags, "terms/d/not_finite/activations.encoder/conv3", "terms/e/not_finite/raw"]) == {"c", "e"}
