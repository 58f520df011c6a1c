"""
Our web routes, all under /lineage/, in ComfyUI's own server: the browser needs neither a token nor another port. They are
handed to the bridge, which starts when the first one comes.
"""

from __future__ import annotations

import json
import sys
import urllib.parse

from .connection import Call
from .exchange import Exchange
from .failures import LineageFailure
from .link import Link

# What ComfyUI takes in one upload by default.
_MAX_BODY_BYTES = 100 * 1024 * 1024
_ANSWER_SECONDS = 120
# What a form of another site could post without asking.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def register(link: Link) -> None:
    """Adds the routes to ComfyUI's table, if this is ComfyUI. The server reads the table after all packs are loaded."""
    instance = getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)
    if instance is None:
        return
    from aiohttp import web

    async def status(request):
        return refusal(request, web) or _json(web, 200, describe(link))

    async def forward(request):
        return refusal(request, web) or await _forward(request, link, web)

    instance.routes.get("/lineage/status")(status)
    instance.routes.get("/lineage/{path:.+}")(forward)
    instance.routes.post("/lineage/{path:.+}")(forward)


def describe(link: Link) -> dict:
    """Looks only: asking does not start the bridge."""
    connection, failure = link.connection, link.last_failure
    return {
        "version": link.version[1],
        "protocol": link.version[0],
        "running": connection is not None,
        "node": None if connection is None else connection.node_version,
        "error": None if failure is None else _error(failure)["error"],
    }


def refusal(request, web):
    """
    What another site's page sends is refused, and a page without origin (a file, a frame in a sandbox) too; ComfyUI's own
    check looks at neither.
    """
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _json(web, 403, _message("expected a page of this server, got one of another site"))
    if origin is not None and urllib.parse.urlsplit(origin).netloc.lower() != (request.host or "").lower():
        return _json(web, 403, _message("expected the origin of this server, got another"))
    if request.method == "POST" and request.content_type in _FORMS:
        return _json(web, 415, _message("expected bytes or JSON, got a form"))
    return None


async def _forward(request, link: Link, web):
    if (request.content_length or 0) > _MAX_BODY_BYTES:
        return _json(web, 413, _message(f"expected at most {_MAX_BODY_BYTES} bytes"))
    body = await request.read() if request.method == "POST" else b""
    try:
        with await link.call() as call:
            file = call.own(call.exchange.write_bytes(body)) if body else None
            call.send(
                {
                    "kind": "panel",
                    "method": request.method if request.method == "POST" else "GET",
                    "path": "/" + request.match_info["path"],
                    "query": [[key, value] for key, value in request.query.items()],
                    "body": file,
                }
            )
            return await _answer(call, web)
    except LineageFailure as failure:
        return _json(web, 500 if failure.code == "bug" else 503, _error(failure))


async def _answer(call: Call, web):
    message = await call.next(_ANSWER_SECONDS)
    if message is None:
        raise LineageFailure("bridge/hung", f"expected an answer within {_ANSWER_SECONDS} s, got none")
    if message["kind"] == "lost":
        raise message["failure"]
    if message["kind"] == "failed":
        error = message["error"]
        raise LineageFailure(error["code"], error["message"], error["hint"])
    body = b""
    if message["body"] is not None:
        file = message["body"]
        body = read_bytes(file, call.exchange, call.connection.taker(file))
    headers = {"Content-Type": message["contentType"], **_HEADERS}
    return web.Response(status=message["status"], body=body, headers=headers)


_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def read_bytes(file: dict, exchange: Exchange, taken) -> bytes:
    """The bytes of an exchange file; `taken` as for `Exchange.read`."""
    kind, _, elements = exchange.read(file, taken)
    if kind != "bytes":
        raise LineageFailure("exchange/file", f"expected bytes, got {kind}")
    return bytes(elements)


def _error(failure: LineageFailure) -> dict:
    return {"error": {"code": failure.code, "message": failure.message, "hint": failure.hint}}


def _message(text: str) -> dict:
    return {"error": {"code": "refused", "message": text, "hint": ""}}


def _json(web, status: int, value: dict):
    return web.Response(
        status=status, text=json.dumps(value), content_type="application/json", headers=dict(_HEADERS)
    )
