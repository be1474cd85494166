/** What is asked of a pod's streams, as the object that admission sees (PodExecOptions and its like), and back as parameters. Pure. */
import type { DraftObject } from './resource.ts';
import type { Query } from './router.ts';

const kinds: Readonly<Record<string, string>> = {
  'nodes/proxy': 'NodeProxyOptions',
  'pods/proxy': 'PodProxyOptions',
  'services/proxy': 'ServiceProxyOptions',
  exec: 'PodExecOptions',
  attach: 'PodAttachOptions',
  portforward: 'PodPortForwardOptions',
};

/** A path behind `resource` (`pods`). */
export const proxyOptions = (resource: string, path: string): DraftObject =>
  ({ kind: kinds[`${resource}/proxy`], apiVersion: 'v1', path }) as unknown as DraftObject;

const flags = ['stdin', 'stdout', 'stderr', 'tty'] as const;

export function connectOptions(subresource: string, query: Query): DraftObject {
  const options: Record<string, unknown> = { kind: kinds[subresource], apiVersion: 'v1' };
  if (subresource === 'portforward') {
    const ports = query.all('ports').flatMap((text) => text.split(',').map(Number));
    if (ports.length > 0) options['ports'] = ports;
    return options as DraftObject;
  }
  for (const flag of flags) if (query.flag(flag) === true) options[flag] = true;
  const container = query.text('container');
  if (container !== undefined) options['container'] = container;
  const command = query.all('command');
  if (command.length > 0) options['command'] = command;
  return options as DraftObject;
}

export function connectSearch(options: DraftObject): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (name === 'kind' || name === 'apiVersion' || name === 'metadata') continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  return `?${parameters}`;
}
