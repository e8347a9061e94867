"""One row of the table, and the processes that measure it."""

import dataclasses
import json
import pathlib
import statistics
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
RELEASE = REPOSITORY / "target" / "release"


@dataclasses.dataclass
class Row:
    """`ratio` is ours/theirs where less is better, and theirs/ours turned round where `more` is better: see `must`.

    `must` and `goal` bound the ratio: from above where less is better, from below where `more` is.
    """

    work: str
    peer: str
    unit: str
    ours: float
    theirs: float
    must: float
    goal: float
    more: bool = False
    sound: bool = True  # equal loss, recall and the like: what makes the figures comparable
    note: str = ""
    room: str = ""
    repetitions: tuple[list[float], list[float]] | None = None  # the figures behind `ours` and `theirs`

    @classmethod
    def of_medians(cls, work: str, ours: list[float], theirs: list[float], **others) -> "Row":
        """The row of these repetitions."""
        medians = {"ours": statistics.median(ours), "theirs": statistics.median(theirs)}
        return cls(work=work, repetitions=(ours, theirs), **medians, **others)

    def spread(self) -> str:
        """Least and most of ours, and of theirs."""
        if self.repetitions is None:
            return ""
        return " : ".join(f"{min(side):.3g}–{max(side):.3g}" for side in self.repetitions)

    def ratio(self) -> float:
        return self.ours / self.theirs

    def holds(self) -> bool:
        within = self.ratio() >= self.must if self.more else self.ratio() <= self.must
        return bool(within and self.sound)

    def recorded(self) -> dict:
        bound = (lambda x: f">= {x}x") if self.more else (lambda x: f"<= {x}x")
        return {
            "work": self.work, "peer": self.peer, "unit": self.unit, "ours": self.ours, "theirs": self.theirs,
            "ratio": self.ratio(), "spread": self.spread(), "must": bound(self.must), "goal": bound(self.goal), "holds": self.holds(),
            "note": self.note, "room": self.room,
        }  # fmt: skip

    def shown(self) -> dict:
        figures = {key: float(f"{getattr(self, key):.4g}") for key in ("ours", "theirs")}
        return {**self.recorded(), **figures, "ratio": f"{self.ratio():.3g}x"}


class Ours:
    """One of our benchmark programs. It runs one repetition for each line on its standard input."""

    def __init__(self, program: str, *args: object, env: dict | None = None):
        path = RELEASE / "examples" / program
        self.process = subprocess.Popen(
            [str(path), *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        self._read()

    def _read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, word: str) -> dict:
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def alternated(repetitions: int, *works) -> list[list[float]]:
    """Seconds of each repetition of each work. The works alternate, and the first repetition of each does not count."""
    seconds = [[work() for work in works] for _ in range(repetitions + 1)][1:]
    return [list(column) for column in zip(*seconds)]


def alternate(repetitions: int, *works) -> list[float]:
    """Median seconds of each work, as `alternated` measures them."""
    return [statistics.median(column) for column in alternated(repetitions, *works)]
