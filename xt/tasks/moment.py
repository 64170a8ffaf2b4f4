"""What is asked many times of files that stand still: found once while `one_moment` lasts, anew each time otherwise."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

FOUND: ContextVar[dict | None] = ContextVar("FOUND", default=None)


@contextmanager
def one_moment() -> Iterator[None]:
    """While it lasts, files are taken not to change: what an `asked_once` function found is not looked for again."""
    before = FOUND.set({})
    try:
        yield
    finally:
        FOUND.reset(before)


def asked_once(function: Callable) -> Callable:
    """The function, whose outcome for the same arguments, a ValueError included, is kept while `one_moment` lasts."""

    @wraps(function)
    def ask(*args, **kwargs):
        found = FOUND.get()
        if found is None:
            return function(*args, **kwargs)
        key = (
            function,
            *(tuple(each.items()) if isinstance(each, Mapping) else each for each in args),
            *kwargs.items(),
        )
        if key not in found:
            try:
                found[key] = function(*args, **kwargs), None
            except ValueError as error:
                found[key] = None, error
        value, error = found[key]
        if error:
            raise error.with_traceback(None)
        return value

    return ask
