/**
 * The IPAddresses of a Service: written and deleted with it, in the same transaction, so that neither is ever without the other.
 *
 * Somebody may delete one all the same, or make one that stands in the way: the first is mended by a controller, the second is seen when an address is reserved.
 */
import type { IPAddress, KubeObject, Service } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { Write } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { addressesOf } from '../service-allocator.ts';
import { encodingOf } from './encode.ts';

const nothing: readonly Write[] = [];

/** What is written beside an object that becomes `next` (undefined: is deleted). Nearly always nothing. */
export function companions(
  context: ApiContext,
  resource: Resource,
  next: DraftObject | undefined,
  old: KubeObject | undefined,
): readonly Write[] {
  if (resource.groupResource !== 'services') return nothing;
  const before = addressesOf(old as Service | undefined);
  const after = addressesOf(next as Service | undefined);
  const metadata = (next ?? old)?.metadata;
  if (metadata === undefined || before.join() === after.join()) return nothing;
  const prefix = context.resources.find('networking.k8s.io', 'v1', 'ipaddresses')?.prefix;
  // A registry of a few kinds only: a test's.
  if (prefix === undefined) return nothing;
  const parentRef = {
    resource: 'services',
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name ?? '',
  };
  const isOurs = (key: string): boolean => {
    const parent = (context.store.latest(key)?.object() as IPAddress | undefined)?.spec?.parentRef;
    return (
      parent?.resource === 'services' &&
      parent.name === parentRef.name &&
      parent.namespace === parentRef.namespace
    );
  };
  const writes: Write[] = [];
  for (const address of before)
    if (!after.includes(address) && isOurs(`${prefix}${address}`))
      writes.push({ kind: 'delete', key: `${prefix}${address}` });
  for (const address of after) {
    const key = `${prefix}${address}`;
    if (before.includes(address) || context.store.latest(key) !== undefined) continue;
    const draft: DraftObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: {
        name: address,
        uid: context.random.uuid(),
        creationTimestamp: formatTime(context.clock.nowMs()),
        labels: {
          'ipaddress.kubernetes.io/ip-family': address.includes(':') ? 'IPv6' : 'IPv4',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef },
    };
    writes.push({ kind: 'put', key, ifRevision: 0, ...encodingOf(draft) });
  }
  return writes;
}
