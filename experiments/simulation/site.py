"""A site's view of the server: a few calls over one connection that stays open."""

import http.client
from typing import Any

import orjson

TIMEOUT_SECONDS = 30
FIRST_ERROR = 400


class SiteError(Exception):
    """The server refused a call of the pretended site."""


class Site:
    """Speaks JSON over HTTP to one server with one token."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._address = (host, port)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        self.requests = 0

    def get(self, path: str) -> Any:
        """The JSON document at this address."""
        return self._call("GET", path, None)

    def post(self, path: str, data: Any) -> Any:
        """The answer to this document.

        Raises:
            SiteError: when the server refuses it.
        """
        return self._call("POST", path, data)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _call(self, method: str, path: str, data: Any) -> Any:
        payload = None if data is None else orjson.dumps(data)
        self._connection.request(method, path, payload, self._headers)
        response = self._connection.getresponse()
        text = response.read()
        self.requests += 1
        if response.status >= FIRST_ERROR:
            message = f"{method} {path} -> {response.status}: {text.decode()}"
            raise SiteError(message)
        return orjson.loads(text) if text else None
