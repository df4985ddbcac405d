"""
Fuzz the targets for a time each: C{python -m fuzz.run --seconds N [TARGET...]}.

The exit status is 1 when an input was found that breaks a property; such inputs
are in C{fuzz/found/}, and C{python -m fuzz.run --input FILE TARGET} runs one again.
What was worth keeping is in C{fuzz/corpus/}, where the next run begins.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import attrs

import fuzz.targets

TOP = Path(__file__).parent
CORPUS = TOP / "corpus"
FOUND = TOP / "found"

TARGETS = tuple(sorted(module.name for module in iter_modules(fuzz.targets.__path__)))

LONGEST = 4096
"""Octets of an input."""

SLOWEST = 20
"""Seconds that one input may take, on a busy machine."""

_MEMORY = 1500
"""MiB that a process may have."""

_START = 120
"""Seconds in which a process has begun and, in the end, told what it did."""

_MOST = 100_000_000
"""Seconds or inputs that can be asked for."""

_RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")
_COVERAGE = re.compile(r"^#\d+\s.* ft: (\d+) corp: (\d+)", re.MULTILINE)


@attrs.frozen
class Result:
    """
    What became of a target.

    @ivar runs: inputs that were tried.
    @ivar features: of the code that were reached; what led there first is kept.
    """

    target: str
    status: int
    runs: int
    features: int
    kept: int
    output: str

    def __str__(self) -> str:
        state = "ok" if self.status == 0 else "FAULT"
        return (
            f"{self.target:12} {state:5} {self.runs:>9} inputs,"
            f" {self.features} features, {self.kept} kept"
        )


def plant(target: str) -> Path:
    """@return: the folder of a target's inputs, the seeds among them."""
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for seed in import_module(f"fuzz.targets.{target}").SEEDS:
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    return folder


def fuzz_one(target: str, seconds: int, runs: int = 0, seed: int = 0) -> Result:
    """
    Run one target until its time is over or a fault is found.

    @param runs: inputs to try at most; 0: as many as there is time for.
    @param seed: of the random choices; 0: another one each time.
    """
    FOUND.mkdir(exist_ok=True)
    folder = plant(target)
    command = [
        *(sys.executable, "-m", "fuzz.one", target, str(folder)),
        f"-max_total_time={seconds}",
        f"-runs={runs or -1}",
        f"-seed={seed}",
        f"-max_len={LONGEST}",
        f"-timeout={SLOWEST}",
        f"-rss_limit_mb={_MEMORY}",
        f"-artifact_prefix={FOUND}/{target}-",
        "-print_final_stats=1",
    ]
    return result(target, *_call(command, seconds + _START))


def repeat(target: str, path: Path) -> Result:
    """Run one input again."""
    command = [sys.executable, "-m", "fuzz.one", target, str(path.absolute())]
    return result(target, *_call(command, _START))


def result(target: str, status: int, output: str) -> Result:
    """@return: the figures that the output tells."""
    runs, states = _RUNS.search(output), _COVERAGE.findall(output)
    features, kept = map(int, states[-1]) if states else (0, 0)
    return Result(target, status, int(runs[1]) if runs else 0, features, kept, output)


def _call(command: Sequence[str], patience: float) -> tuple[int, str]:
    with tempfile.TemporaryFile() as output:
        try:
            run = subprocess.run(
                command, stdout=output, stderr=output, cwd=TOP.parent, timeout=patience
            )
            status = run.returncode
        except subprocess.TimeoutExpired:
            status = 124  # as timeout(1) has it
        output.seek(0)
        return status, output.read().decode(errors="replace")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m fuzz.run", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=60, help="for each target")
    parser.add_argument(
        "--runs", type=_positive, default=0, help="inputs for each target, at most"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the random choices; 0: any"
    )
    parser.add_argument("--jobs", type=_positive, default=2, help="targets at a time")
    parser.add_argument("--input", type=Path, help="run this input of TARGET only")
    parser.add_argument("targets", nargs="*", metavar="TARGET", default=[])
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.targets) - set(TARGETS))
    if unknown:
        parser.error(f"{unknown[0]} is not one of {', '.join(TARGETS)}")
    if options.input is not None and len(options.targets) != 1:
        parser.error("--input needs one TARGET")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if not 0 < number <= _MOST:
        raise argparse.ArgumentTypeError(f"{text} is not 1 to {_MOST}")
    return number


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    targets = options.targets or TARGETS
    if options.input is not None:
        results = [repeat(targets[0], options.input)]
        _tell(results[0])
    else:
        results = []
        with ThreadPoolExecutor(options.jobs) as pool:
            fuzzed = pool.map(
                lambda name: fuzz_one(
                    name, options.seconds, options.runs, options.seed
                ),
                targets,
            )
            for one in fuzzed:
                _tell(one)
                results.append(one)
    return int(any(one.status for one in results))


def _tell(one: Result) -> None:
    print(one, flush=True)
    if one.status:
        print(one.output[-6000:], flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
