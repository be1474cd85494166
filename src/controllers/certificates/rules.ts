/**
 * What the cloud's own signers sign, and whom it believes without asking anybody. Pure.
 * Source: Kubernetes' documentation of certificate signing requests, "Kubernetes signers".
 */

/** What a request asks to be called. */
export interface RequestFacts {
  readonly commonName: string;
  readonly organisations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
}

export const clientSigner = 'kubernetes.io/kube-apiserver-client';
export const nodeClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
export const nodeServingSigner = 'kubernetes.io/kubelet-serving';

const nodesGroup = 'system:nodes';
const nodePrefix = 'system:node:';

export const isOurs = (signer: string): boolean =>
  signer === clientSigner || signer === nodeClientSigner || signer === nodeServingSigner;

/** Why the signer refuses; undefined: it signs. */
export function refusalOf(
  signer: string,
  facts: RequestFacts,
  usages: readonly string[],
): string | undefined {
  // Admission says so too; a certificate of this group can never be taken back.
  if (facts.organisations.includes('system:masters')) return 'use of the system:masters group is not allowed';
  switch (signer) {
    case clientSigner:
      return clientUsages(usages);
    case nodeClientSigner:
      return nodeClientFault(facts, usages);
    default:
      return nodeServingFault(facts, usages);
  }
}

function clientUsages(usages: readonly string[]): string | undefined {
  const allowed = ['digital signature', 'key encipherment', 'client auth'];
  if (!usages.includes('client auth')) return 'usages must include "client auth"';
  const wrong = usages.find((usage) => !allowed.includes(usage));
  return wrong === undefined ? undefined : `usage ${JSON.stringify(wrong)} is not allowed`;
}

export function nodeClientFault(facts: RequestFacts, usages: readonly string[]): string | undefined {
  return (
    nodeFault(facts) ??
    (facts.dnsNames.length > 0
      ? 'DNS subjectAltNames are not allowed'
      : facts.addresses.length > 0
        ? 'IP subjectAltNames are not allowed'
        : exactUsages(usages, 'client auth'))
  );
}

function nodeServingFault(facts: RequestFacts, usages: readonly string[]): string | undefined {
  return (
    nodeFault(facts) ??
    (facts.dnsNames.length === 0 && facts.addresses.length === 0
      ? 'either DNS or IP subjectAltNames must be set'
      : exactUsages(usages, 'server auth'))
  );
}

function nodeFault({ organisations, commonName, emails, uris }: RequestFacts): string | undefined {
  if (organisations.length !== 1 || organisations[0] !== nodesGroup)
    return 'subject organization is not system:nodes';
  if (!commonName.startsWith(nodePrefix) || commonName === nodePrefix)
    return 'subject common name does not begin with system:node:';
  if (emails.length > 0) return 'Email subjectAltNames are not allowed';
  return uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined;
}

/** RSA keys may encipher; others need not. */
function exactUsages(usages: readonly string[], purpose: string): string | undefined {
  const wanted = new Set(['digital signature', purpose]);
  const others = usages.filter((usage) => usage !== 'key encipherment');
  const fits = others.length === wanted.size && others.every((usage) => wanted.has(usage));
  return fits ? undefined : `usages did not match [key encipherment digital signature ${purpose}]`;
}

/** Which permission lets a request of a node through without anybody's looking at it. undefined: somebody must look. */
export function approvalOf(
  signer: string,
  username: string,
  facts: RequestFacts,
  usages: readonly string[],
): { readonly subresource: string; readonly message: string } | undefined {
  if (signer !== nodeClientSigner || nodeClientFault(facts, usages) !== undefined) return undefined;
  return username === facts.commonName
    ? {
        subresource: 'selfnodeclient',
        message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
      }
    : {
        subresource: 'nodeclient',
        message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
      };
}
