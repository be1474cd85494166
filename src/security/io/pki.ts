/**
 * The cloud's own certificates, made at the first start and renewed when they run out or no longer fit.
 *
 *   ca ──▶ apiserver (TLS server) · agent (TLS server) · admin, node, apiserver-agent-client (TLS clients) · service-account (signs tokens)
 *   front-proxy-ca ──▶ front-proxy-client: how the API server shows itself to servers that extend it
 *
 * To change the key of tokens: rename service-account.key to service-account-1.key (any service-account-*.key or .pub) and start again. A new one is made and
 * signs; tokens of the old one are good for as long as its file is there.
 *
 * Owns the files of `<data>/pki`. A warm start only reads: the library that makes certificates is loaded when one has to be made.
 * Invariant: a key file is never readable by others, and no file is ever half-written.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type webcrypto,
  X509Certificate,
} from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CaelumError } from '../../lib/index.ts';
import { readIfThere, writeDurably } from '../../lib/io/durable-file.ts';

export interface KeyPair {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Pki {
  readonly ca: KeyPair;
  readonly apiserver: KeyPair;
  /** The node agent's own server. */
  readonly agent: KeyPair;
  /** How the API server shows itself to agents: CN caelum-apiserver. */
  readonly apiserverAgentClient: KeyPair;
  /** CN kubernetes-admin, O system:masters. */
  readonly admin: KeyPair;
  /** CN system:node:NAME, O system:nodes. */
  readonly node: KeyPair;
  /** ES256, PEM. */
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  /** That one, and those of earlier keys: all of them verify. */
  readonly serviceAccountPublicKeys: readonly string[];
  /** An authority of its own: whom it signs for may speak for anybody. */
  readonly frontProxyCa: KeyPair;
  /** CN front-proxy-client. */
  readonly frontProxyClient: KeyPair;
}

export interface PkiOptions {
  readonly directory: string;
  readonly nodeName: string;
  /** IP addresses and DNS names under which the API server is reached. */
  readonly names: readonly string[];
  /** The same for the node agent. */
  readonly agentNames: readonly string[];
  readonly nowMs: number;
}

interface Wanted {
  readonly file: string;
  readonly commonName: string;
  readonly organisation?: string;
  readonly use: 'server' | 'client';
  readonly names: readonly string[];
}

const dayMs = 86_400_000;
const caDays = 3650;
const leafDays = 365;
/** Leaves with less than this left are made anew at start. */
const renewBeforeDays = 60;

/** Reads the certificates of `directory`, making what is missing, expiring or no longer fitting. Throws `corrupt` on unreadable files. */
export async function ensurePki(options: PkiOptions): Promise<Pki> {
  const ca = await ensureCa(options, 'ca', 'caelum-ca');
  const frontProxyCa = await ensureCa(options, 'front-proxy-ca', 'caelum-front-proxy-ca');
  const issue = (wanted: Wanted): Promise<KeyPair> => ensureLeaf(options, ca, wanted);
  const serviceAccountKey = ensureSigningKey(join(options.directory, 'service-account.key'));
  const serviceAccountPublicKey = publicPem(serviceAccountKey);
  return {
    ca,
    apiserver: await issue({
      file: 'apiserver',
      commonName: 'caelum-apiserver',
      use: 'server',
      names: options.names,
    }),
    agent: await issue({
      file: 'agent',
      commonName: `system:node:${options.nodeName}`,
      organisation: 'system:nodes',
      use: 'server',
      names: options.agentNames,
    }),
    apiserverAgentClient: await issue({
      file: 'apiserver-agent-client',
      commonName: 'caelum-apiserver',
      use: 'client',
      names: [],
    }),
    admin: await issue({
      file: 'admin',
      commonName: 'kubernetes-admin',
      organisation: 'system:masters',
      use: 'client',
      names: [],
    }),
    node: await issue({
      file: 'node',
      commonName: `system:node:${options.nodeName}`,
      organisation: 'system:nodes',
      use: 'client',
      names: [],
    }),
    serviceAccountKey,
    serviceAccountPublicKey,
    serviceAccountPublicKeys: [serviceAccountPublicKey, ...earlierKeys(options.directory)],
    frontProxyCa,
    frontProxyClient: await ensureLeaf(options, frontProxyCa, {
      file: 'front-proxy-client',
      commonName: 'front-proxy-client',
      use: 'client',
      names: [],
    }),
  };
}

