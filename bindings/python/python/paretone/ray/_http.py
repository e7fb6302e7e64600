"""The HTTP of ``paretone serve``: what a request asks for, and how it is answered."""

from __future__ import annotations

import importlib
import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from paretone._result import Result
from paretone._policy import Rule, Served

# The largest body that is read, in bytes.
MOST_BYTES = 256 << 20
OPENAI_MODELS = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize")
FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
LISTED = (0, 1, 2, 5, 10)
TITLES = {400: "Bad request", 404: "Not found", 413: "Too large", 415: "Not supported", 429: "Busy", 503: "Unavailable"}


@dataclass(frozen=True)
class Asked:
    """What a request asks for."""

    audio: bytes
    tolerance: float | str
    objective: str | None
    deadline: float | None
    shape: str
    name: str

    def shaped(self, rule: Rule, served: Served, seconds: float) -> Any:
        """The answer in the shape asked for, with its account in the headers."""
        result, account = served.heard.result, _account(rule, served, seconds)
        headers = _headers(account)
        if self.shape == "text":
            return answer(f"{result.text}\n", headers)
        if self.shape == "srt":
            return answer(result.to_srt(), headers, "application/x-subrip")
        if self.shape == "vtt":
            return answer(result.to_vtt(), headers, "text/vtt")
        return answer(json.dumps(_fields(self.shape, result, account)), headers, "application/json")


def _fields(shape: str, result: Result, account: dict[str, Any]) -> dict[str, Any]:
    words = [asdict(word) for word in result.words]
    if shape == "computed":
        return {"text": result.text, "words": words, "audio_seconds": result.audio_seconds, "account": account}
    rest = {"usage": {"type": "duration", "seconds": result.audio_seconds}, "account": account}
    if shape == "json":
        return {"text": result.text, **rest}
    told = {"task": "transcribe", "language": "english", "duration": result.audio_seconds}
    return {**told, "text": result.text, "words": words, **rest}


async def read(request: Any, form: bool) -> Asked:
    """Read a request: its headers, and its body as a recording or as OpenAI's form.

    Raises
    ------
    ValueError, LookupError, OverflowError
        It cannot be understood, names no model there is, or is too large.
    """
    tolerance, objective = _once(request, "Tolerance"), _once(request, "Objective")
    deadline, name = _deadline(_once(request, "Deadline")), _name(request)
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        raise OverflowError(f"the body is larger than the {MOST_BYTES} bytes that are read")
    if not form:
        wants_json = "application/json" in request.headers.get("accept", "")
        audio = await _body(request)
        return Asked(audio, tolerance or 0.0, _objective(objective), deadline, "computed" if wants_json else "text", name)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ValueError("this path reads multipart/form-data with a boundary")
    fields = await request.form(max_files=1, max_fields=64, max_part_size=MOST_BYTES)
    upload = fields.get("file")
    if not hasattr(upload, "read"):
        raise ValueError("the form has no field `file`")
    named = _of_model(str(fields.get("model", "paretone")))
    shape = str(fields.get("response_format", "json"))
    if shape not in FORMATS:
        raise ValueError("response_format is json, text, srt, vtt or verbose_json")
    share = fields.get("tolerance") or tolerance or named[0] or 0.0
    goal = fields.get("objective") or objective or named[1]
    return Asked(await upload.read(), share, _objective(goal), deadline, shape, name)


def answer(text: str, headers: Mapping[str, str] | None = None, kind: str = "text/plain", status: int = 200) -> Any:
    """Make a response."""
    response: Any = importlib.import_module("starlette.responses").Response
    return response(text, status, headers=dict(headers or {}), media_type=kind)


def problem(status: int, told: str, headers: Mapping[str, str] | None = None) -> Any:
    """Say why there is no answer, as RFC 9457 has it and as OpenAI's clients read it."""
    title = TITLES.get(status, "Error")
    fields = {"type": f"urn:paretone:problem:{title.lower().replace(' ', '-')}", "title": title, "status": status, "detail": told}
    fields["error"] = {"message": told, "type": "invalid_request_error" if status < 500 else "server_error"}
    return answer(json.dumps(fields), headers, "application/problem+json", status)


def models() -> Any:
    """List names for OpenAI's field ``model``."""
    tiers = [f"paretone-{percent}pct-{goal}" for percent in LISTED for goal in ("cost", "response-time")]
    made = {"object": "model", "created": 0, "owned_by": "paretone"}
    names = ["paretone", *OPENAI_MODELS, *tiers]
    return answer(json.dumps({"object": "list", "data": [{"id": name, **made} for name in names]}), kind="application/json")


async def _body(request: Any) -> bytes:
    got = bytearray()
    async for chunk in request.stream():
        got += chunk
        if len(got) > MOST_BYTES:
            raise OverflowError(f"the body is larger than the {MOST_BYTES} bytes that are read")
    return bytes(got)


def _once(request: Any, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise ValueError(f"the header {name} must be given once, as text")
    return values[0].strip() if values else None


def _name(request: Any) -> str:
    """The id of a request: the caller's, where it is a plain word, or a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", given) else uuid.uuid4().hex


def _objective(name: Any) -> str | None:
    return str(name).strip().lower() if name else None


def _deadline(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise ValueError(f"a deadline is a number of seconds above 0, such as 2.5; got {text[:32]!r}")
    return min(seconds, 1e9)


def _of_model(name: str) -> tuple[str | None, str | None]:
    """The tolerance and the objective that a model's name asks for."""
    if name == "paretone" or name in OPENAI_MODELS:
        return None, None
    unknown = LookupError(f"there is no model {name[:32]!r}: GET /v1/models lists them, such as paretone-5pct-cost")
    if not name.startswith("paretone-"):
        raise unknown
    percent, found, goal = name.removeprefix("paretone-").partition("pct")
    if not found:
        percent, goal = "", f"-{percent}"
    if goal not in ("", "-cost", "-response-time"):
        raise unknown
    try:
        share = f"{float(percent)}%" if percent else None
    except ValueError:
        raise unknown from None
    return share, goal[1:] or None


def _account(rule: Rule, served: Served, seconds: float) -> dict[str, Any]:
    result = served.heard.result
    told = {
        "tier": rule.name,
        "bound": rule.bound,
        "policy": rule.policy,
        "versions": list(served.versions),
        "answered_by": served.answered_by,
        "escalated": served.escalated,
        "confidence": result.confidence or 0.0,
        "server_ms": round(1000 * seconds, 3),
        "machine_ms": round(1000 * served.seconds, 3),
        "certificate": rule.certificate,
    }
    return {**told, **({"partly_read": result.partly_read} if result.partly_read else {})}


def _headers(account: dict[str, Any]) -> dict[str, str]:
    named = {name: account[name] for name in ("tier", "policy", "server_ms", "machine_ms", "certificate")}
    named["versions"] = ", ".join(account["versions"])
    named["escalated"] = str(account["escalated"]).lower()
    named["confidence"] = f"{account['confidence']:.4f}"
    if "partly_read" in account:
        named["partly_read"] = account["partly_read"]
    plain = {name: str(value).encode("ascii", "ignore").decode() for name, value in named.items()}
    return {f"paretone-{name.replace('_', '-')}": value for name, value in plain.items()}
