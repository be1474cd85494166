/**
 * Why somebody may do something, or what he lacks: the rule, the role that holds it and the binding that gives it; else the smallest binding that would.
 * Pure. Answers from the same account as decisions do, so it never says otherwise than they.
 */
import type { PolicyRule } from '../../api/index.ts';
import { type Identity, isMaster } from '../identity.ts';
import { grantText, type RoleBook } from './role-book.ts';
import { type Attributes, allows, ruleText } from './rules.ts';

export interface Named {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface Because {
  readonly by: 'system:masters' | 'node' | 'rbac';
  readonly text: string;
  readonly rule?: PolicyRule;
  readonly role?: Named;
  readonly binding?: Named;
  readonly subject?: Named;
}

export interface Explanation {
  readonly allowed: boolean;
  /** All that allow it; each alone would do. */
  readonly because: readonly Because[];
  /** What comes near: roles that allow it but are not bound to him here, and what is bound to him but does not allow it. */
  readonly missing: readonly string[];
  /** What would allow it, to be applied as it is. */
  readonly remedy: readonly object[];
}

const group = 'rbac.authorization.k8s.io';
const nearMax = 10;

export function explainAccess(
  book: RoleBook,
  identity: Identity,
  asked: Attributes,
  node: { readonly allowed: boolean; readonly because: string } | undefined,
): Explanation {
  const because: Because[] = [];
  if (isMaster(identity))
    because.push({ by: 'system:masters', text: 'group system:masters may do everything' });
  if (node?.allowed === true) because.push({ by: 'node', text: `node authorizer: ${node.because}` });
  const namespace = asked.kind === 'resource' ? asked.namespace : '';
  for (const grant of book.grants(identity, namespace)) {
    const rule = grant.rules.find((one) => allows(one, asked));
    if (rule === undefined) continue;
    const { binding, subject } = grant;
    const at = binding.metadata.namespace;
    because.push({
      by: 'rbac',
      text: grantText(grant),
      rule,
      role: named(
        binding.roleRef.kind,
        binding.roleRef.name,
        binding.roleRef.kind === 'Role' ? at : undefined,
      ),
      binding: named(
        at === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
        binding.metadata.name ?? '',
        at,
      ),
      subject: named(subject.kind, subject.name, subject.namespace),
    });
  }
  if (because.length > 0) return { allowed: true, because, missing: [], remedy: [] };
  return {
    allowed: false,
    because,
    missing: missingOf(book, identity, asked, node?.because),
    remedy: remedyFor(book, identity, asked),
  };
}

const named = (kind: string, name: string, namespace: string | undefined): Named => ({
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

function missingOf(
  book: RoleBook,
  identity: Identity,
  asked: Attributes,
  node: string | undefined,
): readonly string[] {
  const lines: string[] = [];
  if (node !== undefined && node !== '') lines.push(`node authorizer: ${node}`);
  const namespace = asked.kind === 'resource' ? asked.namespace : '';
  const bound = [...book.grants(identity, namespace)];
  if (bound.length === 0) lines.push(`nothing is bound to ${who(identity)} here`);
  const near = bound.flatMap((grant) =>
    grant.rules
      .filter((rule) => isNear(rule, asked))
      .map(
        (rule) =>
          `${grant.binding.roleRef.kind} "${grant.binding.roleRef.name}" is bound, but allows only ${ruleText(rule)}`,
      ),
  );
  lines.push(...near.slice(0, nearMax));
  const elsewhere = book
    .elsewhere(identity, namespace)
    .filter(({ rules }) => rules.some((rule) => allows(rule, asked)));
  for (const { binding } of elsewhere.slice(0, nearMax))
    lines.push(
      `RoleBinding "${binding.metadata.name}" allows it in namespace "${binding.metadata.namespace}" only`,
    );
  return lines;
}

/** The right thing with another verb or name, or the right verb on it in another group. */
function isNear(rule: PolicyRule, asked: Attributes): boolean {
  if (asked.kind === 'path') return rule.nonResourceURLs !== undefined;
  return (rule.resources ?? []).includes(asked.resource) || (rule.resources ?? []).includes(whole(asked));
}

const whole = ({ resource, subresource }: Extract<Attributes, { kind: 'resource' }>): string =>
  subresource === '' ? resource : `${resource}/${subresource}`;

const who = ({ user, groups }: Identity): string =>
  `user "${user}"${groups.length === 0 ? '' : ` or groups ${groups.map((one) => `"${one}"`).join(', ')}`}`;

const accountPrefix = 'system:serviceaccount:';

function subjectOf({ user, groups }: Identity): object {
  if (user.startsWith(accountPrefix)) {
    const [namespace = '', name = ''] = user.slice(accountPrefix.length).split(':');
    return { kind: 'ServiceAccount', name, namespace };
  }
  if (user === '') return { kind: 'Group', apiGroup: group, name: groups[0] ?? '' };
  return { kind: 'User', apiGroup: group, name: user };
}

/** A role with this one rule, and a binding of it: in the namespace where that is enough. */
function remedyFor(book: RoleBook, identity: Identity, asked: Attributes): readonly object[] {
  const namespace = asked.kind === 'resource' ? asked.namespace : '';
  const isLocal = namespace !== '';
  const metadata = (name: string): object => ({ name, ...(isLocal ? { namespace } : {}) });
  const rule: PolicyRule =
    asked.kind === 'path'
      ? { verbs: [asked.verb], nonResourceURLs: [asked.path] }
      : {
          verbs: [asked.verb],
          apiGroups: [asked.group],
          resources: [whole(asked)],
          ...(asked.name === '' ? {} : { resourceNames: [asked.name] }),
        };
  const roleKind = isLocal ? 'Role' : 'ClusterRole';
  const existing = smallestRole(book, rule, asked, namespace);
  const what = asked.kind === 'path' ? asked.path : whole(asked);
  const name = nameFrom(
    `${identity.user === '' ? (identity.groups[0] ?? '') : identity.user}-${asked.verb}-${what}`,
  );
  const role = existing ?? { kind: roleKind, name };
  const binding = {
    apiVersion: `${group}/v1`,
    kind: isLocal ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: metadata(name),
    subjects: [subjectOf(identity)],
    roleRef: { apiGroup: group, kind: role.kind, name: role.name },
  };
  if (existing !== undefined) return [binding];
  return [{ apiVersion: `${group}/v1`, kind: roleKind, metadata: metadata(name), rules: [rule] }, binding];
}

/** A role that is there and holds just this rule: no other is as small. */
function smallestRole(
  book: RoleBook,
  rule: PolicyRule,
  asked: Attributes,
  namespace: string,
): { readonly kind: string; readonly name: string } | undefined {
  for (const { kind, name, rules } of book.roles(namespace)) {
    const [only] = rules;
    if (rules.length === 1 && only !== undefined && allows(only, asked) && ruleText(only) === ruleText(rule))
      return { kind, name };
  }
  return undefined;
}

const nameFrom = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 200);
