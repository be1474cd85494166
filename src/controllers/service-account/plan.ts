/** What every namespace has: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`. Pure. */
import type { ConfigMap, Namespace, ServiceAccount } from '../../api/index.ts';
import { configMapsRef, serviceAccountsRef } from '../resources.ts';
import type { Step } from '../step.ts';

export interface Observed {
  readonly namespace: Namespace;
  readonly account: ServiceAccount | undefined;
  readonly rootCa: ConfigMap | undefined;
  readonly rootCaPem: string;
}

export const accountName = 'default';
export const rootCaName = 'kube-root-ca.crt';

export function plan({ namespace, account, rootCa, rootCaPem }: Observed): readonly Step[] {
  if (namespace.metadata.deletionTimestamp !== undefined) return [];
  const name = namespace.metadata.name ?? '';
  const steps: Step[] = [];
  // `alreadyExists` is somebody else's haste; `forbidden` and `notFound`, the namespace's end.
  const accept = ['alreadyExists', 'notFound'] as const;
  if (account === undefined) {
    const metadata = { name: accountName, namespace: name };
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
    steps.push({ kind: 'create', ref: serviceAccountsRef, object, accept });
  }
  const data = { 'ca.crt': rootCaPem };
  if (rootCa === undefined) {
    const metadata = {
      name: rootCaName,
      namespace: name,
      annotations: {
        'kubernetes.io/description': 'The certificates by which pods recognise the API server.',
      },
    };
    const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    steps.push({ kind: 'create', ref: configMapsRef, object, accept });
  } else if (rootCa.data?.['ca.crt'] !== rootCaPem || Object.keys(rootCa.data).length !== 1) {
    const mended: ConfigMap = { ...rootCa, data };
    steps.push({ kind: 'update', ref: configMapsRef, object: mended });
  }
  return steps;
}
