/**
 * Who may do what, decided in Kubernetes' order: administrators, node agents, roles. The first that allows decides; nobody forbids.
 *
 *   store ──changes──▶ roles and bindings (role-book), pods by node ──▶ decide(identity, attributes) ──▶ allowed, because
 *
 * Owns the account of roles and of what is bound where; kept from the store's own events, so that a role counts from the moment in which its write is acknowledged.
 */
import type {
  ClusterRole,
  ClusterRoleBinding,
  KubeObject,
  Pod,
  PolicyRule,
  Role,
  RoleBinding,
} from '../../api/index.ts';
import { CaelumError, type Log } from '../../lib/index.ts';
import type { Store } from '../../store/index.ts';
import { type Identity, isMaster, nodeOf } from '../identity.ts';
import type { Resources } from '../resource.ts';
import { defaultClusterRoleBindings, defaultClusterRoles } from './default-roles.ts';
import { type Explanation, explainAccess } from './explanation.ts';
import { type NodeFacts, nodeAccess } from './node-access.ts';
import { grantText, RoleBook } from './role-book.ts';
import { type Attributes, ruleText, uncovered } from './rules.ts';

export interface Decision {
  readonly allowed: boolean;
  readonly because: string;
  /** Said no, and nobody after it was asked. */
  readonly denied?: boolean;
}

/** Somebody else who is asked (a webhook). undefined: has no opinion. */
export interface Authorizer {
  readonly name: string;
  ask(identity: Identity, asked: Attributes): Decision | undefined | Promise<Decision | undefined>;
}

/** In the order in which they are asked: our own two, and others. */
export type Authorizers = readonly ('node' | 'rbac' | Authorizer)[];

export interface Access {
  /** What our own account says: node agents, roles. */
  decide(identity: Identity, asked: Attributes): Decision;
  /** What everybody says who is to be asked. A promise only where others than ourselves are. */
  ask(identity: Identity, asked: Attributes): Decision | Promise<Decision>;
  /** Who allows it, through which role and binding; or what is missing. */
  explain(identity: Identity, asked: Attributes): Explanation;
  /** Everything that roles grant, in one namespace. */
  rulesOf(identity: Identity, namespace: string): readonly PolicyRule[];
  /** Why that is not all that the identity may do; undefined: it is. */
  untold(identity: Identity): string | undefined;
  /** Throws `forbidden` where a role or binding would give more than its writer has. */
  checkGrant(identity: Identity, resource: string, object: KubeObject, old: KubeObject | undefined): void;
}

export const rbacGroup = 'rbac.authorization.k8s.io';

export interface AccessOptions {
  readonly store: Store;
  readonly resources: Resources;
  readonly log: Log;
  /** Default: node agents, then roles. */
  readonly authorizers?: Authorizers;
}

