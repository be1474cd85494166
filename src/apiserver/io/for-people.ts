/**
 * Who reads JSON himself gets it indented: browsers and command line tools, and whoever says `pretty`. Pure.
 * Source: Kubernetes' API server does so by the same names.
 */
import type { IncomingMessage } from 'node:http';
import { Query } from '../router.ts';

type Asked = Pick<IncomingMessage, 'url' | 'headers'>;

const readers = ['curl', 'Wget', 'Mozilla/5.0'];

export function isForPeople({ url = '', headers }: Asked): boolean {
  if (url.includes('pretty=')) {
    const said = new Query(url.slice(url.indexOf('?') + 1)).text('pretty');
    if (said !== undefined) return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(said);
  }
  const agent = headers['user-agent'];
  return agent !== undefined && readers.some((reader) => agent.startsWith(reader));
}

export const indented = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
