/** The door of `security`: the cloud's own certificates. Access policy, secrets and audit join it later. */

export {
  type CertificateAuthority,
  createCertificateAuthority,
  type RequestFacts,
  type SigningTerms,
} from './io/certificate-authority.ts';
export { ensurePki, type KeyPair, type Pki, type PkiOptions } from './io/pki.ts';
