import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { CaelumError, silentLog } from '../../../lib/index.ts';
import type { StreamTargets } from '../../server/endpoint.ts';
import {
  decodeHeaders,
  encodeData,
  encodeHeaders,
  encodeSynStream,
  SpdyDecoder,
  type SpdyFrame,
} from '../spdy-frame.ts';
import { HeaderCodec } from './spdy-headers.ts';
import { createStreamHandler } from './stream-handler.ts';

/** A command that repeats its input in capitals, says its window's size on stderr, and exits with 3. */
const targets: StreamTargets = {
  openExec: async (_namespace, pod, _container, options) => {
    if (pod !== 'web') throw new CaelumError('notFound', `pods "${pod}" not found`);
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const { promise: exited, resolve } = Promise.withResolvers<number>();
    stdout.write(`${options.args.join(' ')}\n`);
    if (options.size !== undefined) stdout.write(`opened at ${options.size.columns}x${options.size.rows}\n`);
    stdin.on('data', (chunk: Buffer) => stdout.write(chunk.toString().toUpperCase()));
    stdin.on('end', () => {
      stdout.end();
      stderr.end();
      resolve(3);
    });
    return {
      stdin,
      stdout,
      stderr,
      resize: (columns, rows) => void stderr.write(`${columns}x${rows}\n`),
      exited,
      kill: () => stdin.end(),
    };
  },
  openAttach: () => Promise.reject(new CaelumError('notFound', 'nothing to attach to')),
  openPort: async (_namespace, _pod, port) => {
    if (port !== 80) throw new CaelumError('unavailable', 'connection refused');
    const echo = new PassThrough();
    return echo;
  },
};

async function listen(t: TestContext): Promise<number> {
  const server: Server = createServer();
  const handler = createStreamHandler(silentLog);
  server.on('upgrade', (request, socket, head) => handler(request, socket, head, targets));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const expected = {
  metadata: {},
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: '3' }] },
};

test('exec over WebSocket v5 carries input, output, sizes, end of input and the exit code', async (t) => {
  const port = await listen(t);
  const client = new WebSocket(
    `ws://127.0.0.1:${port}/exec/default/web/c?command=say&command=hi&stdin=true&stdout=true&stderr=true`,
    ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
  );
  const channels = new Map<number, string>();
  client.on('message', (data: Buffer) =>
    channels.set(data[0] ?? -1, (channels.get(data[0] ?? -1) ?? '') + data.subarray(1).toString()),
  );
  client.on('open', () => {
    client.send(Buffer.concat([Buffer.from([4]), Buffer.from('{"Width":80,"Height":24}')]));
    client.send(Buffer.concat([Buffer.from([0]), Buffer.from('abc')]));
    client.send(Buffer.from([255, 0]));
  });
  const code = await new Promise((resolve) => client.once('close', resolve));
  assert.equal(code, 1000);
  assert.equal(client.protocol, 'v5.channel.k8s.io');
  assert.equal(channels.get(1), 'say hi\nABC');
  assert.equal(channels.get(2), '80x24\n');
  const { message: _message, ...status } = JSON.parse(channels.get(3) ?? '') as Record<string, unknown>;
  assert.deepEqual(status, expected);
});

test('exec with a terminal is opened with the size that the client sends first', async (t) => {
  const port = await listen(t);
  const client = new WebSocket(
    `ws://127.0.0.1:${port}/exec/default/web/c?command=say&tty=true&stdin=true&stdout=true`,
    ['v5.channel.k8s.io'],
  );
  let output = '';
  client.on('message', (data: Buffer) => {
    if (data[0] === 1) output += data.subarray(1).toString();
  });
  client.on('open', () => {
    client.send(Buffer.concat([Buffer.from([4]), Buffer.from('{"Width":77,"Height":33}')]));
    client.send(Buffer.from([255, 0]));
  });
  await new Promise((resolve) => client.once('close', resolve));
  assert.match(output, /opened at 77x33/);
});

test('exec in a pod that is not there ends with a Status that says so', async (t) => {
  const port = await listen(t);
  const client = new WebSocket(`ws://127.0.0.1:${port}/exec/default/none/c?command=x&stdout=1`, [
    'v4.channel.k8s.io',
  ]);
  const message = await new Promise<Buffer>((resolve) =>
    client.on('message', (data: Buffer) => {
      if (data.length > 1) resolve(data);
    }),
  );
  assert.equal(message[0], 3);
  assert.match(message.subarray(1).toString(), /pods \\"none\\" not found/);
  client.terminate();
});

/** What a client receives until the end, as text. */
async function dialogue(url: string, protocols: string[]): Promise<string[]> {
  const client = new WebSocket(url, protocols);
  const received: string[] = [];
  client.on('message', (data: Buffer) => received.push(data.toString('latin1')));
  await new Promise((resolve) => client.once('close', resolve));
  return received;
}

