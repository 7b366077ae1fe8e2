"""Which kinds of key and signature exist here (STANDARDS K01-K05; NIST SP 800-57 part 1, RFC 5480, RFC 8017)."""

from enum import StrEnum


class KeyAlgorithm(StrEnum):
    """Kinds of key pair we make and accept: at least 112 bits of strength."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"


class SignatureAlgorithm(StrEnum):
    """How a key signs. One choice per kind of key, so that nobody can ask for a weaker one."""

    RSA_SHA256 = "sha256WithRSAEncryption"
    ECDSA_SHA256 = "ecdsa-with-SHA256"
    ECDSA_SHA384 = "ecdsa-with-SHA384"


SIGNATURE_OF: dict[KeyAlgorithm, SignatureAlgorithm] = {
    KeyAlgorithm.RSA_2048: SignatureAlgorithm.RSA_SHA256,
    KeyAlgorithm.RSA_3072: SignatureAlgorithm.RSA_SHA256,
    KeyAlgorithm.RSA_4096: SignatureAlgorithm.RSA_SHA256,
    KeyAlgorithm.EC_P256: SignatureAlgorithm.ECDSA_SHA256,
    KeyAlgorithm.EC_P384: SignatureAlgorithm.ECDSA_SHA384,
}
