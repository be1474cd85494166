/**
 * Certificate signing requests: who may approve for a signer, who may sign as one, and who may never be named. Pure.
 * Source: Kubernetes 1.36, admission plugins CertificateApproval, CertificateSigning, CertificateSubjectRestriction, as behaviour.
 */
import type { CertificateSigningRequest } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { refused } from './refusal.ts';

type Request = CertificateSigningRequest;
const resourceName = 'certificatesigningrequests.certificates.k8s.io';
const clientSigner = 'kubernetes.io/kube-apiserver-client';

export function certificateApproval({ access }: AdmissionContext): AdmissionStep {
  return {
    name: 'CertificateApproval',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === resourceName && subresource === 'approval' && operation === 'UPDATE',
    handles: () => true,
    validate: (admission) => mayAs(access, admission, 'approve', 'approve requests'),
  };
}

export function certificateSigning({ access }: AdmissionContext): AdmissionStep {
  return {
    name: 'CertificateSigning',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === resourceName && subresource === 'status' && operation === 'UPDATE',
    handles: ({ object, oldObject }) => {
      const now = (object as unknown as Request).status;
      const old = (oldObject as Request).status;
      // Others may well say that it failed; the certificate and the verdict are the signer's.
      return (
        (now?.certificate ?? '') !== (old?.certificate ?? '') ||
        !sameJson(now?.conditions ?? [], old?.conditions ?? [])
      );
    },
    validate: (admission) => mayAs(access, admission, 'sign', 'sign requests'),
  };
}

/** Asked of the signer itself, and of all signers of its domain: `example.com/*`. */
function mayAs(
  access: AdmissionContext['access'],
  admission: Admission,
  verb: 'approve' | 'sign',
  what: string,
): void | Promise<void> {
  const { signerName = '' } = (admission.oldObject as Request).spec;
  const domain = signerName.slice(0, signerName.indexOf('/'));
  const asked = (name: string): Attributes => ({
    kind: 'resource',
    verb,
    group: 'certificates.k8s.io',
    version: 'v1',
    resource: 'signers',
    subresource: '',
    namespace: '',
    name,
  });
  const names = [signerName, `${domain}/*`];
  const refuse = () =>
    refused(admission, `user not permitted to ${what} with signerName ${JSON.stringify(signerName)}`);
  const from = (at: number): void | Promise<void> => {
    for (let index = at; index < names.length; index++) {
      const said = access.ask(admission.identity, asked(names[index] ?? ''));
      if (said instanceof Promise) return said.then((one) => (one.allowed ? undefined : from(index + 1)));
      if (said.allowed) return undefined;
    }
    throw refuse();
  };
  return from(0);
}

/** Nobody gets a certificate of the group that may do everything through the signer of clients' certificates. */
export function certificateSubjectRestriction(): AdmissionStep {
  return {
    name: 'CertificateSubjectRestriction',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === resourceName && subresource === '' && operation === 'CREATE',
    handles: ({ object }) => (object as unknown as Request).spec?.signerName === clientSigner,
    validate(admission) {
      const { request } = (admission.object as unknown as Request).spec;
      if (organisations(request).includes('system:masters'))
        throw refused(admission, `use of ${clientSigner} signer with system:masters group is not allowed`);
    },
  };
}

const organisationId = Buffer.from([0x06, 0x03, 0x55, 0x04, 0x0a]);

/** Every organisation that stands anywhere in a request: the object identifier 2.5.4.10 and the string after it. */
function organisations(base64: string): readonly string[] {
  const pem = Buffer.from(base64, 'base64').toString('latin1');
  const [, body = ''] = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]*?)-----END/.exec(pem) ?? [];
  const der = Buffer.from(body, 'base64');
  const found: string[] = [];
  for (let at = der.indexOf(organisationId); at >= 0; at = der.indexOf(organisationId, at + 1)) {
    const start = at + organisationId.length;
    const tag = der[start];
    const short = der[start + 1] ?? 0;
    // Of the long forms only those of up to 127 matter: what is looked for is short.
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
    const length = lengthBytes === 0 ? short : (der[start + 1 + lengthBytes] ?? 0);
    const bytes = der.subarray(start + 2 + lengthBytes, start + 2 + lengthBytes + length);
    // BMPString is UTF-16 and UniversalString UTF-32, big end first; all others hold ASCII as it is.
    const text = bytes.toString('latin1');
    found.push(tag === 0x1e || tag === 0x1c ? text.replaceAll('\0', '') : text);
  }
  return found;
}
