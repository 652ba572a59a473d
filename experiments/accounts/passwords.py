"""Secrets: argon2 for passwords people choose, a plain hash for random tokens.

A token has 256 random bits, so nobody can guess it from its SHA-256, and looking it up by hash
keeps the request path fast; a password needs the slow hash.
"""

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; as slow when there is no such person."""
    try:
        _hasher.verify(password_hash or _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return password_hash is not None


def new_secret(prefix: str) -> str:
    """A token that nobody can guess, recognisable by its prefix."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    """The hash under which a token is stored and found."""
    return hashlib.sha256(secret.encode()).hexdigest()
