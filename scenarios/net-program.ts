/**
 * A program for pods of tests, run by node inside a container: it serves HTTP, UDP and gRPC health, tells what it was asked, and asks others.
 *
 *   node net-program.ts [http=8080,8083] [https=443] [udp=8081] [grpc=5000]        TLS: with /tls/tls.crt and tls.key
 *
 *   /hostname   /echo?msg=…   /clientip   /healthz   /port   /links   /write (POST)   /read   anything else: what was asked, as JSON
 *   UDP: `hostname`, `echo …`, `clientip`
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import { hostname } from 'node:os';

const settings = new Map(process.argv.slice(2).map((word) => word.split('=', 2) as [string, string]));
const portsOf = (name: string): number[] =>
  (settings.get(name) ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map(Number);
/** Who has written, and how often. */
const received: Record<string, number> = {};

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://here');
  const body = await bodyOf(request);
  console.log(`${request.method} ${request.url}`);
  switch (url.pathname) {
    case '/hostname':
      response.end(hostname());
      return;
    case '/echo':
      response.end(url.searchParams.get('msg') ?? '');
      return;
    case '/clientip':
      response.end(`${request.socket.remoteAddress?.replace('::ffff:', '')}:${request.socket.remotePort}`);
      return;
    case '/healthz':
      response.end('ok');
      return;
    case '/port':
      response.end(String(request.socket.localPort));
      return;
    case '/links':
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(
        '<a href="/rewriteme">test</a><a href="elsewhere">near</a><a href="http://example.com/">far</a>',
      );
      return;
    case '/write': {
      const { Source = '' } = JSON.parse(body) as { Source?: string };
      received[Source] = (received[Source] ?? 0) + 1;
      response.end();
      return;
    }
    case '/read':
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ Hostname: hostname(), Received: received }));
      return;
    default:
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ Method: request.method, Path: request.url, Body: body }));
  }
}

for (const port of portsOf('http')) createServer((...both) => void answer(...both)).listen(port, '0.0.0.0');

for (const port of portsOf('https')) {
  const tls = { cert: readFileSync('/tls/tls.crt'), key: readFileSync('/tls/tls.key') };
  createSecureServer(tls, (...both) => void answer(...both)).listen(port, '0.0.0.0');
}

for (const port of portsOf('udp')) {
  const socket = createSocket('udp4');
  socket.on('message', (data, { address, port: from }) => {
    const [word, ...rest] = data.toString().trim().split(' ');
    const text =
      word === 'hostname'
        ? hostname()
        : word === 'clientip'
          ? `${address}:${from}`
          : word === 'echo'
            ? rest.join(' ')
            : '';
    socket.send(text, from, address);
  });
  socket.bind(port, '0.0.0.0');
}

for (const port of portsOf('grpc')) {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const isHealth = headers[':path'] === '/grpc.health.v1.Health/Check';
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': isHealth ? '0' : '12' }));
    stream.resume();
    // One message: field 1 is 1, SERVING.
    stream.end(isHealth ? Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]) : undefined);
  });
  server.listen(port, '0.0.0.0');
}

process.on('SIGTERM', () => process.exit(0));
console.log(`serving as ${hostname()}`);
