"""An object store on loopback: moto's server, which speaks S3."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import boto3
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET: Final = "rosters"


@contextmanager
def object_store() -> Iterator[tuple[str, "S3Client"]]:
    """Its address, and what somebody else sees of it, who has made the one bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="other",
        aws_secret_access_key="other",
    )
    client.create_bucket(Bucket=BUCKET)
    try:
        yield address, client
    finally:
        server.stop()
