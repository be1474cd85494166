/**
 * Tolerations and taints that the server adds: pods stay for a while on a node in trouble (DefaultTolerationSeconds), pods that ask for an extended resource
 * tolerate its taint (ExtendedResourceToleration), a new node takes no pods before it is ready (TaintNodesByCondition). Pure.
 */
import type { Draft, Node, Pod, Toleration } from '../../api/index.ts';
import type { AdmissionStep } from './chain.ts';

const troubleSeconds = 300;
const notReady = 'node.kubernetes.io/not-ready';

export const defaultTolerationSeconds: AdmissionStep = {
  name: 'DefaultTolerationSeconds',
  concerns: ({ groupResource }, subresource, operation) =>
    groupResource === 'pods' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  handles: () => true,
  mutate({ object }) {
    const { spec } = object as unknown as Draft<Pod>;
    if (spec === undefined) return;
    // Also when somebody replaces the list: what was given once may not be taken away.
    const missing = [notReady, 'node.kubernetes.io/unreachable'].filter(
      (key) => !spec.tolerations?.some((one) => isFor(one, key)),
    );
    if (missing.length === 0) return;
    const added = missing.map((key) => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: troubleSeconds,
    }));
    spec.tolerations = [...(spec.tolerations ?? []), ...added];
  },
};

const isFor = (one: Toleration, key: string): boolean =>
  (one.key === key || one.key === undefined || one.key === '') &&
  (one.effect === 'NoExecute' || one.effect === undefined || one.effect === '');

/** `example.com/gpu`, not the system's own and no huge pages. */
const isExtended = (name: string): boolean =>
  name.includes('/') && !name.startsWith('requests.') && !/(^|\.)kubernetes\.io\//.test(name);

/** Off unless it is asked for, as in Kubernetes. */
export const extendedResourceToleration: AdmissionStep = {
  name: 'ExtendedResourceToleration',
  concerns: ({ groupResource }, subresource, operation) =>
    groupResource === 'pods' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  handles: () => true,
  mutate({ object }) {
    const { spec } = object as unknown as Draft<Pod>;
    const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
    const names = new Set(
      containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}).filter(isExtended)),
    );
    for (const key of [...names].sort()) {
      const toleration = { key, operator: 'Exists', effect: 'NoSchedule' };
      if (spec === undefined) continue;
      const known = spec.tolerations?.some(
        (one) => one.key === key && one.operator === 'Exists' && one.effect === 'NoSchedule',
      );
      if (known !== true) spec.tolerations = [...(spec.tolerations ?? []), toleration];
    }
  },
};

/** The node controller takes the taint away. */
export const taintNodesByCondition: AdmissionStep = {
  name: 'TaintNodesByCondition',
  concerns: ({ groupResource }, subresource, operation) =>
    groupResource === 'nodes' && subresource === '' && operation === 'CREATE',
  handles: () => true,
  mutate({ object }) {
    const node = object as unknown as Draft<Node>;
    const taints = node.spec?.taints ?? [];
    if (taints.some((one) => one.key === notReady && one.effect === 'NoSchedule')) return;
    node.spec = { ...node.spec, taints: [...taints, { key: notReady, effect: 'NoSchedule' }] };
  },
};
