"""What every client of this folder does with the `notebook` server, whatever its generation and its revision.

Takes: a function that opens a connection. Gives: the facts that were found, or an error.
Must not know: how a generation of the client is called.

A connection has `revision` and `session_id` (that of the header, None where the revision or transport has none) and the
coroutines `tools()` (name → (description, input schema)) and `call(name, arguments)` (→ `Answer`). It is opened by
`open(options, earlier, end)`, an asynchronous context manager: `earlier` is the connection whose session goes on, and
`end` says whether closing ends the session.
"""

import asyncio
import json
import re
import sys
import traceback
from dataclasses import dataclass
from typing import Any

MODERN = "2026-07-28"
NOTES = ["buy milk", 'größer — ☕ "quoted"']


@dataclass
class Options:
    url: str | None = None
    command: list[str] | None = None
    revision: str | None = None
    restart: bool = False
    hashes: bool = False


@dataclass
class Answer:
    blocks: list[Any]
    structured: Any
    is_error: bool

    @property
    def text(self) -> str:
        assert len(self.blocks) == 1 and self.blocks[0].type == "text", self.blocks
        return self.blocks[0].text


def parse_arguments(arguments: list[str]) -> Options:
    options = Options()
    rest = list(arguments)
    while rest:
        match rest.pop(0):
            case "--url":
                options.url = rest.pop(0)
            case "--revision":
                options.revision = rest.pop(0)
            case "--restart":
                options.restart = True
            case "--hashes":
                options.hashes = True
            case "--stdio":
                options.command, rest = rest, []
            case other:
                raise SystemExit(f"unknown argument {other}: expected --url, --revision, --restart, --hashes or --stdio")
    if (options.url is None) == (options.command is None):
        raise SystemExit("give either --url URL or --stdio COMMAND…")
    return options


def main(name: str, open) -> None:
    """Runs the scenario; prints one line of JSON and ends with the exit code."""
    options = parse_arguments(sys.argv[1:])
    facts = {"client": name, "transport": "http" if options.url else "stdio"}
    try:
        facts |= asyncio.run(run(options, open))
        facts["ok"] = True
    except Exception:
        facts["ok"] = False
        facts["error"] = traceback.format_exc()
    print(json.dumps(facts, ensure_ascii=False), flush=True)
    raise SystemExit(0 if facts["ok"] else 1)


async def run(options: Options, open) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    async with open(options, None, end=False) as first:
        if options.revision not in (None, "auto"):
            assert first.revision == options.revision, first.revision
        carrier = "handle" if first.revision == MODERN else "header" if options.url else "process"
        facts |= {"revision": first.revision, "carrier": carrier}
        if options.hashes:
            return facts | {"verified": await verify_unknown(first, carrier)}
        facts["tools"] = await check_tools(first, carrier)
        if carrier == "handle":
            await check_refusals(first)
        arguments = {"session": await open_session(first)} if carrier == "handle" else {}
        id = await status(first, arguments, 0)
        await read(first, arguments, id, [])
        for number, text in enumerate(NOTES, start=1):
            appended = await succeed(first, "notebook_append", arguments | {"text": text})
            assert appended.text == f"Note added (#{number}): {text}", appended.text
            structured(first, appended, {"action": "append", "note_number": number, "text": text, "session_id": id})
        await read(first, arguments, id, NOTES)
        if not options.url:
            await check_isolation(options, open, first, carrier, arguments, id)
            facts["isolated"] = True
            return facts

    if options.restart:
        # The server is replaced between the two connections: the next line of stdin says by which.
        print('{"closed":true}', flush=True)
        options.url = (await asyncio.to_thread(sys.stdin.readline)).strip()

    # Over HTTP a session outlives its connection.
    async with open(options, first, end=True) as again:
        if carrier == "header":
            assert first.session_id, "initialize gave no session id"
        await read(again, arguments, id, NOTES)
        facts["found_again"] = True
        await check_isolation(options, open, again, carrier, arguments, id)
        facts["isolated"] = True

    if carrier == "header":
        await check_ended(options, open, first)
        facts["ended"] = True
    return facts


async def verify_unknown(connection, carrier: str) -> bool:
    """The server is `hashcheck`: a typed result with a null, which the client holds against its schema."""
    assert "hashcheck_verify" in await connection.tools()
    handle = {"session": await open_session(connection)} if carrier == "handle" else {}
    answer = await succeed(connection, "hashcheck_verify", handle | {"key": "unknown", "text": "x"})
    assert answer.structured["stored_hash"] is None, answer.structured
    return True


