/**
 * `caelum explain KIND NAME`: why an object is as it is: its conditions, what owns it, what was decided and told about it.
 * `caelum explain access USER VERB RESOURCE`: who lets somebody do something, or what he lacks.
 */
import {
  builtinKinds,
  type CustomResourceDefinition,
  type Event,
  events,
  type Kind,
  type KubeObject,
  type Pod,
} from '../../api/index.ts';
import type { Explanation } from '../../apiserver/index.ts';
import { type Arguments, formatDuration, suggestion, usage } from '../../cli/index.ts';
import type { HttpClient } from '../../client/index.ts';
import type { DecisionRecord, ElasticityDecision } from '../../controllers/index.ts';
import type { Explanation as Placement } from '../../scheduler/index.ts';
import { withCloud } from '../cloud-client.ts';
import { dataOption, outputOption, print, printJson, type RunnableCommand } from '../command.ts';
import { accessPath, autoscalerPrefix, elasticityPrefix } from '../explain-paths.ts';
import { accessText, questionOf } from './explain-access.ts';
import { autoscalerLines } from './explain-autoscaler.ts';
import { elasticityLines } from './explain-elasticity.ts';
import { placementLines } from './explain-placement.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export const explain: RunnableCommand = {
  name: 'explain',
  summary: 'Why an object is as it is: the recorded decisions about it; or why somebody may, or may not.',
  words: 'KIND NAME | access USER VERB RESOURCE[/NAME]',
  wordCount: { min: 2, max: 4 },
  options: [
    dataOption,
    outputOption,
    { name: 'namespace', short: 'n', value: 'NAMESPACE', help: 'where it is (default: default)' },
    { name: 'group', value: 'GROUP', help: 'of access: a group that the user is in; as often as there are' },
    { name: 'subresource', value: 'NAME', help: 'of access: log, exec, status, …' },
    { name: 'all-namespaces', short: 'A', help: 'of access: in every namespace' },
  ],
  notes:
    'The user of a service account is system:serviceaccount:NAMESPACE:NAME; RESOURCE may be a path (/metrics), and RESOURCE.GROUP names its group.',
  async run(given) {
    return withCloud(given, (client) =>
      given.words[0] === 'access' ? tellAccess(client, given) : tell(client, given),
    );
  },
};

async function tellAccess(client: HttpClient, given: Arguments): Promise<number> {
  const question = questionOf(given);
  const explanation = (await client.request('GET', accessPath(question))) as Explanation;
  if (given.value('output') === 'json') printJson({ ...question, ...explanation });
  else print(await accessText(question, explanation));
  return explanation.allowed ? 0 : 1;
}

async function tell(client: HttpClient, given: Arguments): Promise<number> {
  const [word = '', name = '', ...more] = given.words;
  if (name === '' || more.length > 0) throw usage(explain, 'explain needs KIND and NAME');
  const kind = await kindOf(client, word);
  const namespace = kind.namespaced ? (given.value('namespace') ?? 'default') : undefined;
  const ref = {
    group: kind.group,
    version: kind.version,
    resource: kind.resource,
    namespaced: kind.namespaced,
  };
  const object = await client.get<KubeObject>(ref, namespace, name);
  const about = await client.list<Event>(events, {
    ...(namespace === undefined ? {} : { namespace }),
    fieldSelector: `involvedObject.name=${name},involvedObject.kind=${kind.kind}`,
  });
  const told = [...about.items].sort((a, b) => timeOf(a) - timeOf(b));
  const decision =
    kind.kind === 'Pod'
      ? await client.request('GET', `/caelum/explain/pods/${encodeURIComponent(`${namespace}/${name}`)}`)
      : undefined;
  const asked = encodeURIComponent(`${namespace}/${name}`);
  const decisions =
    kind.kind === 'HorizontalPodAutoscaler'
      ? ((await client.request('GET', `${autoscalerPrefix}${asked}`)) as readonly DecisionRecord[] | null)
      : undefined;
  const elastic =
    kind.kind === 'ElasticityPolicy'
      ? ((await client.request('GET', `${elasticityPrefix}${asked}`)) as readonly ElasticityDecision[] | null)
      : undefined;
  const conditions = (object as { status?: { conditions?: readonly Condition[] } }).status?.conditions ?? [];
  if (given.value('output') === 'json')
    printJson({
      object,
      conditions,
      events: told,
      placement: decision ?? null,
      ...((decisions ?? elastic) ? { decisions: decisions ?? elastic } : {}),
    });
  else {
    const more = [...autoscalerLines(decisions ?? []), ...elasticityLines(elastic ?? [])];
    print(narrative(kind, object, conditions, told, decision, more));
  }
  return 0;
}

