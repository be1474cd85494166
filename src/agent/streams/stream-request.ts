/**
 * What an upgrade request asks for, from its path and query. Pure.
 *
 *   /exec/NAMESPACE/POD/CONTAINER?command=…&stdin=true&tty=true     /attach/…     /portForward/NAMESPACE/POD?ports=80
 *
 * The API's own parameter names (`stdin`, `stdout`, …) and the kubelet's (`input`, `output`, …) both count.
 */
import { CaelumError } from '../../lib/index.ts';

export type StreamRequest =
  | {
      readonly kind: 'exec' | 'attach';
      readonly namespace: string;
      readonly pod: string;
      readonly container: string;
      readonly args: readonly string[];
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
      readonly terminal: boolean;
    }
  | {
      readonly kind: 'portForward';
      readonly namespace: string;
      readonly pod: string;
      readonly ports: readonly number[];
    };

/** Throws `notFound` and `badRequest`. */
export function parseStreamRequest(url: string): StreamRequest {
  const { pathname, searchParams } = new URL(url, 'https://agent');
  const [, verb, namespace, pod, container = ''] = pathname.split('/').map(decodeURIComponent);
  if (namespace === undefined || pod === undefined || namespace === '' || pod === '')
    throw new CaelumError('notFound', `Cannot find "${pathname}": no namespace and pod in it`);
  const is = (...names: readonly string[]): boolean =>
    names.some((name) => ['1', 'true'].includes(searchParams.get(name) ?? ''));
  if (verb === 'portForward') {
    const ports = searchParams
      .getAll('ports')
      .flatMap((text) => text.split(','))
      .concat(searchParams.getAll('port'))
      .filter((text) => text !== '')
      .map(Number);
    for (const port of ports)
      if (!Number.isInteger(port) || port < 1 || port > 65_535)
        throw new CaelumError('badRequest', `Cannot forward port "${port}": it is no port`);
    return { kind: 'portForward', namespace, pod, ports };
  }
  if (verb !== 'exec' && verb !== 'attach') throw new CaelumError('notFound', `Cannot find "${pathname}"`);
  const args = searchParams.getAll('command');
  if (verb === 'exec' && args.length === 0)
    throw new CaelumError('badRequest', 'you must specify at least 1 container command');
  const request = {
    kind: verb,
    namespace,
    pod,
    container: container === '' ? (searchParams.get('container') ?? '') : container,
    args,
    stdin: is('stdin', 'input'),
    stdout: is('stdout', 'output'),
    stderr: is('stderr', 'error'),
    terminal: is('tty'),
  } as const;
  if (!request.stdin && !request.stdout && !request.stderr)
    throw new CaelumError('badRequest', 'you must specify at least 1 of stdin, stdout, stderr');
  return request.terminal ? { ...request, stderr: false } : request;
}
