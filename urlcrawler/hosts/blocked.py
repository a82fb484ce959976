"""Pages of protection services that stand in for the page that was asked for.

A closed table of what the services document or visibly send. It is looked at to be honest in the
table (`blocked` instead of a false `ok`) and to slow down; nothing here gets around them.
"""

from collections.abc import Mapping
from typing import NamedTuple

SHORT = 65_536  # bytes; no challenge page is longer, and a long page may quote one


class Sign(NamedTuple):
    """What a page of a protection service looks like; all that is given must hold.

    Attributes:
        service: its name, for the row.
        statuses: HTTP statuses that it comes with; empty for any.
        header: a header that the answer has.
        value: what stands in that header, in lower case; empty for anything.
        body: what stands in the body.
    """

    service: str
    statuses: frozenset[int] = frozenset()
    header: str = ""
    value: str = ""
    body: bytes = b""


_REFUSALS = frozenset({401, 403, 405, 406, 429, 503})

SIGNS = (
    # developers.cloudflare.com: "Detect a Challenge Page response"
    Sign("Cloudflare", header="cf-mitigated", value="challenge"),
    Sign("Cloudflare", _REFUSALS, "server", "cloudflare", b"cdn-cgi/challenge-platform"),
    Sign("Cloudflare", _REFUSALS, "server", "cloudflare", b"Attention Required! | Cloudflare"),
    Sign("Cloudflare", _REFUSALS, "server", "cloudflare", b"error code: 10"),
    # docs.aws.amazon.com: "How the AWS WAF challenge and CAPTCHA actions work"
    Sign("AWS WAF", header="x-amzn-waf-action"),
    # vercel.com/docs: "Vercel Firewall", response headers
    Sign("Vercel", header="x-vercel-mitigated"),
    Sign("Akamai", frozenset({403}), "server", "akamaighost", b"Access Denied"),
    Sign("DataDome", frozenset({401, 403, 405}), body=b"captcha-delivery.com"),
    Sign("HUMAN", frozenset({403, 429}), body=b"px-captcha"),
    Sign("Imperva", frozenset({200, 403}), "x-iinfo", body=b"_Incapsula_Resource"),
    Sign("Sucuri", header="x-sucuri-block"),
    Sign("Kasada", frozenset({429}), "x-kpsdk-ct"),
    Sign("DDoS-Guard", frozenset({403, 503}), "server", "ddos-guard"),
    Sign("Anubis", body=b'id="anubis_challenge"'),
)


def challenge(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return whose challenge or block page an answer is; None when it is none.

    Args:
        headers: names in lower case.
        body: unpacked.
    """
    for sign in SIGNS:
        if sign.statuses and status not in sign.statuses:
            continue
        header = headers.get(sign.header)
        if sign.header and (header is None or sign.value not in header.lower()):
            continue
        if sign.body and (len(body) > SHORT or sign.body not in body):
            continue
        return sign.service
    return None
