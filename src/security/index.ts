/** The door of `security`: the cloud's own certificates. Access policy, secrets and audit join it later. */
export { ensurePki, type KeyPair, type Pki, type PkiOptions } from './io/pki.ts';
