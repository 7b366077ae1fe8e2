"""What happens by itself, by one leader at a time, each job with its last result on record (DESIGN section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ca.domain.errors import InvalidRequest, PKIError
from ca.domain.jobs import JobRun
from ca.ports import Clock, UnitOfWork

_LEASE = "jobs"
_LEASE_LIFE = timedelta(seconds=30)


@dataclass(frozen=True)
class Job:
    """A thing to do again every `period`; it answers with a sentence."""

    name: str
    period: timedelta
    work: Callable[[], str]


@dataclass(frozen=True)
class RunJob:
    """Run one job if it is due and the caller leads."""

    unit_of_work: UnitOfWork
    clock: Clock
    jobs: Mapping[str, Job]

    def __call__(self, name: str, holder: str) -> JobRun | None:
        """The run, or None when it is not due or another process leads. A failure is a result too."""
        job = self.jobs.get(name)
        if job is None:
            raise InvalidRequest(f"there is no job {name!r}; there are {', '.join(self.jobs)}")
        now = self.clock.now()
        with self.unit_of_work() as work:
            lease = work.jobs.take_lease(_LEASE, holder, now, now + _LEASE_LIFE)
            last = next((run for run in work.jobs.list() if run.name == name), None)
            work.commit()
        if lease.holder != holder or (last is not None and last.ok and now < last.ran_at + job.period):
            return None
        try:
            run = JobRun(name, now, ok=True, result=job.work())
        except PKIError as error:
            run = JobRun(name, now, ok=False, result=str(error))
        except OSError as error:
            run = JobRun(name, now, ok=False, result=f"a file could not be read or written: {error}")
        except Exception:
            # The outermost frame logs it; here nobody may go on seeing the last good result.
            self._record(JobRun(name, now, ok=False, result="this is a defect of ours; the signer's log has its trace"))
            raise
        self._record(run)
        return run

    def _record(self, run: JobRun) -> None:
        with self.unit_of_work() as work:
            work.jobs.record(run)
            work.commit()