export function createAccess(options: AccessOptions): Access {
  const book = new RoleBook();
  // Until they are stored (and where roles are no kind at all) the default ones count.
  for (const role of defaultClusterRoles) book.setClusterRole(role.metadata.name ?? '', role);
  for (const binding of defaultClusterRoleBindings) book.setBinding(binding.metadata.name ?? '', binding);
  const podsByNode = new Map<string, Map<string, Pod>>();
  const follow = <T extends KubeObject>(
    group: string,
    resource: string,
    note: (key: string, object: T | undefined, before: T | undefined) => void,
  ): void => {
    const prefix = options.resources.find(group, 'v1', resource)?.prefix;
    if (prefix === undefined) return;
    const nameOf = (key: string): string => key.slice(prefix.length);
    const listing = options.store.list(prefix);
    for (const stored of listing.items) note(nameOf(stored.key), stored.object() as T, undefined);
    options.store.watch(prefix, listing.revision, {
      onEvents: (events) => {
        for (const { kind, key, current, previous } of events)
          note(
            nameOf(key),
            kind === 'delete' ? undefined : (current.object() as T),
            previous?.object() as T | undefined,
          );
      },
      onEnd: (error) => {
        if (error !== undefined) options.log.error('the account of roles is no longer kept', { error });
      },
    });
  };
  follow<ClusterRole>(rbacGroup, 'clusterroles', (name, role) => book.setClusterRole(name, role));
  follow<Role>(rbacGroup, 'roles', (key, role) => book.setRole(key, role));
  follow<ClusterRoleBinding>(rbacGroup, 'clusterrolebindings', (name, binding) =>
    book.setBinding(name, binding),
  );
  follow<RoleBinding>(rbacGroup, 'rolebindings', (key, binding) => book.setBinding(key, binding));
  follow<Pod>('', 'pods', (key, pod, before) => {
    const [now, was] = [pod?.spec?.nodeName, before?.spec?.nodeName];
    if (was && was !== now) podsByNode.get(was)?.delete(key);
    if (pod === undefined || !now) return;
    let here = podsByNode.get(now);
    if (here === undefined) {
      here = new Map();
      podsByNode.set(now, here);
    }
    here.set(key, pod);
  });
  const facts: NodeFacts = {
    podsOf: (node) => podsByNode.get(node)?.values() ?? [],
    object: (group, resource, namespace, name) => {
      const of = options.resources.find(group, 'v1', resource);
      return of === undefined
        ? undefined
        : (options.store.get(of.key(namespace, name))?.object() as KubeObject | undefined);
    },
  };
  return new Deciding(book, facts, options.authorizers);
}

class Deciding implements Access {
  readonly #book: RoleBook;
  readonly #facts: NodeFacts;

  readonly #authorizers: Authorizers | undefined;

  constructor(book: RoleBook, facts: NodeFacts, authorizers: Authorizers | undefined) {
    this.#book = book;
    this.#facts = facts;
    this.#authorizers = authorizers;
  }

  ask(identity: Identity, asked: Attributes): Decision | Promise<Decision> {
    if (this.#authorizers === undefined || isMaster(identity)) return this.decide(identity, asked);
    return this.#askAll(identity, asked, this.#authorizers);
  }

  async #askAll(identity: Identity, asked: Attributes, authorizers: Authorizers): Promise<Decision> {
    const reasons: string[] = [];
    for (const one of authorizers) {
      const said =
        one === 'node'
          ? this.#nodeSays(identity, asked)
          : one === 'rbac'
            ? this.#rolesSay(identity, asked)
            : await one.ask(identity, asked);
      if (said === undefined) continue;
      if (said.allowed || said.denied === true) return said;
      if (said.because !== '') reasons.push(said.because);
    }
    return { allowed: false, because: reasons.join(', ') };
  }

  #nodeSays(identity: Identity, asked: Attributes): Decision | undefined {
    const node = nodeOf(identity);
    return node === undefined || asked.kind !== 'resource' ? undefined : nodeAccess(node, asked, this.#facts);
  }