test('the elder protocols: bare words of failure, nothing of success, base64 for those who have no bytes', async (t) => {
  const port = await listen(t);
  const url = `ws://127.0.0.1:${port}/exec/default/web/c?command=say&command=hi&stdout=1&stderr=1`;
  const failed = 'command terminated with non-zero exit code: error executing command, exit code 3';
  const [greeting, ...plain] = await dialogue(url, ['channel.k8s.io']);
  assert.equal(greeting, '\x01');
  assert.ok(plain.join('').includes('say hi'), plain.join('|'));
  assert.ok(plain.includes(`\x03${failed}`), plain.join('|'));
  assert.deepEqual((await dialogue(url, [])).at(-1), `\x03${failed}`);
  const encoded = await dialogue(url, ['base64.channel.k8s.io']);
  const decoded = encoded.map((one) => `${one[0]}${Buffer.from(one.slice(1), 'base64').toString()}`);
  assert.equal(decoded[0], '1');
  assert.ok(decoded.join('').includes('say hi'), decoded.join('|'));
  assert.equal(decoded.at(-1), `3${failed}`);
  const version4 = await dialogue(url, ['v4.base64.channel.k8s.io']);
  assert.match(Buffer.from(version4.at(-1)?.slice(1) ?? '', 'base64').toString(), /"NonZeroExitCode"/);
});

/** A client of SPDY, just enough for a test. */
async function spdyClient(port: number, path: string, protocol: string) {
  const socket = connect(port, '127.0.0.1');
  const codec = new HeaderCodec();
  const decoder = new SpdyDecoder();
  const frames: SpdyFrame[] = [];
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\nContent-Length: 0\r\n\r\n`,
  );
  const answer = await new Promise<string>((resolve) => {
    let text = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      text = Buffer.concat([text, chunk]);
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', take);
      frames.push(...decoder.push(text.subarray(end + 4)));
      socket.on('data', (more: Buffer) => frames.push(...decoder.push(more)));
      resolve(text.subarray(0, end).toString());
    };
    socket.on('data', take);
  });
  let id = -1;
  return {
    answer,
    frames,
    socket,
    closed: new Promise((resolve) => socket.once('close', resolve)),
    open: async (headers: Record<string, string>, fin = false): Promise<number> => {
      id += 2;
      socket.write(encodeSynStream(id, await codec.compress(encodeHeaders(headers)), fin));
      return id;
    },
    textOf: (streamId: number): string =>
      frames
        .map((frame) => (frame.kind === 'data' && frame.streamId === streamId ? frame.bytes.toString() : ''))
        .join(''),
  };
}

test('exec over SPDY carries the same', async (t) => {
  const port = await listen(t);
  const client = await spdyClient(
    port,
    '/exec/default/web/c?command=say&input=1&output=1&error=1',
    'v4.channel.k8s.io',
  );
  assert.match(
    client.answer,
    /101 Switching Protocols[\s\S]*X-Stream-Protocol-Version: v4\.channel\.k8s\.io/,
  );
  const error = await client.open({ streamtype: 'error' }, true);
  const stdin = await client.open({ streamtype: 'stdin' });
  const stdout = await client.open({ streamtype: 'stdout' }, true);
  await client.open({ streamtype: 'stderr' }, true);
  client.socket.write(encodeData(stdin, Buffer.from('x'.repeat(100_000)), true));
  await client.closed;
  assert.equal(client.textOf(stdout), `say\n${'X'.repeat(100_000)}`);
  const { message: _message, ...status } = JSON.parse(client.textOf(error)) as Record<string, unknown>;
  assert.deepEqual(status, expected);
});

test('port-forward over SPDY carries connections side by side, and says when a port refuses', async (t) => {
  const port = await listen(t);
  const client = await spdyClient(port, '/portForward/default/web', 'portforward.k8s.io');
  t.after(() => client.socket.destroy());
  await client.open({ streamtype: 'error', port: '80', requestid: '0' }, true);
  const data = await client.open({ streamtype: 'data', port: '80', requestid: '0' });
  const refused = await client.open({ streamtype: 'error', port: '81', requestid: '1' }, true);
  await client.open({ streamtype: 'data', port: '81', requestid: '1' });
  client.socket.write(encodeData(data, Buffer.from('ping'), false));
  const deadlineMs = performance.now() + 30_000;
  while ((client.textOf(data) !== 'ping' || client.textOf(refused) === '') && performance.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(client.textOf(data), 'ping');
  assert.match(
    client.textOf(refused),
    /an error occurred forwarding 81 to pod default\/web: connection refused/,
  );
});

test('an unknown protocol is refused with the ones that are spoken', async (t) => {
  const port = await listen(t);
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'POST /exec/default/web/c?command=x&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v9\r\n\r\n',
  );
  assert.match(await textOf(socket), /^HTTP\/1\.1 403 [\s\S]*v4\.channel\.k8s\.io/);
});

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

test('SpdyDecoder reads frames however they are cut, and refuses what is none', () => {
  const bytes = Buffer.concat([
    encodeData(1, Buffer.from('hello'), false),
    encodeSynStream(3, encodeHeaders({ a: 'b' }), true),
  ]);
  for (let size = 1; size <= bytes.length; size++) {
    const decoder = new SpdyDecoder();
    const frames: SpdyFrame[] = [];
    for (let at = 0; at < bytes.length; at += size)
      frames.push(...decoder.push(bytes.subarray(at, at + size)));
    assert.equal(frames.length, 2);
    const [first, second] = frames;
    assert.ok(first?.kind === 'data' && first.bytes.toString() === 'hello');
    assert.ok(
      second?.kind === 'synStream' && second.fin && { ...decodeHeaders(second.headerBlock) }['a'] === 'b',
    );
  }
  assert.throws(() => new SpdyDecoder().push(Buffer.from('GET / HTTP/1.1\r\n')), /Cannot read SPDY frame/);
});
