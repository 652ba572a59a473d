"""Sending JSON to an address that somebody typed in, without being led to machines of ours.

The name is resolved once, every address behind it must be public, and the connection goes to the
very address that was looked at. Redirects are not followed: they would lead elsewhere unseen.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from experiments.errors import NotDeliveredError

SECONDS = 10
LONGEST_ANSWER_BYTES = 300
GONE = 410
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 hidden in IPv6 by a translator


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, internal_hosts: Collection[str] = ()
) -> None:
    """Send a document.

    Args:
        url: http or https.
        body: the document.
        headers: besides those every request has.
        internal_hosts: names of machines that may have private addresses.

    Raises:
        NotDeliveredError: when it was not taken; final when the address is refused or gone.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = _resolved(host, port, internal=host in internal_hosts)
        connection = _Pinned(host, port, address=address, secure=secure)
    except (OSError, ValueError) as error:
        raise NotDeliveredError(f"{host} cannot be found: {error}") from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, {"User-Agent": "Desireline", **headers})
        answer = connection.getresponse()
        told = answer.read(LONGEST_ANSWER_BYTES).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise NotDeliveredError(f"{host} did not answer: {reason}") from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        words = f"{host} answered {answer.status} {answer.reason}: {told}".rstrip(": ")
        raise NotDeliveredError(words, gone=answer.status == GONE)


def _resolved(host: str, port: int, *, internal: bool) -> str:
    """One public address of a host, if all of them are."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(item[4][0]) for item in found]
    for address in addresses:
        if not internal and not _is_public(address):
            message = f"{host} leads to {address}, which is not a public address; an operator can "
            raise NotDeliveredError(f"{message}allow it by DESIRELINE_INTERNAL_HOSTS.")
    return addresses[0]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return address.is_global and not address.is_multicast


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked at, which still checks the name's certificate."""

    def __init__(self, host: str, port: int, *, address: str, secure: bool) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self.default_port = 443 if secure else 80
        self.address = address
        self.secure = secure

    def connect(self) -> None:
        """Connect to the pinned address."""
        plain = socket.create_connection((self.address, self.port), SECONDS)
        self.sock = plain
        if self.secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(plain, server_hostname=self.host)
