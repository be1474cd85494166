/** What is asked of a pod's streams passes admission as an object (PodExecOptions and its like), which may change it. */
import { connectOptions, connectSearch, proxyOptions } from '../connect-options.ts';
import type { ApiContext } from '../context.ts';
import type { Identity } from '../identity.ts';
import { Query, type ResourceRoute } from '../router.ts';
import { admitAt } from './admitted.ts';

/** `work` gets the parameters as admission leaves them, parsed and as text (`?…`). */
export function connectTo(
  context: ApiContext,
  { namespace, name, subresource }: ResourceRoute,
  identity: Identity,
  search: string,
  work: (query: Query, search: string) => void,
): Promise<void> {
  const resource = context.resources.core('pods');
  const query = new Query(search.slice(1));
  const options = connectOptions(subresource, query);
  const request = { identity, namespace, dryRun: false, fieldValidation: 'Ignore' } as const;
  const at = { resource, request, name, subresource, operation: 'CONNECT' } as const;
  return admitAt(context, at, options, (admitted) => {
    if (admitted === options) return work(query, search);
    const changed = connectSearch(admitted);
    return work(new Query(changed.slice(1)), changed);
  });
}

/** What goes to a node, a pod or a service passes admission, too; the path stays what it is. */
export function connectProxy(
  context: ApiContext,
  { namespace, name, resource: plural, path = '' }: ResourceRoute,
  identity: Identity,
  work: () => void,
): Promise<void> {
  const resource = context.resources.core(plural);
  const request = { identity, namespace, dryRun: false, fieldValidation: 'Ignore' } as const;
  const at = { resource, request, name, subresource: 'proxy', operation: 'CONNECT' } as const;
  return admitAt(context, at, proxyOptions(plural, path), work);
}
