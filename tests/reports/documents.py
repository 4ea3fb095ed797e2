"""A document of each sort that a run may leave, for the tests of every report format."""

from tests.reports import builder, loads
from tests.reports.builder import Json

ACTING = "@you #1 GH-2 :tada: https://evil.example www.evil.example a@b.example | `x` [l](http://x) <b> deadbeef99 $x$"
"""What GitHub's Markdown makes links, people, issues, pictures and formulas of."""

CHECKS: dict[str, Json] = {
    "conformant": builder.results(),
    "failing": builder.failing_results(),
    "strict": builder.failing_results(strict=True),
    "cut off": builder.failing_results(complete=False),
    "baselined": builder.baselined_results(),
    "incomplete": builder.results([builder.requirement("ERR-01", "untested")], []),
    "nothing": builder.results([], []),
    "hostile": builder.hostile(builder.failing_results()),
    "hostile baseline": builder.hostile(builder.baselined_results()),
    "troubled": builder.troubled_results(),
    "hostile troubled": builder.hostile(builder.troubled_results()),
    "acting": builder.hostile(builder.failing_results(complete=False), ACTING),
    "long": builder.hostile(builder.failing_results(), "x" * 100_000),
}
LOADS: dict[str, Json] = {
    "load": builder.load(),
    "breaking load": builder.breaking_load(),
    "failed load": builder.unreached_load(),
    "empty load": builder.load(
        thresholds=[], metrics={}, delivery=None, timeline=[], closes={}, generator=None, complete=False
    ),
    "full load": loads.full(),
    "aborted load": loads.aborted(),
    "late load": loads.late(),
    "measured load": loads.measured(),
    "mixed load": loads.full(requirements=[loads.MIXED]),
    "capacity": loads.capacity(),
    "hostile load": builder.hostile(loads.faulty(capacity=loads.capacity()["capacity"])),
    "acting load": builder.hostile(loads.aborted(), ACTING),
}
DOCUMENTS = CHECKS | LOADS
