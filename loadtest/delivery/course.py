"""When things happened in a run: by windows of time, and first and last times."""

MAX_WINDOWS = 7_200
"""Windows of a course; a longer run has wider ones than a second."""

Windows = dict[str, dict[int, int]]
"""By kind: how often in each second of the run."""

Spans = dict[str, tuple[float, float]]
"""By kind: when first and when last (seconds of the run)."""


class Course:
    """When things happened: how often in each window of `width` seconds of the run, and when first and last."""

    def __init__(self) -> None:
        self.width = 1
        self.windows: Windows = {}
        self.spans: Spans = {}

    def add(self, kind: str, t: float, count: int = 1) -> None:
        """Something happened `count` times at second `t` of the run."""
        first, last = self.spans.get(kind, (t, t))
        self.spans[kind] = (min(first, t), max(last, t))
        self._enter(kind, int(t // 1), count)

    def merge(self, windows: Windows, spans: Spans) -> None:
        """Add what another course of windows of a second had."""
        for kind, counts in windows.items():
            for second, count in counts.items():
                self._enter(kind, second, count)
        for kind, (first, last) in spans.items():
            known = self.spans.get(kind, (first, last))
            self.spans[kind] = (min(first, known[0]), max(last, known[1]))

    def _enter(self, kind: str, second: int, count: int) -> None:
        windows = self.windows.setdefault(kind, {})
        index = second // self.width
        windows[index] = windows.get(index, 0) + count
        if len(windows) > MAX_WINDOWS:
            self.width *= 2
            for name, known in self.windows.items():
                wider: dict[int, int] = {}
                for one, number in known.items():
                    wider[one // 2] = wider.get(one // 2, 0) + number
                self.windows[name] = wider

    def rename(self, kind: str, other: str) -> None:
        """What was of one kind is of another one."""
        for index, count in self.windows.pop(kind, {}).items():
            self._enter(other, index * self.width, count)
        if kind in self.spans:
            self.merge({}, {other: self.spans.pop(kind)})

    def within(self, kind: str, begin: float, end: float) -> int:
        """How often from second `begin` to before `end`, by the windows that begin there."""
        return sum(n for index, n in self.windows.get(kind, {}).items() if begin <= index * self.width < end)

    def times(self, kind: str, begin: float, end: float) -> tuple[float, float] | None:
        """When first and when last from second `begin` to before `end`, by the same windows; None if never."""
        seconds = [index * self.width for index in self.windows.get(kind, {}) if begin <= index * self.width < end]
        if not seconds:
            return None
        first, last = self.spans[kind]
        return max(float(min(seconds)), first), min(float(max(seconds) + self.width), last)