  #rolesSay(identity: Identity, asked: Attributes): Decision | undefined {
    const grant = this.#book.find(identity, asked);
    return grant === undefined ? undefined : { allowed: true, because: grantText(grant) };
  }

  explain(identity: Identity, asked: Attributes): Explanation {
    return explainAccess(this.#book, identity, asked, this.#nodeSays(identity, asked));
  }

  decide(identity: Identity, asked: Attributes): Decision {
    if (isMaster(identity)) return { allowed: true, because: 'group system:masters may do everything' };
    const node = this.#nodeSays(identity, asked);
    if (node?.allowed === true) return node;
    return this.#rolesSay(identity, asked) ?? node ?? noOpinion;
  }

  rulesOf(identity: Identity, namespace: string): readonly PolicyRule[] {
    if (isMaster(identity)) return everything;
    return [...this.#book.grants(identity, namespace)].flatMap(({ rules }) => rules);
  }

  untold(identity: Identity): string | undefined {
    if (isMaster(identity)) return undefined;
    const silent = [
      ...(nodeOf(identity) === undefined ? [] : ['node']),
      ...(this.#authorizers ?? []).flatMap((one) => (typeof one === 'object' ? ['webhook'] : [])),
    ];
    const texts = silent.map((name) => `${name} authorizer does not support user rule resolution`);
    return texts.length === 0 ? undefined : texts.join(', ');
  }

  checkGrant(identity: Identity, resource: string, object: KubeObject, old: KubeObject | undefined): void {
    if (isMaster(identity)) return;
    if (resource === 'roles' || resource === 'clusterroles')
      this.#checkRole(identity, resource, object as Role, old as Role | undefined);
    else this.#checkBinding(identity, resource, object as RoleBinding, old as RoleBinding | undefined);
  }

  #checkRole(identity: Identity, resource: string, role: Role, old: Role | undefined): void {
    const { namespace = '', name = '' } = role.metadata;
    if (JSON.stringify(old?.rules ?? []) === JSON.stringify(role.rules ?? []) && old !== undefined) return;
    if (this.#may(identity, 'escalate', resource, namespace, name)) return;
    this.#checkCovered(identity, resource, namespace, name, role.rules ?? []);
  }

  #checkBinding(
    identity: Identity,
    resource: string,
    binding: RoleBinding,
    old: RoleBinding | undefined,
  ): void {
    const { namespace = '', name = '' } = binding.metadata;
    const { roleRef } = binding;
    const isSame =
      old !== undefined &&
      JSON.stringify(old.subjects ?? []) === JSON.stringify(binding.subjects ?? []) &&
      JSON.stringify(old.roleRef) === JSON.stringify(roleRef);
    if (isSame) return;
    const roles = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
    if (this.#may(identity, 'bind', roles, namespace, roleRef.name)) return;
    const rules = this.#book.rulesOf(roleRef, namespace);
    if (rules === undefined)
      throw new CaelumError('notFound', `${roles}.${rbacGroup} "${roleRef.name}" not found`, {
        details: { group: rbacGroup, kind: roles, name: roleRef.name },
      });
    this.#checkCovered(identity, resource, namespace, name, rules);
  }

  #may(identity: Identity, verb: string, resource: string, namespace: string, name: string): boolean {
    return (
      this.#book.find(identity, {
        kind: 'resource',
        verb,
        group: rbacGroup,
        resource,
        subresource: '',
        namespace,
        name,
      }) !== undefined
    );
  }

  #checkCovered(
    identity: Identity,
    resource: string,
    namespace: string,
    name: string,
    rules: readonly PolicyRule[],
  ): void {
    const missing = uncovered(this.rulesOf(identity, namespace), rules);
    if (missing.length === 0) return;
    const who = `user ${JSON.stringify(identity.user)} (groups=${JSON.stringify(identity.groups).replaceAll(',', ' ')})`;
    throw new CaelumError(
      'forbidden',
      `${resource}.${rbacGroup} ${JSON.stringify(name)} is forbidden: ${who} is attempting to grant RBAC permissions not currently held:\n${missing.map(ruleText).join('\n')}`,
      { details: { group: rbacGroup, kind: resource, name } },
    );
  }
}

const noOpinion: Decision = { allowed: false, because: '' };

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Worded as Kubernetes words it. */
export function refusal(identity: Identity, asked: Attributes, because = ''): CaelumError {
  const why = because === '' ? '' : `: ${because}`;
  if (asked.kind === 'path')
    return new CaelumError(
      'forbidden',
      `forbidden: User ${JSON.stringify(identity.user)} cannot ${asked.verb} path ${JSON.stringify(asked.path)}${why}`,
    );
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const named = asked.group === '' ? asked.resource : `${asked.resource}.${asked.group}`;
  const object = asked.name === '' ? `${named} is forbidden` : `${named} "${asked.name}" is forbidden`;
  const where = asked.namespace === '' ? ' at the cluster scope' : ` in the namespace "${asked.namespace}"`;
  return new CaelumError(
    'forbidden',
    `${object}: User "${identity.user}" cannot ${asked.verb} resource "${resource}" in API group "${asked.group}"${where}${why}`,
    { details: { group: asked.group, kind: asked.resource, name: asked.name } },
  );
}
