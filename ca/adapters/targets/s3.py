"""Publication to S3-compatible storage: one object a file, put whole, over nothing but what was found there.

boto3 is loaded only where a target asks for it (docs/adr/0021).
"""

import io
from pathlib import Path
from typing import Any

from ca.domain.errors import NotReady
from ca.publishing import PublishedFile
from ca.targets import Held, Item

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 5, 20, 2
_ABSENT = {"404", "NoSuchKey", "NotFound"}


class S3Target:
    """targets.Target. Objects are named `prefix` + path."""

    def __init__(
        self, name: str, *, endpoint_url: str, bucket: str, prefix: str, region: str, credentials: Path
    ) -> None:
        """`credentials` is a file in boto3's format. Raises NotReady when boto3 is not installed."""
        self.name = name
        self._endpoint = endpoint_url
        self._bucket = bucket
        self._prefix = prefix
        self._region = region
        self._credentials = credentials
        try:
            import boto3
            import botocore.config
            import botocore.exceptions
        except ImportError as error:
            raise NotReady(
                f"publication target {name} needs boto3: install requirements-publishers.txt (deploy/README.md)"
            ) from error
        self._errors: tuple[type[Exception], ...] = (
            botocore.exceptions.BotoCoreError,
            botocore.exceptions.ClientError,
            OSError,
            ValueError,
        )
        self._config = botocore.config.Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS},
            s3={"addressing_style": "path"},
        )
        self._boto3 = boto3
        self._client: Any = None

    def takes(self, path: str) -> bool:
        del path
        return True

    def find(self, path: str) -> Held | None:
        try:
            found = self._connected().head_object(Bucket=self._bucket, Key=self._prefix + path)
        except self._errors as error:
            if _code(error) in _ABSENT:
                return None
            raise self._not_ready(error) from error
        told, length = found.get("Metadata", {}), str(found.get("ContentLength"))
        # Somebody may have put something else there and left what we had said of ours.
        is_ours = told.get("size") == length and told.get("number", "").isdecimal()
        return (
            Held(int(told["number"]), told.get("sha256", ""), found["ETag"]) if is_ours else Held(0, "", found["ETag"])
        )

    def put(self, item: Item, content: PublishedFile, over: Held | None) -> None:
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over.tag}
        try:
            self._connected().put_object(
                Bucket=self._bucket,
                Key=self._prefix + item.path,
                Body=io.BufferedReader(_Stream(content)),
                ContentLength=content.size,
                ContentType=item.media_type,
                CacheControl=f"public, max-age={item.max_age}, no-transform, must-revalidate",
                Metadata={"number": str(item.number), "sha256": item.sha256, "size": str(content.size)},
                **condition,
            )
        except self._errors as error:
            raise self._not_ready(error) from error

    def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Any:
        if self._client is None:
            session = self._boto3.session.Session(**_read_credentials(self._credentials, self.name))
            self._client = session.client(
                "s3", endpoint_url=self._endpoint, region_name=self._region, config=self._config
            )
        return self._client

    def _not_ready(self, error: Exception) -> NotReady:
        code = _code(error)
        if code in {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch"}:
            # The file may have been mended: it is read again.
            self.close()
        return NotReady(f"the storage at {self._endpoint} refuses or does not answer ({code or type(error).__name__})")


def _code(error: Exception) -> str:
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _read_credentials(path: Path, name: str) -> dict[str, str]:
    """Two lines, `access_key_id = …` and `secret_access_key = …`. Raises NotReady."""
    try:
        lines = [line.partition("=") for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(f"the credentials of publication target {name} cannot be read: {path}") from error
    found = {key.strip(): value.strip() for key, _, value in lines}
    if found.keys() != {"access_key_id", "secret_access_key"}:
        raise NotReady(f"{path} has two lines: access_key_id = … and secret_access_key = …")
    return {f"aws_{key}": value for key, value in found.items()}


class _Stream(io.RawIOBase):
    """A published file as boto3 reads it: again from its beginning when it tries again, and never whole in memory."""

    def __init__(self, content: PublishedFile) -> None:
        self._content = content
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._content.size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        chunk = self._content.read(self._at, len(buffer))
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)
