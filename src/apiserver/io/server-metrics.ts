/** What the server as a whole tells in /metrics: its version, its process, what it stores. Made when asked for. */
import type { ApiContext } from '../context.ts';
import type { Resource } from '../resource.ts';
import { exportProcess } from './process-metrics.ts';

export function exportServer(
  { metrics, resources, store }: ApiContext,
  version: Readonly<Record<string, string>>,
): void {
  const labels = [
    'major',
    'minor',
    'git_version',
    'git_commit',
    'git_tree_state',
    'build_date',
    'go_version',
  ];
  const values = ['major', 'minor', 'gitVersion', 'gitCommit', 'gitTreeState', 'buildDate', 'goVersion'];
  metrics.collect(
    'gauge',
    {
      name: 'kubernetes_build_info',
      help: 'Always 1; its labels say which version this is.',
      labels: [...labels, 'compiler', 'platform'],
    },
    () => [[[...values, 'compiler', 'platform'].map((name) => version[name] ?? ''), 1]],
  );
  const countOf = ({ prefix }: Resource): number => store.list(prefix, { limit: 0 }).remaining;
  // Of several versions and faces of what is stored once, one.
  const stored = (): readonly Resource[] => {
    const byPrefix = new Map<string, Resource>();
    for (const one of resources.all())
      if (one.kind === one.stored && !byPrefix.has(one.prefix)) byPrefix.set(one.prefix, one);
    return [...byPrefix.values()];
  };
  metrics.collect(
    'gauge',
    { name: 'apiserver_storage_objects', help: 'Objects stored.', labels: ['resource'] },
    () => stored().map((one) => [[one.groupResource], countOf(one)]),
  );
  metrics.collect(
    'gauge',
    { name: 'apiserver_resource_objects', help: 'Objects stored.', labels: ['group', 'resource'] },
    () => stored().map((one) => [[one.kind.group, one.kind.resource], countOf(one)]),
  );
  const one = (type: 'counter' | 'gauge', name: string, help: string, read: () => number): void =>
    metrics.collect(type, { name: `caelum_store_${name}`, help }, () => [[[], read()]]);
  one('gauge', 'revision', 'Revision of the newest durable state.', () => store.stats().revision);
  one(
    'gauge',
    'compacted_revision',
    'Revisions up to this are forgotten.',
    () => store.stats().compactedRevision,
  );
  one('gauge', 'objects', 'Objects stored.', () => store.stats().keys);
  one('gauge', 'bytes', 'Bytes of their JSON.', () => store.stats().bytes);
  one('gauge', 'waiting_writes', 'Writes accepted and not yet durable.', () => store.stats().waiting);
  one('counter', 'commits_total', 'Groups of writes made durable.', () => store.stats().commits);
  one(
    'counter',
    'commit_seconds_total',
    'Seconds from the sending of a group of writes to its being durable, all together.',
    () => store.stats().commitMs / 1000,
  );
  exportProcess(metrics);
}
