/**
 * Network policies: who may speak with the pods of a namespace.
 * Source: Kubernetes 1.36, pkg/apis/networking, as behaviour.
 */
import { labelSelectorText } from '../label-selector.ts';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../types/networking.v1.ts';
import {
  addressRange,
  isStrictlyWithin,
  validatePort,
  validatePortOrName,
  validateRange,
} from '../validation/addresses.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { forbiddenField, notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, orNone } from './cells.ts';
import { defineKind } from './define.ts';

const protocols = ['TCP', 'UDP', 'SCTP'];
const policyTypes = ['Ingress', 'Egress'];

export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  message: 'networking.v1.NetworkPolicy',
  description: 'NetworkPolicy says who may speak with a set of pods, and with whom they may.',
  shortNames: ['netpol'],
  hasGeneration: true,
  columns: [
    nameColumn,
    column<NetworkPolicy>('Pod-Selector', 'The pods it is about.', ({ spec }) =>
      orNone(labelSelectorText(spec?.podSelector ?? {})),
    ),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of ports ?? []) port.protocol ??= 'TCP';
    if ((spec.policyTypes?.length ?? 0) === 0)
      spec.policyTypes = (spec.egress?.length ?? 0) === 0 ? ['Ingress'] : ['Ingress', 'Egress'];
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateLabelSelector(problems, 'spec.podSelector', spec?.podSelector);
    spec?.ingress?.forEach(({ ports, from }, index) => {
      validateParties(problems, `spec.ingress[${index}]`, ports, 'from', from);
    });
    spec?.egress?.forEach(({ ports, to }, index) => {
      validateParties(problems, `spec.egress[${index}]`, ports, 'to', to);
    });
    const types = spec?.policyTypes ?? [];
    if (types.length > policyTypes.length)
      problems.push(wrong('spec.policyTypes', types, 'may not specify more than two policyTypes'));
    else
      types.forEach((type, index) => {
        if (!policyTypes.includes(type))
          problems.push(notSupported(`spec.policyTypes[${index}]`, type, policyTypes));
      });
    return problems;
  },
});

function validateParties(
  problems: Problems,
  field: string,
  ports: readonly NetworkPolicyPort[] | undefined,
  side: 'from' | 'to',
  peers: readonly NetworkPolicyPeer[] | undefined,
): void {
  ports?.forEach((port, index) => {
    validatePolicyPort(problems, `${field}.ports[${index}]`, port);
  });
  peers?.forEach((peer, index) => {
    validatePeer(problems, `${field}.${side}[${index}]`, peer);
  });
}

function validatePolicyPort(
  problems: Problems,
  field: string,
  { protocol, port, endPort }: NetworkPolicyPort,
): void {
  if (protocol !== undefined && !protocols.includes(protocol))
    problems.push(notSupported(`${field}.protocol`, protocol, protocols));
  const at = `${field}.endPort`;
  if (typeof port === 'number') {
    validatePort(problems, `${field}.port`, port);
    if (endPort === undefined) return;
    if (endPort < port) problems.push(wrong(at, endPort, 'must be greater than or equal to `port`'));
    validatePort(problems, at, endPort);
    return;
  }
  if (endPort !== undefined)
    problems.push(
      wrong(
        at,
        endPort,
        `may not be specified when \`port\` is ${port === undefined ? 'not specified' : 'non-numeric'}`,
      ),
    );
  if (port !== undefined) validatePortOrName(problems, `${field}.port`, port);
}

function validatePeer(
  problems: Problems,
  field: string,
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
): void {
  validateLabelSelector(problems, `${field}.podSelector`, podSelector);
  validateLabelSelector(problems, `${field}.namespaceSelector`, namespaceSelector);
  if (ipBlock !== undefined) validateBlock(problems, `${field}.ipBlock`, ipBlock);
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (!hasSelector && ipBlock === undefined) problems.push(required(field, 'must specify a peer'));
  if (hasSelector && ipBlock !== undefined)
    problems.push(forbiddenField(field, 'may not specify both ipBlock and another peer'));
}

function validateBlock(problems: Problems, field: string, { cidr = '', except = [] }: IPBlock): void {
  if (cidr === '') {
    problems.push(required(`${field}.cidr`));
    return;
  }
  validateRange(problems, `${field}.cidr`, cidr);
  const whole = addressRange(cidr);
  if (whole === undefined) return;
  except.forEach((text, index) => {
    const at = `${field}.except[${index}]`;
    validateRange(problems, at, text);
    const part = addressRange(text);
    if (part !== undefined && !isStrictlyWithin(part, whole))
      problems.push(wrong(at, text, 'must be a strict subset of `cidr`'));
  });
}
