"""The exceptions of the library for object stores, said to people."""

from typing import Final

from boto3.exceptions import Boto3Error
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Busy,
    Changed,
    CredentialsUnusable,
    Interrupted,
    NotFound,
    NotPermitted,
    TransportError,
    Unreachable,
)

FAILURES: Final = (BotoCoreError, ClientError, Boto3Error)
"""What the library raises; anything else is a fault of ours and shows as one."""

_Kinds = tuple[type[BotoCoreError], ...]

# The first that fits says it.
_WITHOUT_ANSWER: Final[tuple[tuple[_Kinds, type[TransportError], str], ...]] = (
    (
        (exceptions.NoCredentialsError, exceptions.PartialCredentialsError),
        CredentialsUnusable,
        "there are no keys. Say `access_key_id` and `secret_access_key`, or run where the machine "
        "has a role.",
    ),
    (
        (exceptions.ProfileNotFound, exceptions.ConfigParseError),
        CredentialsUnusable,
        "the variable AWS_PROFILE or the AWS files of this machine name a profile that is not "
        "there. Mend or unset them.",
    ),
    (
        (exceptions.ReadTimeoutError,),
        Interrupted,
        "{server} was silent for {timeout:g} s.",
    ),
    (
        (exceptions.SSLError,),
        TransportError,
        "{server} does not prove to be the right server; its certificate is not one to trust. If "
        "it has a certificate authority of its own, name its certificate as `ca_file`.",
    ),
    (
        (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError),
        Unreachable,
        "{server} cannot be reached. Check `endpoint_url`, `region` and this machine's network.",
    ),
    (
        (exceptions.HTTPClientError, exceptions.IncompleteReadError),
        Interrupted,
        "{server} cut the connection.",
    ),
    (
        (BotoCoreError,),
        TransportError,
        "the settings of the object store do not fit. Check `bucket`, `region` and `endpoint_url`.",
    ),
)

# By Amazon's names of errors, which others use too; a HEAD has no body, and so only a status.
_MEANINGS: Final[tuple[tuple[tuple[str, ...], type[TransportError], str], ...]] = (
    (
        ("NoSuchKey", "404", "NotFound"),
        NotFound,
        "there is no such object. Check `path`, `bucket` and `prefix`.",
    ),
    (
        ("NoSuchBucket",),
        NotFound,
        "there is no bucket {bucket}. Check `bucket` and `endpoint_url`.",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"),
        AuthenticationRefused,
        "the server does not take the keys ({code}). Check `access_key_id` and "
        "`secret_access_key`.",
    ),
    (
        ("AccessDenied", "AllAccessDisabled", "Forbidden", "403"),
        NotPermitted,
        "the keys do not permit it. They need s3:PutObject and s3:GetObject below the prefix, and "
        "s3:ListBucket on {bucket}.",
    ),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocation", "301"),
        TransportError,
        "the bucket is in another region ({code}). Check `region`.",
    ),
    (
        ("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "500", "503"),
        Busy,
        "the server cannot answer now ({code}). Run it again later.",
    ),
    (
        ("PreconditionFailed", "412"),
        Changed,
        "it changed meanwhile. It will be taken when it has come to rest.",
    ),
)


def explained(
    error: Exception, task: str, bucket: str, server: str, timeout: float
) -> TransportError:
    """Why a `task`, such as "read s3://bucket/key", could not be done."""
    kind, why = TransportError, "the server does not say why."
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, ClientError):
            kind, why = _of_an_answer(cause)
            break
        if isinstance(cause, BotoCoreError):
            kind, why = _without_answer(cause)
            break
    said = why.format(bucket=bucket, server=server, timeout=timeout)
    return kind(f"Cannot {task}: {said}")


def _of_an_answer(error: ClientError) -> tuple[type[TransportError], str]:
    code = str(error.response.get("Error", {}).get("Code", "")) or "nothing that explains it"
    for codes, kind, why in _MEANINGS:
        if code in codes:
            return kind, why.replace("{code}", code)
    return TransportError, f"the server says {code}.".replace("{", "{{").replace("}", "}}")


def _without_answer(error: BotoCoreError) -> tuple[type[TransportError], str]:
    return next((kind, why) for kinds, kind, why in _WITHOUT_ANSWER if isinstance(error, kinds))
