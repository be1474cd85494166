/** A Client whose requests cross the simulated network. Objects are shared, not copied: who changes one is found by the property for that. */

import type { KubeObject } from '../api/index.ts';
import {
  type Client,
  keyOf,
  type ListOptions,
  type ResourceRef,
  type WatchHandler,
  type WatchOptions,
} from '../client/index.ts';
import type { Life } from './life.ts';
import type { About, Callee, Network } from './network.ts';
import type { Written } from './property.ts';

/** A server with an API while it runs. */
export interface ApiHost extends Callee {
  /** The client of the life that runs now. Only called while there is one. */
  api(): Client;
}

/** Told what a life writes: when the API server begins with it, and when it has carried it out. */
export type OnWrite = (
  state: Written['state'],
  by: string,
  verb: string,
  ref: ResourceRef,
  /** `namespace/name`, or `name`. */
  name: string,
  result: KubeObject | undefined,
  /** Of a deletion: of which object, where the request says it. */
  uid: string | undefined,
) => void;

export function createNetworkClient(network: Network, caller: Life, host: ApiHost, onWrite: OnWrite): Client {
  const read = <T>(about: About, run: (api: Client) => Promise<T>): Promise<T> =>
    network.call(caller, host, () => run(host.api()), true, about);
  const write = <T>(
    verb: string,
    ref: ResourceRef,
    name: string,
    run: (api: Client) => Promise<T>,
    uid?: string,
  ): Promise<T> =>
    network.call(
      caller,
      host,
      async () => {
        onWrite('asked', caller.name, verb, ref, name, undefined, uid);
        const result = await run(host.api());
        onWrite('done', caller.name, verb, ref, name, result as KubeObject | undefined, uid);
        return result;
      },
      true,
      { verb, ref, name },
    );
  const plain = <O extends { readonly signal?: AbortSignal }>(options: O | undefined): O | undefined => {
    if (options?.signal === undefined) return options;
    const { signal: _signal, ...rest } = options;
    return rest as O;
  };
  return {
    get: (ref, namespace, name, options) =>
      read({ verb: 'get', ref, name: full(namespace, name) }, (api) =>
        api.get(ref, namespace, name, plain(options)),
      ),
    list: <T extends KubeObject>(ref: ResourceRef, options?: ListOptions) =>
      read({ verb: 'list', ref, name: '' }, (api) => api.list<T>(ref, plain(options))),
    watch<T extends KubeObject>(ref: ResourceRef, options: WatchOptions, handler: WatchHandler<T>) {
      const watch = network.stream(
        caller,
        host,
        (error) => handler.onEnd(error),
        (sink) => {
          const serving = host.api().watch<T>(ref, plain(options) as WatchOptions, {
            onEvent: (event) => sink.send(() => handler.onEvent(event), event),
            onEnd: (error) => sink.end(error),
          });
          return () => serving.cancel();
        },
        { verb: 'watch', ref, name: '' },
      );
      if (options.signal?.aborted) watch.cancel();
      else options.signal?.addEventListener('abort', () => watch.cancel(), { once: true });
      return watch;
    },
    create: (ref, object, options) =>
      write('create', ref, keyOf(object), (api) => api.create(ref, object, options)),
    createSubresource: (ref, namespace, name, subresource, body) =>
      write(subresource, ref, full(namespace, name), (api) =>
        api.createSubresource(ref, namespace, name, subresource, body),
      ),
    update: (ref, object, options) =>
      write('update', ref, keyOf(object), (api) => api.update(ref, object, options)),
    patch: (ref, namespace, name, type, patch, options) =>
      write('patch', ref, full(namespace, name), (api) =>
        api.patch(ref, namespace, name, type, patch, options),
      ),
    delete: (ref, namespace, name, options) =>
      write(
        'delete',
        ref,
        full(namespace, name),
        (api) => api.delete(ref, namespace, name, options),
        options?.preconditions?.uid,
      ),
  };
}

const full = (namespace: string | undefined, name: string): string =>
  namespace ? `${namespace}/${name}` : name;
