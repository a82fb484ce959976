"""What a row says of a certificate that was refused."""

from OpenSSL import SSL

OTHER_HOST = 62
# X509_V_ERR_* of OpenSSL's x509_vfy.h
_WORDS = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "it is signed by an authority of its own",
    20: "nobody who signed it is known here",
    21: "nobody who signed it is known here",
    23: "it was revoked",
    OTHER_HOST: "it is for other hosts",
    64: "it is for other hosts",  # its address
}


class CertificateRefused(SSL.Error):
    """What a handshake ends with; of this class like all that goes wrong in one."""

    def __init__(self, error: int) -> None:
        """Say what is wrong, by the number that OpenSSL has for it."""
        words = _WORDS.get(error, f"error {error} of OpenSSL")
        super().__init__(f"the certificate was refused: {words}")
