"""What customers do on the portal, and officers for the portal, by operations that must be refused."""

from ca import operations as ops
from ca import portal_operations as portal

PORTAL_ACTS: list[ops.Operation] = [
    portal.OrderToolJob(operation="sign"),
    portal.HandOutLetter(session="none", number="none"),
    portal.OpenAccount(number="none", code="none", password="none"),
    portal.PortalSignIn(number="none", password="none", source="none"),
    portal.PortalSignInByKey(certificate=b"", nonce=b"", signature=b"", source="none"),
    portal.RenewByKey(certificate=b"", request=b"", nonce=b"", signature=b""),
    portal.CancelByKey(serial="a1", certificate=b"", nonce=b"", signature=b""),
    portal.PortalSignOut(session="none"),
    portal.ReportLost(session="none", serial="a1"),
    portal.CancelOwn(session="none", serial="a1"),
    portal.UndoCancellation(session="none", serial="a1"),
    portal.ChangeLoginPassword(session="none", old="none", new="none"),
    portal.ChooseLanguage(session="none", language="en"),
    portal.EndOtherSessions(session="none"),
    portal.ChooseChannel(session="none", channel="both"),
    portal.HandDeviceToCompany(session="none", number="none", serial="none"),
    portal.OrderCompanyApplication(session="none", device_serial="none"),
    portal.CompanyApply(session="none", number="1", device_serial="1", certificate=b"", nonce=b"", signature=b""),
    portal.OrderCompanyHold(session="none", serial="a1"),
    portal.CompanyHold(session="none", serial="a1", certificate=b"", nonce=b"", signature=b""),
]
