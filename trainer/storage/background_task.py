"""BackgroundTask: work that is done in the background before its result is needed."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundTask(Generic[T]):
    """One piece of work at a time, each in a thread that ends with it.

    >>> ahead = BackgroundTask()
    >>> ahead.begin("lunch", lambda: "soup")
    >>> ahead.take("lunch"), ahead.take("lunch")
    ('soup', None)
    """

    def __init__(self) -> None:
        self._begun: tuple[Hashable, Future[T], threading.Thread] | None = None

    @property
    def done(self) -> bool:
        """Whether work is finished and was not taken yet."""
        return self._begun is not None and self._begun[1].done()

    def begin(self, key: Hashable, work: Callable[[], T]) -> None:
        """Starts work whose result is taken by its key; earlier work that was not taken is dropped."""
        self.take(None)
        future: Future[T] = Future()
        thread = threading.Thread(target=_do, args=(work, future), name="ahead", daemon=True)
        self._begun = key, future, thread
        thread.start()

    def take(self, key: Hashable) -> T | None:
        """Returns the result of the work with this key. Returns None, and drops the work, if its key was another.

        Raises:
          BaseException: whatever the work raised.
        """
        if self._begun is None:
            return None
        (begun, future, thread), self._begun = self._begun, None
        thread.join()
        return future.result() if begun == key else None


def _do(work: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
