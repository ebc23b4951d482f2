"""Signed requests to S3: the requester's own credentials, and the agreement to pay for what is read.

Signature Version 4 and the search for credentials are botocore's; the transfer is the same as for any other address.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from urllib.parse import quote

from pile.errors import FetchError

#: Where a bucket is asked for until S3 names another region; also what AWS's own clients take for their default.
DEFAULT_REGION = "us-east-1"


class Signer:
    """Signs requests with the credentials that AWS's own tools would use; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: Any = None
        self._credentials: Any = None
        self._regions: dict[str, str] = {}

    def sign(self, method: str, bucket: str, key: str) -> tuple[str, dict[str, str]]:
        """Return the http(s) address of an object and the headers that must go with it.

        Raises ``FetchError`` when no credentials are found in the environment, AWS's files or the machine's role.
        """
        # Imported late: it takes as long as all the rest of the start-up, and most builds sign nothing.
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        with self._lock:
            credentials = self._find_credentials(bucket, key)
            region = self._regions.get(bucket) or self._session.get_config_variable("region") or DEFAULT_REGION
        url = self._endpoint(bucket) + "/" + quote(key, safe="/-_.~")
        request = AWSRequest(method=method, url=url, headers={"x-amz-request-payer": "requester"})
        S3SigV4Auth(credentials, "s3", region).add_auth(request)
        return url, dict(request.headers.items())

    def learn(self, bucket: str, region: str) -> bool:
        """Take note of the region that S3 names for ``bucket``; return whether it is news, so that a retry helps."""
        with self._lock:
            if not region or self._regions.get(bucket) == region:
                return False
            self._regions[bucket] = region
            return True

    def _endpoint(self, bucket: str) -> str:
        own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if own:
            return f"{own.rstrip('/')}/{bucket}"
        region = self._regions.get(bucket)
        service = f"s3.{region}.amazonaws.com" if region else "s3.amazonaws.com"
        # A bucket with a dot in its name is no host that S3's certificate stands for.
        return f"https://{service}/{bucket}" if "." in bucket else f"https://{bucket}.{service}"

    def _find_credentials(self, bucket: str, key: str) -> Any:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        try:
            if self._credentials is None:
                self._session = Session()
                self._credentials = self._session.get_credentials()
            if self._credentials is not None:
                return self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise FetchError(f"s3://{bucket}/{key}: AWS credentials cannot be used: {error}; correct them") from error
        raise FetchError(
            f"s3://{bucket}/{key}: no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE "
            "(a bucket may be requester-pays: AWS then bills the owner of the credentials for every byte)"
        )
