"""Finds the tests, runs them one after the other, says how each ended."""

import importlib
import os
import sys
import time
import traceback

from .errors import Failure, Skip
from .places import SUITE
from .states import States


class Report:
    """What a test has measured, printed below its name."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


class Context:
    """What a test is given: the package's states, and a place for its numbers."""

    def __init__(self, states):
        self.states, self.report = states, Report()

    def say(self, line):
        self.report.say(line)


def find():
    """Every test_… of every test_*.py here, in the order of the files."""
    sys.path.insert(0, str(SUITE))
    for file in sorted(SUITE.glob("test_*.py")):
        module = importlib.import_module(file.stem)
        for name, value in vars(module).items():
            if name.startswith("test_") and value.__module__ == module.__name__:
                yield file.stem, name, value


def run_one(test, states):
    """How it ended, why, and what it said."""
    context = Context(states)
    try:
        test(context)
        return "passed", "", context.report.lines
    except Skip as skip:
        return "skipped", str(skip), context.report.lines
    except Failure as failure:
        place = traceback.extract_tb(failure.__traceback__)[1]
        return "failed", f"{os.path.basename(place.filename)}:{place.lineno}: {failure}", context.report.lines
    except Exception:  # pylint: disable=broad-except
        return "failed", traceback.format_exc(), context.report.lines


def run_and_tell(name, test, states):
    """Runs it and prints how it ended; returns that."""
    start = time.monotonic()
    ended, why, lines = run_one(test, states)
    print(f"{ended:7} {name.removeprefix('test_')} ({time.monotonic() - start:.1f} s)", flush=True)
    for line in lines + [why] * bool(why):
        print("        " + line.replace("\n", "\n        "), flush=True)
    return ended


def main(deb, names):
    """Runs the tests whose names contain one of these words; all without words. Returns the exit code."""
    states = States(deb)
    count = {"passed": 0, "failed": 0, "skipped": 0}
    began = time.monotonic()
    for module, name, test in find():
        if names and not any(word in f"{module}.{name}" for word in names):
            continue
        ended = run_and_tell(name, test, states)
        if ended == "failed":
            # A busy host can make an emulated machine miss any time limit; what is really broken fails twice.
            ended = run_and_tell(f"{name}, the second time", test, states)
        count[ended] += 1
    print(f"in {time.monotonic() - began:.0f} s", flush=True)
    print(", ".join(f"{number} {word}" for word, number in count.items() if number or word != "skipped"), flush=True)
    if count["skipped"] and os.environ.get("CI") == "true":
        return 1
    return 1 if count["failed"] or not count["passed"] else 0
