/**
 * Certificate signing requests: who wants a certificate, from which signer, and what became of it.
 * Written once: then only `approval` says yes or no, and only `status` brings the certificate.
 * Source: Kubernetes 1.36, pkg/apis/certificates, as behaviour.
 */
import { formatTime, sameJson } from '../../lib/index.ts';
import type { FieldProblem, KindContext, ObjectPart } from '../kind.ts';
import { type Draft, draftOf } from '../object.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../types/certificates.v1.ts';
import { validateSignerName } from '../validation/domains.ts';
import { isSigned, pemBlocks } from '../validation/pem.ts';
import {
  duplicate,
  forbiddenField,
  notSupported,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, humanDuration, nameColumn, orNone } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

type Request = CertificateSigningRequest;

const secondsMin = 600;
const legacySigner = 'kubernetes.io/legacy-unknown';
const statuses = ['False', 'True', 'Unknown'];
const decisions = ['Approved', 'Denied'];
const final = [...decisions, 'Failed'];
const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

function conditionCell({ status }: Request): string {
  const has = (type: string): boolean => status?.conditions?.some((one) => one.type === type) ?? false;
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  const issued = (status?.certificate ?? '') === '' ? '' : ',Issued';
  return `${decision}${has('Failed') ? ',Failed' : ''}${issued}`;
}

const approval: ObjectPart = {
  name: 'approval',
  take(object: Draft<Request>, wanted: Request, context) {
    object.status = { ...object.status };
    if (wanted.status?.conditions === undefined) delete object.status.conditions;
    else object.status.conditions = draftOf(wanted.status.conditions);
    // What was there is what the times are counted from: `object` is a copy of it.
    stampConditions(object, wanted, context);
  },
  validateUpdate: (object: Request, old: Request) => keepsFinal(object, old),
};

export const certificateSigningRequest = defineKind<Request>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  message: 'certificates.v1.CertificateSigningRequest',
  description: 'CertificateSigningRequest asks a signer for a certificate, and holds what became of it.',
  shortNames: ['csr'],
  namespaced: false,
  subresources: [{ name: 'approval', verbs: ['get', 'patch', 'update'], part: approval }, statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    ageColumn,
    column<Request>('SignerName', 'Who shall sign.', ({ spec }) => orNone(spec?.signerName)),
    column<Request>('Requestor', 'Who asked.', ({ spec }) => spec?.username ?? ''),
    column<Request>('RequestedDuration', 'For how long.', ({ spec }) =>
      spec?.expirationSeconds === undefined ? orNone('') : humanDuration(spec.expirationSeconds * 1000),
    ),
    column<Request>('Condition', 'What became of it.', conditionCell),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
  // Anything goes.
  validateName: () => [],
  prepareCreate(object, { user }) {
    object.status = {};
    const { spec } = object;
    if (spec === undefined) return;
    for (const field of ['username', 'uid', 'groups', 'extra'] as const) delete spec[field];
    if (user === undefined) return;
    const { username, uid, groups, extra } = draftOf(user);
    Object.assign(spec, {
      ...(username === undefined ? {} : { username }),
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups }),
      ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
    });
  },
  prepareUpdate(object, old) {
    object.spec = draftOf(old.spec);
  },
  prepareStatusUpdate(object, old, context) {
    for (const type of decisions) keepConditions(object, old, type);
    stampConditions(object, old, context);
  },
  validate(object) {
    const problems: Problems = [];
    validateSpec(problems, object.spec);
    return [...problems, ...conditionProblems(object)];
  },
  validateStatusUpdate(object, old) {
    const problems: Problems = [...conditionProblems(object), ...keepsFinal(object, old)];
    for (const type of decisions) {
      const now = conditionsOf(object, type);
      const before = conditionsOf(old, type);
      if (now.length > before.length)
        problems.push(
          forbiddenField('status.conditions', `updates may not add a condition of type "${type}"`),
        );
    }
    const certificate = object.status?.certificate ?? '';
    const had = old.status?.certificate ?? '';
    if (certificate === had) return problems;
    const why = certificateFault(certificate);
    if (why !== undefined) problems.push(wrong('status.certificate', '<certificate data>', why));
    if (had !== '')
      problems.push(
        forbiddenField('status.certificate', 'updates may not modify existing certificate content'),
      );
    return problems;
  },
});

