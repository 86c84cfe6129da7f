"""File sources: the same facts wherever examples stay."""

from trainer.feeds.resident import ResidentFeed
from trainer.feeds.streamed import StreamedFeed


def test_facts_are_those_of_the_files_wherever_examples_stay(make_numbers):
    assert make_numbers(resident=True).facts(seed=None) == make_numbers(resident=False).facts(seed=None)
    assert make_numbers().record() != make_numbers(split="train").record() != make_numbers(split="eval").record()
    assert make_numbers().record() != make_numbers(shuffle=False).record()


def test_small_examples_stay_on_the_device_unless_one_says_otherwise(make_numbers, make_program):
    assert isinstance(feed_of(make_program, make_numbers()), ResidentFeed)
    assert isinstance(feed_of(make_program, make_numbers(resident=False)), StreamedFeed)


def test_users_are_told_how_many_examples_of_which_files_they_are(make_numbers):
    source = make_numbers(split="eval")
    assert source.words == f"{source.table.size} examples of NpzSource (file {source.file}, split eval)"
    assert make_numbers().words == f"50 examples of NpzSource (file {source.file})"


def feed_of(make_program, source):
    program = make_program()
    return source.training(program.data.train_sharding, seed=0)
