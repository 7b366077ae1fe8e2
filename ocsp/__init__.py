"""What relying parties ask: OCSP answers, CRLs and CA certificates. This process can read, and holds no key."""
