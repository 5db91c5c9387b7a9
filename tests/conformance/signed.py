"""Signatures of OAuth 1.0a, verified by oauthlib's own side of a server."""

from collections.abc import Mapping
from typing import Any

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint


class Verifier:
    """Knows one consumer, one method, and what was signed before."""

    def __init__(self, key: str, secret: str, method: str) -> None:
        self._endpoint = SignatureOnlyEndpoint(_Consumer(key, secret, method))

    def takes(self, method: str, url: str, headers: Mapping[str, str]) -> bool:
        """Whether a request without a body is signed as it should be, for the first time."""
        valid, _ = self._endpoint.validate_request(url, method, "", dict(headers))
        return bool(valid)


class _Consumer(RequestValidator):
    dummy_client = "nobody"
    enforce_ssl = False
    client_key_length = (1, 50)
    nonce_length = (8, 64)

    def __init__(self, key: str, secret: str, method: str) -> None:
        super().__init__()
        self._key = key
        self._secret = secret
        self._method = method
        self._seen: set[tuple[str, str]] = set()

    @property
    def allowed_signature_methods(self) -> tuple[str, ...]:
        return (self._method,)

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == self._key

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return self._secret

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        if (timestamp, nonce) in self._seen:
            return False
        self._seen.add((timestamp, nonce))
        return True
