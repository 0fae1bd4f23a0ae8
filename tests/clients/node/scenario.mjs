// What every client of this folder does with the `notebook` server, whatever its generation and its revision.
//
// Takes: functions that open a connection, see `Connection` below. Gives: the facts that were found, or an AssertionError.
// Must not know: a client package.
//
// A connection is `{revision, sessionId, call(name, args), tools(), close(), endSession()}`; `call` gives the result of
// `tools/call` as it came. `sessionId` is that of the header and undefined where the revision or transport has none.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline/promises';

export const MODERN = '2026-07-28';
const NOTES = ['buy milk', 'größer — ☕ "quoted"'];

export function parseArguments(argv) {
    const options = { revision: undefined, url: undefined, command: undefined, restart: false, hashes: false };
    for (let i = 0; i < argv.length; i += 1) {
        if (argv[i] === '--url') options.url = argv[(i += 1)];
        else if (argv[i] === '--revision') options.revision = argv[(i += 1)];
        else if (argv[i] === '--restart') options.restart = true;
        else if (argv[i] === '--hashes') options.hashes = true;
        else if (argv[i] === '--stdio') {
            options.command = argv.slice(i + 1);
            break;
        } else throw new Error(`unknown argument ${argv[i]}: expected --url, --revision, --restart, --hashes or --stdio`);
    }
    if ((options.url === undefined) === (options.command === undefined)) {
        throw new Error('give either --url URL or --stdio COMMAND…');
    }
    return options;
}

/** Runs the scenario; prints one line of JSON and sets the exit code. */
export async function main(name, open) {
    const facts = { client: name };
    let failed = false;
    try {
        const options = parseArguments(process.argv.slice(2));
        facts.transport = options.url === undefined ? 'stdio' : 'http';
        Object.assign(facts, await run(options, open));
        facts.ok = true;
    } catch (error) {
        failed = true;
        facts.ok = false;
        facts.error = String(error?.stack ?? error);
    }
    process.stdout.write(`${JSON.stringify(facts)}\n`, () => process.exit(failed ? 1 : 0));
}

async function run(options, open) {
    const first = await open(options, undefined);
    const facts = { revision: first.revision };
    if (options.revision !== undefined && options.revision !== 'auto') assert.equal(first.revision, options.revision);
    const carrier = first.revision === MODERN ? 'handle' : options.url === undefined ? 'process' : 'header';
    facts.carrier = carrier;

    if (options.hashes) {
        facts.verified = await verifyUnknown(first, carrier);
        await first.close();
        return facts;
    }
    facts.tools = await checkTools(first, carrier);
    if (carrier === 'handle') await checkRefusals(first);

    const arguments_ = carrier === 'handle' ? { session: await openSession(first) } : {};
    const id = await status(first, arguments_, 0);
    await read(first, arguments_, id, []);
    for (const [index, text] of NOTES.entries()) {
        const appended = await succeed(first, 'notebook_append', { ...arguments_, text });
        assert.equal(textOf(appended), `Note added (#${index + 1}): ${text}`);
        structured(first, appended, { action: 'append', note_number: index + 1, text, session_id: id });
    }
    await read(first, arguments_, id, NOTES);

    // Over HTTP a session outlives its connection; over stdio without handles the process is the session.
    let again = first;
    if (options.url !== undefined) {
        if (carrier === 'header') assert.ok(first.sessionId, 'initialize gave no session id');
        await first.close();
        if (options.restart) options.url = await nextUrl();
        again = await open(options, first);
        if (carrier === 'header') assert.equal(again.sessionId, first.sessionId);
        await read(again, arguments_, id, NOTES);
        facts.found_again = true;
    }

    // A second session sees nothing of the first, and leaves it alone.
    const other = carrier === 'handle' ? again : await open(options, undefined);
    const otherArguments = carrier === 'handle' ? { session: await openSession(other) } : {};
    const otherId = await status(other, otherArguments, 0);
    if (carrier !== 'process') assert.notEqual(otherId, id);
    await read(other, otherArguments, otherId, []);
    const cleared = await succeed(other, 'notebook_clear', otherArguments);
    assert.equal(textOf(cleared), 'Notebook cleared (0 notes removed).');
    structured(other, cleared, { action: 'clear', session_id: otherId, removed: 0 });
    await read(again, arguments_, id, NOTES);
    assert.equal(await status(again, arguments_, NOTES.length), id);
    facts.isolated = true;

    if (carrier === 'header') {
        await again.endSession();
        const dead = await open(options, first);
        await assert.rejects(dead.call('notebook_read', {}), error => JSON.stringify(describe(error)).includes('404'));
        await dead.close();
        facts.ended = true;
    }
    if (other !== again) await other.close();
    await again.close();
    return facts;
}

