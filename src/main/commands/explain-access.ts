/** What `caelum explain access` asks, and how it tells the answer. */
import { builtinKinds } from '../../api/index.ts';
import type { Explanation } from '../../apiserver/index.ts';
import { type Arguments, usage } from '../../cli/index.ts';
import type { AccessQuestion } from '../explain-paths.ts';
import { explain } from './explain.ts';

const accountPrefix = 'system:serviceaccount:';

export function questionOf(given: Arguments): AccessQuestion {
  const [, user = '', verb = '', what = ''] = given.words;
  if (what === '') throw usage(explain, 'explain access needs USER, VERB and RESOURCE');
  const named = given.values('group');
  const identity = { user, groups: [...new Set([...named, ...impliedGroups(user)])] };
  if (what.startsWith('/'))
    return { identity, asked: { kind: 'path', verb: verb.toLowerCase(), path: what } };
  const [typed = '', name = ''] = what.split('/');
  const { group, resource, namespaced } = resourceOf(typed);
  return {
    identity,
    asked: {
      kind: 'resource',
      verb,
      group,
      resource,
      subresource: given.value('subresource') ?? '',
      namespace: namespaced && !given.flag('all-namespaces') ? (given.value('namespace') ?? 'default') : '',
      name,
    },
  };
}

/** Groups that nobody has to be put into. */
function impliedGroups(user: string): readonly string[] {
  if (user === 'system:anonymous') return ['system:unauthenticated'];
  if (!user.startsWith(accountPrefix)) return ['system:authenticated'];
  const [namespace = ''] = user.slice(accountPrefix.length).split(':');
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
}

/** Also of kinds that are not built in: they are taken as they are written. */
function resourceOf(typed: string): {
  readonly group: string;
  readonly resource: string;
  readonly namespaced: boolean;
} {
  const lower = typed.toLowerCase();
  const dot = lower.indexOf('.');
  const [word, domain] = dot < 0 ? [lower, undefined] : [lower.slice(0, dot), lower.slice(dot + 1)];
  const found = builtinKinds.kinds.find(
    (kind) =>
      (domain === undefined || domain === kind.group) &&
      [kind.resource, kind.singular, kind.kind.toLowerCase(), ...kind.shortNames].includes(word),
  );
  if (found !== undefined) return found;
  return { group: domain ?? '', resource: word, namespaced: true };
}

export async function accessText(
  { identity, asked }: AccessQuestion,
  explanation: Explanation,
): Promise<string> {
  const what =
    asked.kind === 'path'
      ? asked.path
      : `${asked.resource}${asked.subresource === '' ? '' : `/${asked.subresource}`}${asked.group === '' ? '' : `.${asked.group}`}${asked.name === '' ? '' : ` "${asked.name}"`}${asked.namespace === '' ? '' : ` in namespace "${asked.namespace}"`}`;
  const head = `${identity.user} ${explanation.allowed ? 'may' : 'may not'} ${asked.verb} ${what}.`;
  if (explanation.allowed) {
    const lines = explanation.because.map(({ text, rule }) => {
      const by = rule === undefined ? '' : `\n    by the rule ${JSON.stringify(rule)}`;
      return `  ${text}${by}`;
    });
    return `${[head, '', 'Allowed by:', ...lines].join('\n')}\n`;
  }
  const { stringify } = await import('yaml');
  const missing = explanation.missing.map((line) => `  ${line}`);
  const remedy = explanation.remedy.map((object) => stringify(object).trimEnd()).join('\n---\n');
  return `${[head, '', 'Why not:', ...missing, '', 'The least that would allow it:', '', remedy].join('\n')}\n`;
}
