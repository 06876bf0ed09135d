"""What can go wrong in a test, in words for the person who reads the report."""


class Failure(AssertionError):
    """Something is not as it must be."""


class Skip(Exception):
    """The test cannot run here; says why."""


def check(holds, message):
    """Like assert, which python -O leaves out."""
    if not holds:
        raise Failure(message)


def same(what, found, expected):
    """Two values that must be equal, both shown if they are not."""
    check(found == expected, f"{what}: {found!r}, where {expected!r} was expected")
