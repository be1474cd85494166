/**
 * Roles and bindings, ordered by whom they concern, so that a request looks only at what is bound to its user and groups. Kept by the changes of the store.
 *
 *   subject (user, group, service account) ─▶ bindings (cluster-wide, by namespace) ─▶ role ─▶ rules
 *
 * Pure; told of every change. Invariant: an answer is what Kubernetes' RBAC says of the same objects.
 */
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../../api/index.ts';
import type { Identity } from '../identity.ts';
import { type Attributes, allows } from './rules.ts';

export type Binding = ClusterRoleBinding | RoleBinding;
type RbacSubject = NonNullable<Binding['subjects']>[number];

export interface Grant {
  readonly binding: Binding;
  readonly subject: RbacSubject;
  readonly rules: readonly PolicyRule[];
}

export class RoleBook {
  readonly #clusterRoles = new Map<string, ClusterRole>();
  readonly #roles = new Map<string, Role>();
  readonly #bindings = new Map<string, Binding>();
  /** Subject → keys of bindings. */
  readonly #bySubject = new Map<string, Set<string>>();

  /** `key`: name, or namespace/name. undefined: it is gone. */
  setClusterRole(name: string, role: ClusterRole | undefined): void {
    if (role === undefined) this.#clusterRoles.delete(name);
    else this.#clusterRoles.set(name, role);
  }

  setRole(key: string, role: Role | undefined): void {
    if (role === undefined) this.#roles.delete(key);
    else this.#roles.set(key, role);
  }

  setBinding(key: string, binding: Binding | undefined): void {
    for (const subject of this.#bindings.get(key)?.subjects ?? [])
      this.#bySubject.get(subjectKey(subject, key))?.delete(key);
    if (binding === undefined) {
      this.#bindings.delete(key);
      return;
    }
    this.#bindings.set(key, binding);
    for (const subject of binding.subjects ?? []) {
      const of = subjectKey(subject, key);
      let keys = this.#bySubject.get(of);
      if (keys === undefined) {
        keys = new Set();
        this.#bySubject.set(of, keys);
      }
      keys.add(key);
    }
  }

  clusterRoles(): Iterable<ClusterRole> {
    return this.#clusterRoles.values();
  }

  /** The rules of a role that a binding in `namespace` refers to. undefined: there is no such role. */
  rulesOf(roleRef: Binding['roleRef'], namespace: string): readonly PolicyRule[] | undefined {
    const role =
      roleRef.kind === 'ClusterRole'
        ? this.#clusterRoles.get(roleRef.name)
        : this.#roles.get(`${namespace}/${roleRef.name}`);
    return role === undefined ? undefined : (role.rules ?? []);
  }

  /** Everything granted to the identity that counts in the namespace ('' for what has none). */
  *grants(identity: Identity, namespace: string): Iterable<Grant> {
    for (const of of subjectKeys(identity)) {
      for (const key of this.#bySubject.get(of) ?? []) {
        const binding = this.#bindings.get(key);
        if (binding === undefined) continue;
        const at = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
        if (at !== '' && at !== namespace) continue;
        const rules = this.rulesOf(binding.roleRef, at);
        const subject = binding.subjects?.find((one) => subjectKey(one, key) === of);
        if (rules !== undefined && subject !== undefined) yield { binding, subject, rules };
      }
    }
  }

  /** What is granted to the identity in other namespaces only. */
  elsewhere(identity: Identity, namespace: string): readonly Grant[] {
    const found: Grant[] = [];
    for (const of of subjectKeys(identity))
      for (const key of this.#bySubject.get(of) ?? []) {
        const binding = this.#bindings.get(key);
        const at = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
        if (binding === undefined || at === '' || at === namespace) continue;
        const rules = this.rulesOf(binding.roleRef, at);
        const subject = binding.subjects?.find((one) => subjectKey(one, key) === of);
        if (rules !== undefined && subject !== undefined) found.push({ binding, subject, rules });
      }
    return found;
  }

  /** Roles that can be bound in a namespace ('': cluster roles alone). */
  *roles(
    namespace: string,
  ): Iterable<{ readonly kind: string; readonly name: string; readonly rules: readonly PolicyRule[] }> {
    if (namespace !== '')
      for (const [key, { metadata, rules = [] }] of this.#roles)
        if (key.startsWith(`${namespace}/`)) yield { kind: 'Role', name: metadata.name ?? '', rules };
    for (const [name, { rules = [] }] of this.#clusterRoles) yield { kind: 'ClusterRole', name, rules };
  }

  /** The first grant that allows it. */
  find(identity: Identity, asked: Attributes): Grant | undefined {
    for (const grant of this.grants(identity, asked.kind === 'resource' ? asked.namespace : ''))
      if (grant.rules.some((rule) => allows(rule, asked))) return grant;
    return undefined;
  }
}

/** One text a subject, so that each is found by one look-up. */
function subjectKey({ kind, name, namespace }: RbacSubject, bindingKey: string): string {
  if (kind === 'ServiceAccount') {
    const own = bindingKey.includes('/') ? bindingKey.slice(0, bindingKey.indexOf('/')) : '';
    return `User/system:serviceaccount:${namespace ?? own}:${name}`;
  }
  return `${kind}/${name}`;
}

function subjectKeys({ user, groups }: Identity): readonly string[] {
  return [`User/${user}`, ...groups.map((group) => `Group/${group}`)];
}

/** `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`. */
export function grantText({ binding, subject }: Grant): string {
  const { namespace, name = '' } = binding.metadata;
  const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
  const where = namespace === undefined ? `"${name}"` : `"${name}/${namespace}"`;
  const who =
    subject.kind === 'ServiceAccount'
      ? `"${subject.name}/${subject.namespace ?? namespace ?? ''}"`
      : `"${subject.name}"`;
  return `RBAC: allowed by ${kind} ${where} of ${binding.roleRef.kind} "${binding.roleRef.name}" to ${subject.kind} ${who}`;
}
