/** What every operation of the API stands on, and what one request says about itself. */
import type { ComputedApis, KindRegistry } from '../api/index.ts';
import type { Clock, Log, Metrics, Random } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Access } from './access/access.ts';
import type { AdmissionChain } from './admission/chain.ts';
import type { FieldValidation } from './decode.ts';
import type { FieldIndexes } from './field-index.ts';
import type { Identity } from './identity.ts';
import type { Resources } from './resource.ts';
import type { ServiceAllocator } from './service-allocator.ts';
import type { CallWebhook } from './webhook.ts';

/** An object that a token is bound to: gone, or another of the same name, and the token is worth nothing. */
export interface NamedUid {
  readonly name: string;
  readonly uid: string;
}

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: NamedUid;
  readonly audiences: readonly string[];
  /** Infinity: it has no end. */
  readonly expiresAtMs: number;
  readonly pod?: NamedUid;
  readonly secret?: NamedUid;
  /** The node of the pod; without a pod, the node that the token is bound to. */
  readonly node?: { readonly name: string; readonly uid?: string };
  /** It lasts longer than was asked for, so that programs which never read it again go on; from now on it should have been renewed. */
  readonly warnAfterMs?: number;
  /** `JTI=…` */
  readonly credentialId?: string;
  /** The Secret that holds it, for tokens without an end. */
  readonly keptIn?: string;
}

export interface ApiContext {
  readonly registry: KindRegistry;
  readonly resources: Resources;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Whoever counts something makes its families here, once. */
  readonly metrics: Metrics;
  readonly services: ServiceAllocator;
  readonly indexes: FieldIndexes;
  readonly access: Access;
  readonly admission: AdmissionChain;
  /** What is made when asked for. */
  readonly computed: ComputedApis;
  /** Asks a webhook (admission, conversion). */
  readonly callWebhook: CallWebhook;
  /** Signs a service account's token. */
  readonly issueToken: ((claims: TokenClaims) => Promise<string>) | undefined;
}

export interface WriteRequest {
  readonly identity: Identity;
  /** '' for cluster-scoped kinds. */
  readonly namespace: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Under whose name fields are owned. undefined (our own parts): what they make has no owners, what has owners is kept account of all the same. */
  readonly manager?: string | undefined;
  /** The field manager as it was asked for, for who is shown the request's options. */
  readonly fieldManager?: string | undefined;
  /** Says something to whoever asks, whatever becomes of the request. */
  readonly warn?: (text: string) => void;
  /** For the audit log. */
  readonly annotate?: (key: string, value: string) => void;
}