/** What is asked of a kind here. */
type Named = Pick<Kind, 'group' | 'version' | 'kind' | 'resource' | 'singular' | 'shortNames' | 'namespaced'>;

async function kindOf(client: HttpClient, word: string): Promise<Named> {
  const lower = word.toLowerCase();
  const isMeant = ({ resource, singular, kind, shortNames }: Named): boolean =>
    [resource, singular, kind.toLowerCase(), ...shortNames].includes(lower);
  const found = builtinKinds.kinds.find(isMeant) ?? (await customKinds(client)).find(isMeant);
  if (found !== undefined) return found;
  throw usage(
    explain,
    `there is no kind "${word}"${suggestion(
      lower,
      builtinKinds.kinds.map((kind) => kind.singular),
    )}`,
  );
}

const definitions = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  namespaced: false,
};

async function customKinds(client: HttpClient): Promise<readonly Named[]> {
  const { items } = await client.list<CustomResourceDefinition>(definitions);
  return items.flatMap(({ spec, status }): readonly Named[] => {
    const names = status?.acceptedNames ?? spec.names;
    const version = spec.versions.find((one) => one.served)?.name;
    if (version === undefined) return [];
    return [
      {
        group: spec.group,
        version,
        kind: names.kind,
        resource: names.plural,
        singular: names.singular ?? names.kind.toLowerCase(),
        shortNames: names.shortNames ?? [],
        namespaced: spec.scope === 'Namespaced',
      },
    ];
  });
}

const timeOf = (event: Event): number =>
  Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '') || 0;

function narrative(
  kind: Named,
  object: KubeObject,
  conditions: readonly Condition[],
  told: readonly Event[],
  decision: unknown,
  more: readonly string[],
): string {
  const { name, namespace, ownerReferences, creationTimestamp, deletionTimestamp } = object.metadata;
  const ago = (time: string | undefined): string =>
    time === undefined ? '' : ` (${formatDuration(Date.now() - Date.parse(time))} ago)`;
  const lines = [
    `${kind.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}, created${ago(creationTimestamp)}`,
  ];
  if (deletionTimestamp !== undefined) lines.push('It is being deleted.');
  for (const owner of ownerReferences ?? []) lines.push(`Made for ${owner.kind} ${owner.name}.`);
  if (kind.kind === 'Pod') lines.push(...podLines(object as Pod));
  if (conditions.length > 0) {
    lines.push('', 'Conditions:');
    for (const one of conditions)
      lines.push(
        `  ${one.type} is ${one.status}${one.reason === undefined ? '' : `: ${one.reason}`}${one.message === undefined || one.message === '' ? '' : `: ${one.message}`}${ago(one.lastTransitionTime)}`,
      );
  }
  lines.push(...placementLines(decision as Placement | null | undefined));
  lines.push(...more);
  lines.push('', told.length === 0 ? 'Nothing was told about it.' : 'What was told about it:');
  for (const event of told) {
    const times = (event.count ?? 1) > 1 ? ` (${event.count} times)` : '';
    lines.push(
      `  ${new Date(timeOf(event)).toISOString().slice(11, 19)}  ${event.reason ?? ''}: ${event.message ?? ''}${times}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function podLines(pod: Pod): string[] {
  const lines = [
    pod.spec?.nodeName === undefined
      ? 'It has no node yet.'
      : `It is on node ${pod.spec.nodeName}; phase ${pod.status?.phase ?? 'unknown'}.`,
  ];
  for (const status of [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ]) {
    const { waiting, terminated } = status.state ?? {};
    const now =
      waiting !== undefined
        ? `waits: ${waiting.reason ?? ''}${waiting.message === undefined ? '' : `: ${waiting.message}`}`
        : terminated !== undefined
          ? `ended with exit code ${terminated.exitCode} (${terminated.reason ?? ''})`
          : status.ready
            ? 'runs and is ready'
            : 'runs, not ready';
    const last = status.lastState?.terminated;
    lines.push(
      `Container ${status.name} ${now}; ${status.restartCount} restarts${last === undefined ? '' : `, the last end with exit code ${last.exitCode} (${last.reason ?? ''})`}.`,
    );
  }
  return lines;
}
