/**
 * The door of the stream protocols: an upgrade request of the API server, over WebSocket or SPDY, to a pod of this node.
 */
import { CaelumError, isError, type Log } from '../../../lib/index.ts';
import type { StreamHandler } from '../../server/endpoint.ts';
import { parseStreamRequest } from '../stream-request.ts';
import { serveSpdy } from './spdy-streams.ts';
import { serveWebSocket } from './web-socket-streams.ts';

export function createStreamHandler(log: Log): StreamHandler {
  return (http, socket, head, targets) => {
    socket.on('error', () => socket.destroy());
    try {
      const request = parseStreamRequest(http.url ?? '');
      const upgrade = (http.headers.upgrade ?? '').toLowerCase();
      if (upgrade === 'websocket') {
        serveWebSocket(http, socket, head, request, targets).catch((error: unknown) => {
          log.error('a stream failed', { error });
          socket.destroy();
        });
      } else if (upgrade === 'spdy/3.1') serveSpdy(http, socket, head, request, targets);
      else
        throw new CaelumError(
          'badRequest',
          `Cannot upgrade to "${upgrade}": this server speaks websocket and SPDY/3.1`,
        );
    } catch (error) {
      const [code, words] = isError(error, 'notFound')
        ? [404, 'Not Found']
        : isError(error, 'badRequest')
          ? [400, 'Bad Request']
          : [500, 'Internal Server Error'];
      const body = error instanceof Error ? error.message : String(error);
      socket.end(
        `HTTP/1.1 ${code} ${words}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    }
  };
}
