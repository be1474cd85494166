/** The bodies of pages that come through the proxy, piece by piece, packed or not: `link-rewriter.ts` says what is done to them. */
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib';
import { type LinkPlace, LinkRewriter } from '../link-rewriter.ts';

/** The steps for this answer; undefined: it goes on as it is. */
export function rewritingOf(answer: IncomingMessage, place: LinkPlace): readonly Transform[] | undefined {
  if (!/^text\/html\b/i.test(answer.headers['content-type'] ?? '')) return undefined;
  switch (answer.headers['content-encoding']?.toLowerCase() ?? '') {
    case '':
    case 'identity':
      return [linksOf(place)];
    case 'gzip':
      return [createGunzip(), linksOf(place), createGzip()];
    case 'deflate':
      return [createInflate(), linksOf(place), createDeflate()];
    default:
      return undefined;
  }
}

function linksOf(place: LinkPlace): Transform {
  const rewriter = new LinkRewriter(place);
  // Bytes as letters: whatever the page is written in, its tags are ASCII.
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, bytes(rewriter.push(chunk.toString('latin1')))),
    flush: (done) => done(null, bytes(rewriter.end())),
  });
}
