/**
 * What the namespaces with quotas use, to the last accepted write.
 *
 *   used = counted from what is stored ──followed by the store's events──▶ exact at every moment
 *   promised = writes that are admitted and not yet stored (or given up)
 *
 * A quota is counted when it is first asked about; what is told afterwards of what was there then is passed over.
 * Invariant: used + promised is never more than the limit, whatever comes at the same time. Pure.
 */
import {
  type Amounts,
  addUsage,
  contribution,
  countedKinds,
  isOverdue,
  type KubeObject,
  nothingUsed,
  type Pod,
  placeCredit,
  type Reservation,
  type ResourceQuota,
  reservationAnnotation,
  takeUsage,
} from '../../../api/index.ts';
import type { Store, StoreEvent, Subscription } from '../../../store/index.ts';
import type { AdmissionContext } from '../chain.ts';
import { Following } from '../following.ts';

export interface Account {
  readonly quota: ResourceQuota;
  /** At which revision it was counted: what came until then is in it. */
  readonly revision: number;
  readonly used: Record<string, string>;
  /** By the uid of the object: what it will use beyond. */
  readonly promised: Map<string, Amounts[]>;
}

export class QuotaBook {
  readonly #context: AdmissionContext;
  readonly #store: Store;
  readonly #quotas: Following<ResourceQuota>;
  /** namespace → quota's name → its account; a quota without one has not been counted yet. */
  readonly #accounts = new Map<string, Map<string, Account>>();
  /** Of which objects changes are followed. */
  readonly #followed = new Map<string, Subscription>();

  constructor(context: AdmissionContext) {
    this.#context = context;
    this.#store = context.store;
    this.#quotas = new Following<ResourceQuota>(
      context,
      context.resources.find('', 'v1', 'resourcequotas'),
      (quota, isGone) => this.#onQuota(quota, isGone),
    );
  }

  has(namespace: string): boolean {
    return !this.#quotas.isEmpty && this.#quotas.in(namespace).size > 0;
  }

  /** In the order of their names. */
  accounts(namespace: string): readonly Account[] {
    const quotas = [...this.#quotas.in(namespace)].sort(([a], [b]) => (a < b ? -1 : 1));
    return quotas.map(([name, quota]) => this.#accounts.get(namespace)?.get(name) ?? this.#count(quota));
  }

  /** What pods use whose time is over: it may be used again. */
  overdue(namespace: string, quota: ResourceQuota): Record<string, string> {
    const nowMs = this.#context.clock.nowMs();
    const used = nothingUsed(quota);
    for (const stored of this.#store.list(`pods/${namespace}/`).items) {
      const pod = stored.object() as Pod;
      if (isOverdue(pod, nowMs)) addUsage(used, contribution(quota, 'pods', pod) ?? {});
    }
    return used;
  }

  /** What of a new pod's use a reservation pays for that it names. */
  credit(namespace: string, pod: Pod): Amounts | undefined {
    const name = pod.metadata.annotations?.[reservationAnnotation];
    if (name === undefined) return undefined;
    const stored = this.#store.latest(`reservations.scheduling.caelum.dev/${namespace}/${name}`);
    if (stored === undefined) return undefined;
    const waiting = this.#store
      .list(`pods/${namespace}/`)
      .items.map((one) => one.object() as Pod)
      .filter(({ spec, status }) => (spec?.nodeName ?? '') === '' && status?.phase === 'Pending');
    return placeCredit(stored.object() as Reservation, pod, waiting);
  }

  #onQuota(quota: ResourceQuota, isGone: boolean): void {
    const { namespace = '', name = '' } = quota.metadata;
    const here = this.#accounts.get(namespace);
    const account = here?.get(name);
    // A status that is written changes nothing about what counts.
    if (account !== undefined && !isGone && sameLimits(account.quota, quota)) return;
    here?.delete(name);
    if (here?.size === 0) this.#accounts.delete(namespace);
    if (!this.#quotas.isEmpty) return;
    for (const subscription of this.#followed.values()) subscription.cancel();
    this.#followed.clear();
  }

  #count(quota: ResourceQuota): Account {
    const { namespace = '', name = '' } = quota.metadata;
    const used = nothingUsed(quota);
    const kinds = countedKinds(Object.keys(quota.spec?.hard ?? {}));
    for (const groupResource of kinds) {
      this.#follow(groupResource);
      for (const stored of this.#store.list(`${groupResource}/${namespace}/`).items)
        addUsage(used, contribution(quota, groupResource, stored.object() as KubeObject) ?? {});
    }
    const account: Account = { quota, revision: this.#store.revision(), used, promised: new Map() };
    let here = this.#accounts.get(namespace);
    if (here === undefined) {
      here = new Map();
      this.#accounts.set(namespace, here);
    }
    here.set(name, account);
    return account;
  }

  #follow(groupResource: string): void {
    if (this.#followed.has(groupResource)) return;
    const prefix = `${groupResource}/`;
    const subscription = this.#store.watch(prefix, this.#store.revision(), {
      onEvents: (events) => {
        for (const event of events) this.#onEvent(groupResource, prefix, event);
      },
      onEnd: (error) => {
        // Counted anew when next asked about.
        this.#followed.delete(groupResource);
        this.#accounts.clear();
        if (error !== undefined)
          this.#context.log.error('the account of quotas is no longer kept', { error });
      },
    });
    this.#followed.set(groupResource, subscription);
  }

  #onEvent(
    groupResource: string,
    prefix: string,
    { kind, key, revision, current, previous }: StoreEvent,
  ): void {
    const accounts = this.#accounts.get(key.slice(prefix.length, key.indexOf('/', prefix.length)));
    if (accounts === undefined) return;
    const now = kind === 'delete' ? undefined : (current.object() as KubeObject);
    const before = previous?.object() as KubeObject | undefined;
    for (const { quota, revision: counted, used, promised } of accounts.values()) {
      if (revision <= counted) continue;
      if (before !== undefined) takeUsage(used, contribution(quota, groupResource, before) ?? {});
      if (now !== undefined) addUsage(used, contribution(quota, groupResource, now) ?? {});
      // What was promised is used now, or was lost to another write of the same object.
      const uid = (now ?? before)?.metadata.uid;
      if (uid !== undefined) promised.delete(uid);
    }
  }
}

function sameLimits(a: ResourceQuota, b: ResourceQuota): boolean {
  return a.metadata.uid === b.metadata.uid && JSON.stringify(a.spec ?? {}) === JSON.stringify(b.spec ?? {});
}
