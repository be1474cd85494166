/** The service account controller. Decisions are in `plan.ts`. */
import type { ConfigMap, KubeObject, Namespace, ServiceAccount } from '../../api/index.ts';
import type { Change, Informers } from '../../client/index.ts';
import { configMapsRef, namespacesRef, serviceAccountsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { accountName, type Observed, plan, rootCaName } from './plan.ts';

export function serviceAccountController(informers: Informers, rootCaPem: string): Controller<Observed> {
  const namespaces = informers.informer<Namespace>(namespacesRef);
  const accounts = informers.informer<ServiceAccount>(serviceAccountsRef);
  const configMaps = informers.informer<ConfigMap>(configMapsRef);
  const onlyNamed =
    (name: string) =>
    ({ object }: Change<KubeObject>): readonly string[] =>
      object.metadata.name === name ? [object.metadata.namespace ?? ''] : [];
  return {
    name: 'service-account-controller',
    workers: 4,
    watches: [
      watch<Namespace>(informers, namespacesRef, ({ key }) => [key]),
      watch<ServiceAccount>(informers, serviceAccountsRef, onlyNamed(accountName)),
      watch<ConfigMap>(informers, configMapsRef, onlyNamed(rootCaName)),
    ],
    observe(name) {
      const namespace = namespaces.get(name);
      if (namespace === undefined) return undefined;
      return {
        namespace,
        account: accounts.get(`${name}/${accountName}`),
        rootCa: configMaps.get(`${name}/${rootCaName}`),
        rootCaPem,
      };
    },
    plan,
  };
}
