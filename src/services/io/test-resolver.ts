/**
 * A resolver for tests that gives every question the same long time. One that is used again learns from quick answers to wait a
 * fraction of a second only, whatever it was told: then a machine that is busy for a moment looks like a server that is silent.
 */
import { Resolver } from 'node:dns/promises';

export function resolverAt(port: number): Resolver {
  const fresh = (): Resolver => {
    const resolver = new Resolver({ timeout: 20_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    return resolver;
  };
  return new Proxy(fresh(), {
    get(_one, name) {
      const resolver = fresh();
      const value = Reflect.get(resolver, name) as unknown;
      return typeof value === 'function' ? (value.bind(resolver) as unknown) : value;
    },
  });
}
