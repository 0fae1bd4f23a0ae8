// The official TypeScript client of the first generation, `@modelcontextprotocol/sdk`.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { main } from './scenario.mjs';

async function open(options, earlier) {
    const client = new Client({ name: 'notebook-client-v1', version: '1.0.0' });
    const transport = options.url === undefined
        ? new StdioClientTransport({ command: options.command[0], args: options.command.slice(1), stderr: 'ignore' })
        : new StreamableHTTPClientTransport(new URL(options.url), { sessionId: earlier?.sessionId });
    // The client tells its transport the negotiated revision and nobody else, so this listens in.
    let revision;
    const tell = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = version => {
        revision = version;
        tell?.(version);
    };
    // With a session id of before, the client sends no `initialize`: the revision of then goes on.
    if (earlier !== undefined) transport.setProtocolVersion(earlier.revision);
    await client.connect(transport);
    const sessionId = transport.sessionId;
    return {
        revision,
        sessionId,
        tools: async () => (await client.listTools()).tools,
        call: (name, arguments_) => client.callTool({ name, arguments: arguments_ }),
        close: () => client.close(),
        endSession: () => transport.terminateSession(),
    };
}

await main('@modelcontextprotocol/sdk', open);
