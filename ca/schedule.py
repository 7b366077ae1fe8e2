"""What happens by itself, and how often. Each job answers with a sentence for the console and `./pki jobs`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ca.domain.jobs import JOB_NAMES
from ca.usecases.audit import MakeCheckpoint
from ca.usecases.figures import CountFigures
from ca.usecases.jobs import Job
from ca.usecases.own_certificates import OwnCertificates
from ca.usecases.publish_bundle import PublishBundle
from ca.usecases.publish_crl import PublishCRL
from ca.usecases.publish_tool import PublishTool
from ca.usecases.reconcile import Reconcile
from ca.usecases.responder import CertifyResponder
from ca.usecases.standings import FollowRecords, KeepSnapshot
from ca.usecases.sweep import Sweep

_UNFINISHED_GRACE = timedelta(minutes=2)
_MINUTE, _TICK = timedelta(minutes=1), timedelta(seconds=5)
_COUNTING = timedelta(minutes=5)


@dataclass(frozen=True)
class Schedule:
    """The use cases that time asks for, of one issuing CA."""

    issuer: str
    publish_crl: PublishCRL
    publish_bundle: PublishBundle
    certify_responder: CertifyResponder
    certify_bundle_signer: CertifyResponder
    follow_records: FollowRecords
    sweep: Sweep
    own_certificates: OwnCertificates
    checkpoint: MakeCheckpoint
    keep_snapshot: KeepSnapshot
    reconcile: Reconcile
    follow_targets: Callable[[], str]
    publish_tool: PublishTool
    count_figures: CountFigures

    def jobs(self, crl_period: timedelta, bundle_period: timedelta, checkpoint_period: timedelta) -> dict[str, Job]:
        """By name. Raises LookupError when they are not those that the jobs process asks for."""
        jobs = [
            Job("responder", _MINUTE, lambda: self._renew(self.certify_responder)),
            Job("bundle-signer", _MINUTE, lambda: self._renew(self.certify_bundle_signer)),
            Job("tool", _TICK, self._publish_tool),
            Job("standings", _TICK, lambda: "brought up to date" if self.follow_records() else "up to date"),
            Job("crl-after-change", _TICK, self._publish_changes),
            Job("crl", crl_period, lambda: f"published number {self.publish_crl(self.issuer).number}"),
            Job("bundle", bundle_period, lambda: f"published number {self.publish_bundle(self.issuer).number}"),
            Job("bundle-after-change", _MINUTE, self._publish_patch),
            Job("targets", _TICK, self.follow_targets),
            Job("codes", _MINUTE, lambda: f"{self.sweep.expire_codes()} expired"),
            Job("unconfirmed", _MINUTE, lambda: f"{self.sweep.revoke_unconfirmed()} revoked"),
            Job("cancellations", _MINUTE, lambda: f"{self.own_certificates.finish_cancellations()} revoked"),
            Job("challenges", _MINUTE, lambda: f"{self.sweep.forget_challenges()} forgotten"),
            Job("sessions", _MINUTE, lambda: f"{self.sweep.forget_sessions()} forgotten"),
            Job("checkpoint", checkpoint_period, self._make_checkpoint),
            Job("reconcile", _MINUTE, lambda: f"{len(self.reconcile(grace=_UNFINISHED_GRACE))} finished"),
            Job("figures", _COUNTING, lambda: f"{self.count_figures()} counted"),
        ]
        by_name = {job.name: job for job in jobs}
        if set(by_name) != set(JOB_NAMES):
            raise LookupError("the jobs are not those that the jobs process asks for")
        return by_name

    def _renew(self, certify: CertifyResponder) -> str:
        renewed = certify.renew_if_due(self.issuer)
        return f"new certificate until {renewed.not_after:%d %b %Y}" if renewed else "still good"

    def _publish_tool(self) -> str:
        made = self.publish_tool()
        said = "still good" if self.publish_tool.find_offered() else "nothing is offered"
        if made:
            said = f"released number {made.number}, version {made.version}"
        if self.publish_tool.waits():
            version = self.publish_tool.program.version
            return f"{said}; version {version} waits for two CA administrators to release it"
        return said

    def _publish_changes(self) -> str:
        made = self.publish_crl.publish_changes(self.issuer) if self.publish_crl.is_due(self.issuer) else []
        names = " and ".join(record.scope.name for record in made)
        return f"published number {made[0].number} of {names}" if made else "nothing changed"

    def _publish_patch(self) -> str:
        made = self.publish_bundle.catch_up(self.issuer)
        return f"published number {made.number}" if made else "nothing changed"

    def _make_checkpoint(self) -> str:
        made, kept = self.checkpoint(), self.keep_snapshot()
        said = [f"signed at event {made.number}"] if made else []
        said += [f"standings kept at event {kept}"] if kept else []
        return ", ".join(said) or "nothing new"
