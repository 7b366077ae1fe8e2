"""Rounds of load, and the rows they fill."""

from bench.compare import Comparison, Round, disturbed, remark
from bench.experiment import Report, judged, shown
from bench.figures import MILLISECONDS, TIMES, Verdict, at_least
from bench.load import Counted, Load

PROMISES = [
    judged("POST: wall", at_least(0.45)),
    judged("POST: cpu", at_least(0.35)),
    shown("POST: p99", MILLISECONDS),
    judged("beside cfssl", at_least(2.5, TIMES)),
]


def load(rate: int, cpu: float, others: float = 0.0) -> Load:
    return Load(Counted(rate, 1.0, rate * 800, 0.5, 2.0, 0, 0), cpu, others)


ROUND = Round(load(50_000, 0.5), {"POST": load(25_000, 0.5), "cfssl": load(5_000, 0.9)})


def test_wall_is_a_share_of_the_rate_of_nginx() -> None:
    assert ROUND.wall("POST") == 0.5


def test_cpu_is_a_share_of_the_processor_time_of_nginx_for_a_request() -> None:
    assert ROUND.cpu("POST") == 0.5


def test_a_peer_is_so_many_times_slower() -> None:
    assert ROUND.times("POST", "cfssl") == 5.0


def test_rows_are_filled_from_every_round() -> None:
    report, found = Report(PROMISES), Comparison([ROUND, ROUND])

    found.put_ratios(report, "POST", "POST")
    found.put_p99(report, "POST", "POST")
    found.put_times(report, "beside cfssl", "POST", "cfssl")

    assert [(row.verdict, len(row.figure.values) if row.figure else 0) for row in report.rows()] == [
        (Verdict.MET, 2),
        (Verdict.MET, 2),
        (Verdict.SHOWN, 2),
        (Verdict.MET, 2),
    ]


def test_who_failed_leaves_rows_that_say_why() -> None:
    report = Report(PROMISES)
    found = Comparison([Round(ROUND.ceiling, {"POST": ROUND.loads["POST"]})], {"cfssl": "cfssl: connection refused"})

    found.put_times(report, "beside cfssl", "POST", "cfssl")

    row = report.rows()[3]
    assert (row.verdict, row.note) == (Verdict.UNMEASURED, "cfssl: connection refused")


def test_the_remark_has_the_plain_rates() -> None:
    assert remark([ROUND], "POST") == "25,000/s of 50,000/s"


def test_work_of_others_is_remarked() -> None:
    assert disturbed([load(1, 1.0, 0.01), load(1, 1.0, 0.3)]) == ", others took 30%"
