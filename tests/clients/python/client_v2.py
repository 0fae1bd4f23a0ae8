"""The official Python client of the second generation, `mcp` 2.x, which speaks 2026-07-28 and the older revisions."""

from contextlib import AsyncExitStack, asynccontextmanager

import mcp_types as types
from mcp import ClientSession, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from scenario import MODERN, Answer, main


class Connection:
    def __init__(self, session, revision, session_id):
        self.session, self.revision, self.session_id = session, revision, session_id

    async def tools(self):
        return {tool.name: (tool.description, tool.input_schema) for tool in (await self.session.list_tools()).tools}

    async def call(self, name, arguments):
        result = await self.session.call_tool(name, arguments)
        return Answer(result.content, result.structured_content, result.is_error)


@asynccontextmanager
async def open(options, earlier, end):
    modern = options.revision in (None, "auto", MODERN)
    async with AsyncExitStack() as stack:
        if options.url is None:
            transport = stdio_client(StdioServerParameters(command=options.command[0], args=options.command[1:]))
        else:
            # The client offers no way to name the session of before, so its HTTP client sends the header; nor does
            # it tell the id that it was given, so its HTTP client listens in.
            seen = {}

            async def listen(response):
                seen["id"] = response.headers.get("mcp-session-id") or seen.get("id")

            headers = {} if earlier is None or modern else {
                "mcp-session-id": earlier.session_id,
                "mcp-protocol-version": earlier.revision,
            }
            http = create_mcp_http_client(headers=headers)
            http.event_hooks["response"].append(listen)
            await stack.enter_async_context(http)
            transport = streamable_http_client(options.url, http_client=http, terminate_on_close=end)

        if modern:
            mode = "auto" if options.revision == "auto" else MODERN
            client = await stack.enter_async_context(Client(transport, mode=mode))
            yield Connection(client, client.session.protocol_version, None)
            return

        read, write = await stack.enter_async_context(transport)
        session = await stack.enter_async_context(ClientSession(read, write))
        if earlier is None:
            revision = (await session.initialize()).protocol_version
            yield Connection(session, revision, seen.get("id") if options.url else None)
        else:
            session.adopt(
                types.InitializeResult(
                    protocol_version=earlier.revision,
                    capabilities=types.ServerCapabilities(),
                    server_info=types.Implementation(name="notebook", version="0"),
                )
            )
            yield Connection(session, earlier.revision, earlier.session_id)
            if end:
                # The client believes that it has no session, so it would not end it.
                (await http.delete(options.url)).raise_for_status()


main("mcp 2.x", open)
