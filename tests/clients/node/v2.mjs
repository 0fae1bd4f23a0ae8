// The official TypeScript client of the second generation, `@modelcontextprotocol/client`, which speaks 2026-07-28 and
// the older revisions.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { main, MODERN } from './scenario.mjs';

async function open(options, earlier) {
    const { revision = MODERN } = options;
    const settings = revision === 'auto'
        ? { versionNegotiation: { mode: 'auto' } }
        : revision === MODERN
            ? { versionNegotiation: { mode: { pin: MODERN } } }
            // An older revision is proposed by knowing no other.
            : { versionNegotiation: { mode: 'legacy' }, supportedProtocolVersions: [revision] };
    const client = new Client({ name: 'notebook-client-v2', version: '1.0.0' }, settings);
    const reuse = earlier?.sessionId === undefined
        ? {}
        : { sessionId: earlier.sessionId, protocolVersion: earlier.revision };
    const transport = options.url === undefined
        ? new StdioClientTransport({ command: options.command[0], args: options.command.slice(1), stderr: 'ignore' })
        : new StreamableHTTPClientTransport(new URL(options.url), reuse);
    await client.connect(transport);
    return {
        revision: client.getNegotiatedProtocolVersion() ?? earlier?.revision,
        sessionId: transport.sessionId,
        tools: async () => (await client.listTools()).tools,
        call: (name, arguments_) => client.callTool({ name, arguments: arguments_ }),
        close: () => client.close(),
        endSession: () => transport.terminateSession(),
    };
}

await main('@modelcontextprotocol/client', open);
