"""What a new source's file has in the place of what its writer did not know."""

from typing import Final

from roster_pipeline.sources.config import Source
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.transport.config import SftpConfig

PLACEHOLDER: Final = "fill-me-in"

NO_FINGERPRINT: Final = f"SHA256:{'A' * 43}"
"""The same of a host key's fingerprint, which has a form of its own."""


def placeholders(source: Source) -> list[str]:
    """The keys of a source's file that still have one."""
    if source.rest is not None:
        return placeholders_in_rest(source.rest)
    sftp = None if source.transport is None else source.transport.sftp
    if sftp is None:
        return []
    unknown = ["fingerprint"] if sftp.fingerprint == NO_FINGERPRINT else []
    return [*placeholders_in_sftp(sftp), *unknown]


def placeholders_in_rest(rest: Rest) -> list[str]:
    """The keys of a server."""
    said: dict[str, object] = {"base_url": rest.base_url, "app": rest.app}
    for login in rest.auth:
        if login.oauth2 is not None:
            said |= {"client_id": login.oauth2.client_id, "token_url": login.oauth2.token_url}
        if login.oauth1 is not None:
            said["consumer_key"] = login.oauth1.consumer_key
    found = [key for key, value in said.items() if isinstance(value, str) and PLACEHOLDER in value]
    # The vendor makes it of the others.
    return [key for key in found if key != "token_url" or not {"base_url", "app"} & {*found}]


def placeholders_in_sftp(sftp: SftpConfig) -> list[str]:
    """The keys of an SFTP server, but for the fingerprint: that is shown to whoever asks."""
    said = {"host": sftp.host, "username": sftp.username}
    return [key for key, value in said.items() if PLACEHOLDER in value]