/** Of a private or a public key. */
const publicPem = (pem: string): string =>
  createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();

function earlierKeys(directory: string): readonly string[] {
  const files = readdirSync(directory).filter((file) => /^service-account-.+\.(key|pub)$/.test(file));
  return files.sort().map((file) => {
    try {
      return publicPem(readIfThere(join(directory, file)) ?? '');
    } catch (cause) {
      throw new CaelumError(
        'corrupt',
        `Cannot read key "${join(directory, file)}": it is damaged; remove it, and tokens signed with it are refused`,
        { cause },
      );
    }
  });
}

function readPair(directory: string, file: string): KeyPair | undefined {
  const cert = readIfThere(join(directory, `${file}.crt`));
  const key = readIfThere(join(directory, `${file}.key`));
  if (cert === undefined || key === undefined) return undefined;
  try {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return undefined;
  } catch (cause) {
    throw new CaelumError(
      'corrupt',
      `Cannot read certificate "${join(directory, file)}.crt": it is damaged; restore it from a backup, or remove it and its .key to have it made anew`,
      { cause },
    );
  }
  return { cert, key };
}

function writePair(directory: string, file: string, pair: KeyPair): void {
  writeDurably(join(directory, `${file}.key`), pair.key, 0o600);
  writeDurably(join(directory, `${file}.crt`), pair.cert, 0o644);
}

async function ensureCa(options: PkiOptions, file: string, commonName: string): Promise<KeyPair> {
  const found = readPair(options.directory, file);
  if (found !== undefined) return found;
  const {
    X509CertificateGenerator,
    BasicConstraintsExtension,
    KeyUsagesExtension,
    KeyUsageFlags,
    SubjectKeyIdentifierExtension,
  } = await loadX509();
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${commonName}`,
    notBefore: new Date(options.nowMs - dayMs),
    notAfter: new Date(options.nowMs + caDays * dayMs),
    signingAlgorithm: signing,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
        true,
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pair = { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  writePair(options.directory, file, pair);
  return pair;
}

async function ensureLeaf(options: PkiOptions, ca: KeyPair, wanted: Wanted): Promise<KeyPair> {
  const found = readPair(options.directory, wanted.file);
  if (found !== undefined && fits(found, ca, wanted, options.nowMs)) return found;
  const x509 = await loadX509();
  const keys = await newKeys();
  const authority = new x509.X509Certificate(ca.cert);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${wanted.commonName}${wanted.organisation === undefined ? '' : `, O=${wanted.organisation}`}`,
    issuer: authority.subject,
    notBefore: new Date(options.nowMs - dayMs),
    notAfter: new Date(options.nowMs + leafDays * dayMs),
    signingAlgorithm: signing,
    publicKey: keys.publicKey,
    signingKey: await importKey(ca.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        wanted.use === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      ...(wanted.names.length === 0
        ? []
        : [
            new x509.SubjectAlternativeNameExtension(
              wanted.names.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value })),
            ),
          ]),
    ],
  });
  const pair = { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  writePair(options.directory, wanted.file, pair);
  return pair;
}

/** Is a certificate on disk still what we would make? */
function fits(pair: KeyPair, ca: KeyPair, wanted: Wanted, nowMs: number): boolean {
  const certificate = new X509Certificate(pair.cert);
  if (Date.parse(certificate.validTo) < nowMs + renewBeforeDays * dayMs) return false;
  if (!certificate.verify(new X509Certificate(ca.cert).publicKey)) return false;
  if (!certificate.subject.split('\n').includes(`CN=${wanted.commonName}`)) return false;
  return wanted.names.every((name) =>
    isAddress(name)
      ? certificate.checkIP(name) !== undefined
      : certificate.checkHost(name, { subject: 'never' }) !== undefined,
  );
}

function ensureSigningKey(path: string): string {
  const found = readIfThere(path);
  if (found !== undefined) return found;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeDurably(path, pem, 0o600);
  return pem;
}

export const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  // The library registers its parts through decorators and needs this loaded before it.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, type: 'pkcs8', format: 'der' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

export async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), keyAlgorithm, false, ['sign']);
}

/** 16 random bytes, positive (RFC 5280, 4.1.2.2). */
export function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return Buffer.from(bytes).toString('hex');
}

function isAddress(name: string): boolean {
  return name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}