function validateSpec(problems: Problems, spec: Request['spec'] | undefined): void {
  const { request = '', usages: list = [], signerName = '', expirationSeconds: seconds } = spec ?? {};
  const fault = requestFault(request);
  if (fault !== undefined) problems.push(wrong('spec.request', request, fault));
  if (list.length === 0) problems.push(required('spec.usages'));
  list.forEach((usage, index) => {
    if (!usages.includes(usage)) problems.push(notSupported(`spec.usages[${index}]`, usage, usages));
  });
  list.forEach((usage, index) => {
    if (list.indexOf(usage) < index) problems.push(duplicate(`spec.usages[${index}]`, usage));
  });
  if (signerName === legacySigner)
    problems.push(
      wrong('spec.signerName', signerName, 'the legacy signerName is not allowed via this API version'),
    );
  else validateSignerName(problems, 'spec.signerName', signerName);
  if (seconds !== undefined && seconds < secondsMin)
    problems.push(
      wrong(
        'spec.expirationSeconds',
        seconds,
        `may not specify a duration less than ${secondsMin} seconds (10 minutes)`,
      ),
    );
}

const textOf = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');

function requestFault(base64: string): string | undefined {
  const [block] = pemBlocks(textOf(base64));
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST';
  return isSigned(block.bytes) ? undefined : 'asn1: structure error: not a certificate request';
}

function certificateFault(base64: string): string | undefined {
  if (base64 === '') return undefined;
  const blocks = pemBlocks(textOf(base64));
  for (const { type, hasHeaders, bytes } of blocks) {
    if (type !== 'CERTIFICATE')
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    if (!isSigned(bytes)) return 'x509: malformed certificate';
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function conditionProblems({ status }: Request): readonly FieldProblem[] {
  const problems: Problems = [];
  const seen = new Set<string>();
  status?.conditions?.forEach(({ type, status: is }, index) => {
    const at = `status.conditions[${index}]`;
    const allowed = final.includes(type) ? ['True'] : statuses;
    if (type === '') problems.push(required(`${at}.type`));
    if (is === '') problems.push(required(`${at}.status`));
    else if (!allowed.includes(is)) problems.push(notSupported(`${at}.status`, is, allowed));
    if (decisions.some((other) => other !== type && decisions.includes(type) && seen.has(other)))
      problems.push(wrong(`${at}.type`, type, 'Approved and Denied conditions are mutually exclusive'));
    if (seen.has(type)) problems.push(duplicate(`${at}.type`, type));
    seen.add(type);
  });
  return problems;
}

const conditionsOf = ({ status }: Request, type: string): readonly CertificateSigningRequestCondition[] =>
  status?.conditions?.filter((one) => one.type === type) ?? [];

/** What has been said for good is not taken back. */
function keepsFinal(object: Request, old: Request): readonly FieldProblem[] {
  return final
    .filter((type) => conditionsOf(object, type).length < conditionsOf(old, type).length)
    .map((type) =>
      forbiddenField('status.conditions', `updates may not remove a condition of type "${type}"`),
    );
}

/** A status write brings decisions along as they are. */
function keepConditions(object: Draft<Request>, old: Request, type: string): void {
  const before = conditionsOf(old, type);
  const now = object.status?.conditions?.filter((one) => one.type === type) ?? [];
  if (now.length !== before.length) return;
  now.forEach((condition, index) => {
    if (!sameJson(condition, before[index])) Object.assign(condition, before[index]);
  });
}

/** When a condition was last written, and when it last turned. */
function stampConditions(object: Draft<Request>, old: Request, { nowMs }: KindContext): void {
  const now = formatTime(nowMs);
  for (const condition of object.status?.conditions ?? []) {
    condition.lastUpdateTime ||= now;
    const same = old.status?.conditions?.find(
      ({ type, status, lastTransitionTime }) =>
        type === condition.type && status === condition.status && (lastTransitionTime ?? '') !== '',
    );
    condition.lastTransitionTime ||= same?.lastTransitionTime ?? now;
  }
}
