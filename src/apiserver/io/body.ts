/** Request bodies, whole and of bounded size. */
import type { IncomingMessage } from 'node:http';
import { badRequest } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { type Body, prepareMediaType } from '../decode.ts';
import { mediaTypeOf } from '../media.ts';
import { auditOf } from './audited.ts';

/** As Kubernetes limits them. */
export const bodyBytesMax = 3 * 1024 * 1024;

/** Throws `tooLarge`. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bodyBytesMax) throw tooLarge();
  const mediaType = mediaTypeOf(request.headers['content-type']);
  const bytes = await readAll(request);
  await prepareMediaType(mediaType);
  const body = { bytes, mediaType };
  auditOf(request)?.body(body);
  return body;
}

function readAll(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > bodyBytesMax) {
        request.removeAllListeners('data');
        request.resume();
        reject(tooLarge());
        return;
      }
      parts.push(chunk);
    });
    request.on('end', () =>
      resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length)),
    );
    request.on('error', (cause) => reject(badBody(cause)));
    request.on('close', () => {
      if (!request.complete) reject(badBody());
    });
  });
}

const tooLarge = (): CaelumError =>
  new CaelumError('tooLarge', `Request entity too large: limit is ${bodyBytesMax}`);
const badBody = (cause?: unknown): CaelumError => {
  const { message } = badRequest('the body of the request was cut off');
  return new CaelumError('badRequest', message, { cause });
};
