/**
 * Certificates that others ask for (PKCS #10): read, and signed with the cloud's authority. Whether they may have them is decided elsewhere.
 * Source: RFC 2986, RFC 5280; Kubernetes' names of key usages.
 */
import { X509Certificate } from 'node:crypto';
import { CaelumError } from '../../lib/index.ts';
import { importKey, type KeyPair, loadX509, serial, signing } from './pki.ts';

/** What a request asks to be called. */
export interface RequestFacts {
  readonly commonName: string;
  readonly organisations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
}

export interface SigningTerms {
  /** As Kubernetes calls them: `client auth`. */
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CertificateAuthority {
  /** Throws `badRequest` for what is no request, or not signed with its own key. */
  read(pem: string): Promise<RequestFacts>;
  /** PEM. It lasts no longer than the authority itself. */
  sign(pem: string, terms: SigningTerms): Promise<string>;
}

export function createCertificateAuthority(ca: KeyPair): CertificateAuthority {
  return {
    read: async (pem) => factsOf((await parse(pem)).request),
    sign: (pem, terms) => sign(ca, pem, terms),
  };
}

type Library = Awaited<ReturnType<typeof loadX509>>;
type Request = InstanceType<Library['Pkcs10CertificateRequest']>;

const damaged = (cause?: unknown): CaelumError =>
  new CaelumError(
    'badRequest',
    'unable to parse csr: it is no certificate request, or not signed with its own key',
    {
      cause,
    },
  );

async function parse(pem: string): Promise<{ readonly x509: Library; readonly request: Request }> {
  const x509 = await loadX509();
  let request: Request;
  try {
    request = new x509.Pkcs10CertificateRequest(pem);
  } catch (cause) {
    throw damaged(cause);
  }
  const genuine = await request.verify().catch(() => false);
  if (!genuine) throw damaged();
  return { x509, request };
}

const alternativeNames = '2.5.29.17';

function factsOf(request: Request): RequestFacts {
  const names = request.subjectName;
  const extension = request.extensions.find(({ type }) => type === alternativeNames) as
    | InstanceType<Library['SubjectAlternativeNameExtension']>
    | undefined;
  const alternatives = extension?.names.items ?? [];
  const of = (type: string): readonly string[] =>
    alternatives.filter((one) => one.type === type).map((one) => one.value);
  return {
    commonName: names.getField('CN').at(-1) ?? '',
    organisations: names.getField('O'),
    dnsNames: of('dns'),
    addresses: of('ip'),
    emails: of('email'),
    uris: of('url'),
  };
}

async function sign(ca: KeyPair, pem: string, terms: SigningTerms): Promise<string> {
  const { x509, request } = await parse(pem);
  const authority = new x509.X509Certificate(ca.cert);
  const alternatives = request.extensions.find(({ type }) => type === alternativeNames);
  const endMs = Math.min(terms.notAfterMs, Date.parse(new X509Certificate(ca.cert).validTo));
  const extended = extendedUsages(terms.usages);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: request.subjectName,
    issuer: authority.subject,
    notBefore: new Date(terms.notBeforeMs),
    notAfter: new Date(endMs),
    signingAlgorithm: signing,
    publicKey: request.publicKey,
    signingKey: await importKey(ca.key),
    extensions: [
      // Whatever a request asks for, it never makes an authority.
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(keyUsages(terms.usages), true),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extended])]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      ...(alternatives === undefined ? [] : [alternatives]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Bits of RFC 5280, 4.2.1.3, as the library numbers them. */
const bits: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 0,
  'crl sign': 0,
  'encipher only': 128,
  'decipher only': 256,
};

const keyUsages = (usages: readonly string[]): number =>
  usages.reduce((sum, usage) => sum | (bits[usage] ?? 0), 0);

const purposes: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
};

const extendedUsages = (usages: readonly string[]): readonly string[] =>
  usages.flatMap((usage) => purposes[usage] ?? []);