/** With `--hashes` the server is `hashcheck`: a typed result with a null, which the client holds against its schema. */
async function verifyUnknown(connection, carrier) {
    const tool = (await connection.tools()).find(tool => tool.name === 'hashcheck_verify');
    assert.deepEqual(tool.outputSchema.properties.stored_hash, { anyOf: [{ type: 'string' }, { type: 'null' }] });
    const handle = carrier === 'handle' ? { session: await openSession(connection) } : {};
    const result = await succeed(connection, 'hashcheck_verify', { ...handle, key: 'unknown', text: 'x' });
    assert.equal(result.structuredContent.stored_hash, null);
    return true;
}

/** With `--restart` the server is replaced between the two connections: the next line of stdin says by which. */
async function nextUrl() {
    process.stdout.write('{"closed":true}\n');
    const lines = createInterface({ input: process.stdin });
    for await (const line of lines) return line.trim();
    throw new Error('stdin ended without the URL of the next server');
}

async function checkTools(connection, carrier) {
    const tools = await connection.tools();
    const byName = new Map(tools.map(tool => [tool.name, tool]));
    for (const name of ['notebook_append', 'notebook_read', 'notebook_clear', 'notebook_status']) {
        const tool = byName.get(name);
        assert.ok(tool, `${name} is not listed`);
        assert.ok(tool.description, `${name} has no description`);
        const required = tool.inputSchema.required ?? [];
        assert.equal(required.includes('session'), carrier === 'handle', `${name}: does it require a session handle?`);
    }
    assert.equal(byName.has('open_session'), carrier === 'handle', 'is open_session listed?');
    return tools.map(tool => tool.name);
}

/** A missing and a forged handle are refused in the same words, which name the tool that gives a good one. */
async function checkRefusals(connection) {
    const handle = await openSession(connection);
    const forged = handle.slice(0, -1) + (handle.endsWith('A') ? 'B' : 'A');
    const texts = [];
    for (const arguments_ of [{}, { session: forged }, { session: 'x' }]) {
        const result = await connection.call('notebook_read', arguments_);
        assert.equal(result.isError, true, `${JSON.stringify(arguments_)} was accepted`);
        assert.match(textOf(result), /open_session/);
        texts.push(textOf(result));
    }
    assert.equal(new Set(texts).size, 1, `the refusals tell kinds apart: ${texts.join(' | ')}`);
}

async function openSession(connection) {
    const result = await succeed(connection, 'open_session', {});
    const { session } = result.structuredContent;
    assert.match(session, /^[A-Za-z0-9_-]{38}$/);
    assert.ok(textOf(result).includes(session), 'the text does not give the handle');
    return session;
}

async function succeed(connection, name, arguments_) {
    const result = await connection.call(name, arguments_);
    assert.ok(!result.isError, `${name} failed: ${JSON.stringify(result.content)}`);
    return result;
}

/** The notes of the session, which must be these. */
async function read(connection, arguments_, id, expected) {
    const result = await succeed(connection, 'notebook_read', arguments_);
    const [title, ...lines] = textOf(result).split('\n');
    assert.equal(title, expected.length === 0 ? '(notebook is empty)' : `Notebook (${expected.length} notes):`);
    const notes = lines.map((line, index) => {
        const [, number, timestamp, text] = /^ {2}(\d+)\. \[([^\]]+)\] (.*)$/.exec(line) ?? [];
        assert.equal(number, String(index + 1), `not a line of notes: ${line}`);
        return { text, timestamp };
    });
    assert.deepEqual(notes.map(note => note.text), expected);
    structured(connection, result, { action: 'read', session_id: id, notes, count: expected.length });
}

/** Which session the server sees, which must have that many notes. */
async function status(connection, arguments_, notes) {
    const result = await succeed(connection, 'notebook_status', arguments_);
    const [, id, count, calls] = /^Session (\S+): (\d+) notes, (\d+) calls$/.exec(textOf(result)) ?? [];
    assert.equal(count, String(notes), `not a status of ${notes} notes: ${textOf(result)}`);
    structured(connection, result, { session_id: id, note_count: notes, tool_calls: Number(calls) });
    return id;
}

/** Structured results began with 2025-06-18: before it there is the text alone. */
function structured(connection, result, expected) {
    if (connection.revision < '2025-06-18') assert.equal(result.structuredContent, undefined);
    else assert.deepEqual(result.structuredContent, expected);
}

function textOf(result) {
    assert.equal(result.content.length, 1);
    assert.equal(result.content[0].type, 'text');
    return result.content[0].text;
}

function describe(error) {
    return { name: error?.name, message: error?.message, code: error?.code, status: error?.status, data: error?.data };
}
