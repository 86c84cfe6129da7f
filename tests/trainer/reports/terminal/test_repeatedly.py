"""Repeatedly: called until it is stopped, in the context of whoever made it."""

import contextvars
import threading

from trainer.reports.terminal.repeatedly import Repeatedly

cell = contextvars.ContextVar("cell", default="none")


def test_it_is_called_until_it_is_stopped_in_the_context_of_its_maker():
    found, twice = [], threading.Event()

    def call():
        found.append(cell.get())
        if len(found) == 2:
            twice.set()

    cell.set("the third")
    repeated = Repeatedly(call)
    cell.set("the fourth")
    repeated.start()
    assert twice.wait(10)
    repeated.stop()
    count = len(found)
    assert {*found} == {"the third"}
    assert not twice.wait(0) or len(found) == count
