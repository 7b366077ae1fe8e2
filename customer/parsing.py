"""JSON bodies, read as the messages that the signer takes: a field that they do not know is refused."""

import json
from typing import Any, TypeVar

from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from ca.domain.errors import InvalidRequest
from ca.operations import Operation

Message = TypeVar("Message", bound=Operation)


def parse_body(kind: type[Message], **ours: str) -> Message:
    """The current request's, with what only we may say. Raises InvalidRequest, UnsupportedMediaType."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON with the content type application/json.")
    try:
        told = json.loads(request.get_data(), object_pairs_hook=_unique)
        if not isinstance(told, dict) or set(ours) & set(told):
            raise ValueError("not an object, or one that says what is ours to say")
        return kind.model_validate(told | ours)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidRequest(f"{where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("the body is not a JSON object with each name once") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of one text must not see two things, so a repeated name is refused."""
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name is repeated")
    return names