async def check_tools(connection, carrier: str) -> list[str]:
    tools = await connection.tools()
    for name in ["notebook_append", "notebook_read", "notebook_clear", "notebook_status"]:
        assert name in tools, f"{name} is not listed"
        description, schema = tools[name]
        assert description, f"{name} has no description"
        required = "session" in schema.get("required", [])
        assert required == (carrier == "handle"), f"{name}: does it require a session handle? {schema}"
    assert ("open_session" in tools) == (carrier == "handle"), list(tools)
    return list(tools)


async def check_refusals(connection) -> None:
    """A missing and a forged handle are refused in the same words, which name the tool that gives a good one."""
    handle = await open_session(connection)
    forged = handle[:-1] + ("B" if handle.endswith("A") else "A")
    texts = []
    for arguments in [{}, {"session": forged}, {"session": "x"}]:
        answer = await connection.call("notebook_read", arguments)
        assert answer.is_error, f"{arguments} was accepted"
        assert "open_session" in answer.text, answer.text
        texts.append(answer.text)
    assert len(set(texts)) == 1, f"the refusals tell kinds apart: {texts}"


async def check_isolation(options: Options, open, connection, carrier: str, arguments: dict, id: str) -> None:
    """A second session sees nothing of the first, and leaves it alone."""

    async def check(other, their_arguments: dict) -> None:
        theirs = await status(other, their_arguments, 0)
        assert carrier == "process" or theirs != id
        await read(other, their_arguments, theirs, [])
        cleared = await succeed(other, "notebook_clear", their_arguments)
        assert cleared.text == "Notebook cleared (0 notes removed).", cleared.text
        structured(other, cleared, {"action": "clear", "session_id": theirs, "removed": 0})

    if carrier == "handle":
        await check(connection, {"session": await open_session(connection)})
    else:
        async with open(options, None, end=True) as other:
            await check(other, {})
    await read(connection, arguments, id, NOTES)
    assert await status(connection, arguments, len(NOTES)) == id


async def check_ended(options: Options, open, first) -> None:
    """The session was ended when its connection closed: its id opens nothing any more."""
    try:
        async with open(options, first, end=False) as dead:
            answer = await dead.call("notebook_read", {})
    except Exception as error:
        found = [str(leaf) for leaf in leaves(error)]
        # The generations word the 404 in their own ways.
        assert any(re.search(r"404|Not Found|Session terminated", text) for text in found), found
    else:
        raise AssertionError(f"a session that was ended still answers: {answer}")


def leaves(error: BaseException) -> list[BaseException]:
    """The errors that a group of errors holds, however deep."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


async def open_session(connection) -> str:
    answer = await succeed(connection, "open_session", {})
    handle = answer.structured["session"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{38}", handle), handle
    assert handle in answer.text, "the text does not give the handle"
    return handle


async def succeed(connection, name: str, arguments: dict) -> Answer:
    answer = await connection.call(name, arguments)
    assert not answer.is_error, f"{name} failed: {answer.blocks}"
    return answer


async def read(connection, arguments: dict, id: str, expected: list[str]) -> None:
    """The notes of the session, which must be these."""
    answer = await succeed(connection, "notebook_read", arguments)
    title, *lines = answer.text.split("\n")
    assert title == (f"Notebook ({len(expected)} notes):" if expected else "(notebook is empty)"), title
    notes = []
    for number, line in enumerate(lines, start=1):
        found = re.fullmatch(r"  (\d+)\. \[([^\]]+)\] (.*)", line)
        assert found and int(found[1]) == number, f"not a line of notes: {line}"
        notes.append({"text": found[3], "timestamp": found[2]})
    assert [note["text"] for note in notes] == expected, notes
    structured(connection, answer, {"action": "read", "session_id": id, "notes": notes, "count": len(expected)})


async def status(connection, arguments: dict, notes: int) -> str:
    """Which session the server sees, which must have that many notes."""
    answer = await succeed(connection, "notebook_status", arguments)
    found = re.fullmatch(r"Session (\S+): (\d+) notes, (\d+) calls", answer.text)
    assert found and int(found[2]) == notes, f"not a status of {notes} notes: {answer.text}"
    structured(connection, answer, {"session_id": found[1], "note_count": notes, "tool_calls": int(found[3])})
    return found[1]


def structured(connection, answer: Answer, expected: dict) -> None:
    """Structured results began with 2025-06-18: before it there is the text alone."""
    if connection.revision < "2025-06-18":
        assert answer.structured is None, answer.structured
    else:
        assert answer.structured == expected, f"{answer.structured} is not {expected}"
