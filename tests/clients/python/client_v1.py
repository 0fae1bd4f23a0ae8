"""The official Python client of the first generation, `mcp` 1.x."""

from contextlib import AsyncExitStack, asynccontextmanager

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from scenario import Answer, main


class Connection:
    def __init__(self, session, revision, session_id):
        self.session, self.revision, self.session_id = session, revision, session_id

    async def tools(self):
        return {tool.name: (tool.description, tool.inputSchema) for tool in (await self.session.list_tools()).tools}

    async def call(self, name, arguments):
        result = await self.session.call_tool(name, arguments)
        return Answer(result.content, result.structuredContent, result.isError)


@asynccontextmanager
async def open(options, earlier, end):
    async with AsyncExitStack() as stack:
        if options.url is None:
            command = StdioServerParameters(command=options.command[0], args=options.command[1:])
            read, write = await stack.enter_async_context(stdio_client(command))
            session_id = lambda: None
        else:
            # The client offers no way to name the session of before, so its HTTP client sends the header.
            headers = {} if earlier is None else {
                "mcp-session-id": earlier.session_id,
                "mcp-protocol-version": earlier.revision,
            }
            http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
            read, write, session_id = await stack.enter_async_context(
                streamable_http_client(options.url, http_client=http, terminate_on_close=end)
            )
        session = await stack.enter_async_context(ClientSession(read, write))
        if earlier is None:
            revision = (await session.initialize()).protocolVersion
            yield Connection(session, revision, session_id())
        else:
            yield Connection(session, earlier.revision, earlier.session_id)
            if end:
                # The client believes that it has no session, so it would not end it.
                (await http.delete(options.url)).raise_for_status()


main("mcp 1.x", open)
