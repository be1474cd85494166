/** Fetches the metrics of a program, where its pod's annotations say that they are. Simulated pods have theirs in an annotation. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Pod } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { placeOfMetrics } from '../scrape-place.ts';
import type { ReadPod } from '../series-board.ts';

const textBytesMax = 4 * 1024 * 1024;

/** `near`: the text of a pod that needs no connection. */
export function createPodReader(near: (pod: Pod) => string | undefined): ReadPod {
  return async (pod, signal) => near(pod) ?? fetchText(pod, signal);
}

async function fetchText(pod: Pod, signal: AbortSignal): Promise<string> {
  const { scheme, host, port, path } = placeOfMetrics(pod);
  const where = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = scheme === 'https' ? httpsRequest : httpRequest;
    const asked = request(
      {
        host,
        port,
        path,
        signal,
        agent: false,
        headers: { Accept: 'text/plain;version=0.0.4;q=1,*/*;q=0.1', 'Accept-Encoding': 'identity' },
        // Nothing secret is sent, and programs' certificates are their own affair.
        rejectUnauthorized: false,
      },
      resolve,
    );
    asked.once('error', (error: NodeJS.ErrnoException) => {
      const why = signal.aborted ? (signal.reason as Error).message : error.message;
      reject(new CaelumError('unavailable', `cannot read ${where}: ${why}`, { cause: error }));
    });
    asked.end();
  });
  if (answer.statusCode !== 200) {
    answer.destroy();
    throw new CaelumError('unavailable', `cannot read ${where}: the answer is ${answer.statusCode}`);
  }
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > textBytesMax) throw new Error(`the answer is longer than ${textBytesMax} bytes`);
      parts.push(part);
    }
  } catch (error) {
    answer.destroy();
    const why = signal.aborted ? (signal.reason as Error).message : (error as Error).message;
    throw new CaelumError('unavailable', `cannot read ${where}: ${why}`, { cause: error });
  }
  return Buffer.concat(parts, length).toString('utf8');
}
