"""The error for unusable data, and one way to refuse an unknown name."""

from collections.abc import Iterable
from difflib import get_close_matches


class DataError(ValueError):
    """A file, row or split that cannot be used; the message names file, row, value and what is allowed."""


def require_known(what: str, value: str, allowed: Iterable[str]) -> str:
    """`value` itself where it is one of `allowed`.

    Raises ValueError that names the nearest allowed value, where one is near, and all of them.
    """
    names = list(allowed)
    if value in names:
        return value
    names = [str(name) for name in names]
    near = get_close_matches(str(value), names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    raise ValueError(f"unknown {what} {value!r}{meant} allowed: {', '.join(names) or 'none'}")
