/**
 * A container's log over WebSocket, for clients in a browser: each piece a message, and the connection closes when the log ends.
 * `binary.k8s.io` (or nothing said): bytes; `base64.binary.k8s.io`: text.
 */
import type { IncomingMessage } from 'node:http';
import { type Duplex, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const protocols: readonly string[] = ['binary.k8s.io', 'base64.binary.k8s.io'];
/** Above this many bytes on their way to the client, the log waits. */
const bufferedBytesMax = 1 << 20;

/** Resolves when all is sent or the client has gone. */
export async function sendLog(
  log: IncomingMessage,
  http: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
  });
  await new Promise<void>((resolve) => {
    // Also when the handshake fails.
    socket.once('close', () => {
      log.destroy();
      resolve();
    });
    server.handleUpgrade(http, socket, head, (client) => {
      client.on('error', () => client.terminate());
      if (client.protocol === '' && http.headers['sec-websocket-protocol'] !== undefined) {
        client.close(1002, `this server speaks ${protocols.join(', ')}`);
        return;
      }
      const isText = client.protocol === 'base64.binary.k8s.io';
      const sink = new Writable({
        write(chunk: Buffer, _encoding, done) {
          const wait = client.bufferedAmount > bufferedBytesMax;
          client.send(isText ? chunk.toString('base64') : chunk, () => {
            if (wait) done();
          });
          if (!wait) done();
        },
      });
      pipeline(log, sink).then(
        () => client.close(1000),
        () => client.close(1011),
      );
    });
  });
}
