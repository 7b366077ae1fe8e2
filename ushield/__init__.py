"""The customer's U-Shield tool: downloads a certificate into a PKCS#11 token, shows it, tests it.

It shares no code with the bank's side; what both know is `docs/protocols/enrolment.md`.
"""

__version__ = "0.2.0"
