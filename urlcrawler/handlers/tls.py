"""Certificates: checked, and when they are refused, the row says why.

Scrapy's factory builds a context for each connection, which with certificates to be checked means
to read a few hundred of them from the disk each time; and OpenSSL's own words for every refusal are
"certificate verify failed". So there is one context here, and a callback that tells. What it takes
to say so is private in both; `tests/crawl/test_certificates.py` fails when it goes.
"""

from functools import cached_property, partial
from typing import Any
from weakref import ref

import certifi
from OpenSSL import SSL
from scrapy.core.downloader.contextfactory import _ScrapyClientContextFactory
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet._sslverify import ClientTLSOptions
from twisted.python.failure import Failure

from urlcrawler.handlers.certificates import OTHER_HOST, CertificateRefused


class ContextFactory(_ScrapyClientContextFactory):
    """Check certificates with DOWNLOAD_VERIFY_CERTIFICATES.

    By the authorities that the system knows (SSL_CERT_FILE and SSL_CERT_DIR say which), and those
    that browsers know (certifi), as some systems come with none.
    """

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # noqa: N802 - Twisted's names
        """Return what makes TLS connections to *hostname*."""
        make = self._shared_options._makeTLSConnection
        return _Connections(make, hostname.decode("ascii"), checks=self._verify_certificates)

    @cached_property
    def _shared_options(self) -> Any:
        options: Any = self._get_cert_options()
        if self._verify_certificates:
            context: SSL.Context = options.getContext()
            context.set_default_verify_paths()
            context.load_verify_locations(certifi.where())
        return options


class _Connections(ClientTLSOptions):
    """Makes the TLS connections to one host."""

    def __init__(self, make: Any, hostname: str, *, checks: bool) -> None:
        super().__init__(make, hostname)
        self._checks = checks

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N802, N803
        """Return a connection that has not been opened yet."""
        connection = super().clientConnectionForTLS(tlsProtocol)
        check = partial(self._check, ref(tlsProtocol)) if self._checks else _accept
        connection.set_verify(SSL.VERIFY_PEER, check)
        return connection

    def _check(
        self, protocol: Any, connection: Any, certificate: Any, error: int, depth: int, ok: int
    ) -> bool:
        if ok and depth == 0:
            kind = DNS_ID if self._hostnameIsDnsName else IPAddress_ID
            try:
                verify_service_identity(
                    extract_patterns(certificate), [kind(self._hostnameASCII)], []
                )
            except (CertificateError, VerificationError):
                error, ok = OTHER_HOST, 0
        if not ok:
            # OpenSSL would lose an exception; this is Twisted's way around it.
            refused = Failure(CertificateRefused(error))  # type: ignore[no-untyped-call]
            protocol().failVerification(refused)
        return bool(ok)


def _accept(*args: Any) -> bool:
    return True
