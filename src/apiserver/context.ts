/** What every operation of the API stands on, and what one request says about itself. */
import type { KindRegistry } from '../api/index.ts';
import type { Clock, Log, Random } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Access } from './access/access.ts';
import type { FieldValidation } from './decode.ts';
import type { Identity } from './identity.ts';
import type { Resources } from './resource.ts';
import type { ServiceAllocator } from './service-allocator.ts';

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  readonly audiences: readonly string[];
  readonly expiresAtMs: number;
  readonly pod?: { readonly name: string; readonly uid: string };
}

export interface ApiContext {
  readonly registry: KindRegistry;
  readonly resources: Resources;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly services: ServiceAllocator;
  readonly access: Access;
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
}
