"""What happens by itself, by one leader at a time, each job with its last result on record (DESIGN section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ca.domain.audit import AuditEvent
from ca.domain.errors import InvalidRequest, InvalidTransition, PKIError
from ca.domain.jobs import JobRun
from ca.domain.officers import TrustedRole
from ca.ports import Clock, Random, UnitOfWork, Work
from ca.usecases.authorize import Authorize

_LEASE = "jobs"
_LEASE_LIFE = timedelta(seconds=30)
_RUN_LIFE = timedelta(minutes=2)
"""So long a run that was cut off keeps others from the same job."""


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
        """The run, or None when it is not due, another process leads, or an officer runs it just now."""
        job, now = self.find(name), self.clock.now()
        with self.unit_of_work() as work:
            lease = work.jobs.take_lease(_LEASE, holder, now, now + _LEASE_LIFE)
            last = next((run for run in work.jobs.list() if run.name == name), None)
            is_due = last is None or not last.ok or now >= last.ran_at + job.period
            runs = lease.holder == holder and is_due and self.begin(work, job, holder) == holder
            work.commit()
        return self.perform(job, holder) if runs else None

    def find(self, name: str) -> Job:
        """Raise InvalidRequest for an unknown name."""
        job = self.jobs.get(name)
        if job is None:
            raise InvalidRequest(f"there is no job {name!r}; there are {', '.join(self.jobs)}")
        return job

    def begin(self, work: Work, job: Job, holder: str) -> str:
        """Who runs this job from now on: we, or who has not ended yet. One at a time, whoever asked for it."""
        now = self.clock.now()
        return work.jobs.take_lease(_run_of(job), holder, now, now + _RUN_LIFE).holder

    def perform(self, job: Job, holder: str) -> JobRun:
        """Do what was begun, and record how it went. A failure is a result too."""
        now = self.clock.now()
        try:
            run = JobRun(job.name, now, ok=True, result=job.work())
        except PKIError as error:
            run = JobRun(job.name, now, ok=False, result=str(error))
        except OSError as error:
            run = JobRun(job.name, now, ok=False, result=f"a file could not be read or written: {error}")
        except Exception:
            # The outermost frame logs it; here nobody may go on seeing the last good result.
            defect = "this is a defect of ours; the signer's log has its trace"
            self._end(JobRun(job.name, now, ok=False, result=defect), job, holder)
            raise
        self._end(run, job, holder)
        return run

    def _end(self, run: JobRun, job: Job, holder: str) -> None:
        now = self.clock.now()
        with self.unit_of_work() as work:
            work.jobs.record(run)
            work.jobs.take_lease(_run_of(job), holder, now, now)
            work.commit()


@dataclass(frozen=True)
class RunJobNow:
    """A CA administrator has one job run at once, due or not."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    authorize: Authorize
    run_job: RunJob

    def __call__(self, session: str, name: str) -> JobRun:
        """How it went. Raises InvalidRequest for an unknown job, InvalidTransition while somebody runs it."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            job = self.run_job.find(name)
            # A name of its own for each run: two presses of the button are two that take turns.
            holder = f"{officer.person} {self.random(4).hex()}"
            runs = self.run_job.begin(work, job, holder)
            if runs != holder:
                raise InvalidTransition(f"{runs.split(' ')[0]} runs {name} just now; look at its result in a moment")
            work.audit.append(AuditEvent("job.ordered", name, officer.person, self.clock.now()))
            work.commit()
        return self.run_job.perform(job, holder)


def _run_of(job: Job) -> str:
    return f"job {job.name}"
