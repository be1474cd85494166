/**
 * Keeps the objects of flow control as they should be: what is mandatory as it is written, what is suggested where nobody has made it their own, and each
 * schema's word on whether its priority level is there.
 *
 *   change of a schema or level ─▶ one pass: create what is missing ─▶ mend what is ours ─▶ tell what dangles
 *
 * Whose a suggestion is, its annotation `apf.kubernetes.io/autoupdate-spec` says; without it, whether anybody has ever changed the spec.
 */
import type { Draft, FlowSchema, KubeObject, PriorityLevelConfiguration } from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import { formatTime, isError, sameJson, WorkQueue } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import {
  autoUpdateSpec,
  mandatoryLevels,
  mandatorySchemas,
  suggestedLevels,
  suggestedSchemas,
} from './default-configuration.ts';

export const flowGroup = 'flowcontrol.apiserver.k8s.io';
const ref = (resource: string): ResourceRef => ({
  group: flowGroup,
  version: 'v1',
  resource,
  namespaced: false,
});
const schemaRef = ref('flowschemas');
const levelRef = ref('prioritylevelconfigurations');

/** Calls back with everything that is stored, now and after each batch of changes. */
export function followFlows(
  { store, resources, log }: Pick<ApiContext, 'store' | 'resources' | 'log'>,
  note: (schemas: readonly FlowSchema[], levels: readonly PriorityLevelConfiguration[]) => void,
): { stop(): void } {
  const prefixes = [schemaRef, levelRef].flatMap(({ resource }) => {
    const prefix = resources.find(flowGroup, 'v1', resource)?.prefix;
    return prefix === undefined ? [] : [prefix];
  });
  const all = <T>(prefix: string | undefined): T[] =>
    prefix === undefined ? [] : store.list(prefix).items.map((stored) => stored.object() as T);
  const tell = (): void => note(all(prefixes[0]), all(prefixes[1]));
  const watches = prefixes.map((prefix) =>
    store.watch(prefix, store.revision(), {
      onEvents: tell,
      onEnd: (error) => {
        if (error !== undefined) log.error('flow control is no longer told of changes', { error });
      },
    }),
  );
  tell();
  return {
    stop: () => {
      for (const watch of watches) watch.cancel();
    },
  };
}

export interface FlowKeeper {
  stop(): void;
}

export function keepFlows(context: ApiContext, client: Client): FlowKeeper {
  const queue = new WorkQueue<'flows'>({
    clock: context.clock,
    random: context.random.stream('flow keeper'),
    work: () => mend(client, context.clock.nowMs()),
    onError: (_key, error) => context.log.warn('flow control cannot be kept as it should be', { error }),
  });
  const following = followFlows(context, () => queue.add('flows'));
  return {
    stop: () => {
      following.stop();
      queue.stop();
    },
  };
}

async function mend(client: Client, nowMs: number): Promise<void> {
  const [levels, schemas] = await Promise.all([
    client.list<PriorityLevelConfiguration>(levelRef),
    client.list<FlowSchema>(schemaRef),
  ]);
  await Promise.all([
    ...mandatoryLevels.map((one) => ensure(client, levelRef, one, levels.items, true)),
    ...suggestedLevels.map((one) => ensure(client, levelRef, one, levels.items, false)),
    ...mandatorySchemas.map((one) => ensure(client, schemaRef, one, schemas.items, true)),
    ...suggestedSchemas.map((one) => ensure(client, schemaRef, one, schemas.items, false)),
  ]);
  const known = new Set([...mandatoryLevels, ...suggestedLevels, ...levels.items].map(nameOf));
  const { items } = await client.list<FlowSchema>(schemaRef);
  await Promise.all(items.map((schema) => tellDangling(client, schema, known, nowMs)));
}

const nameOf = ({ metadata }: KubeObject): string => metadata.name ?? '';

type Configured = KubeObject & { readonly spec?: unknown };

async function ensure<T extends Configured>(
  client: Client,
  at: ResourceRef,
  wanted: T,
  stored: readonly T[],
  isMandatory: boolean,
): Promise<void> {
  const found = stored.find((one) => nameOf(one) === nameOf(wanted));
  try {
    if (found === undefined) {
      await client.create<T>(at, wanted);
      return;
    }
    const said = found.metadata.annotations?.[autoUpdateSpec];
    const isOurs =
      isMandatory || said === 'true' || (said === undefined && (found.metadata.generation ?? 1) <= 1);
    const annotation = isMandatory || said === undefined ? (isOurs ? 'true' : 'false') : said;
    if ((!isOurs || sameJson(found.spec, wanted.spec)) && said === annotation) return;
    const draft = structuredClone(found) as T & { spec?: unknown; metadata: { annotations?: object } };
    if (isOurs) draft.spec = structuredClone(wanted.spec);
    draft.metadata.annotations = { ...found.metadata.annotations, [autoUpdateSpec]: annotation };
    await client.update<T>(at, draft);
  } catch (error) {
    // Somebody else was quicker; that change brings us back.
    if (!isError(error, 'alreadyExists', 'conflict', 'notFound')) throw error;
  }
}

async function tellDangling(
  client: Client,
  schema: FlowSchema,
  levels: ReadonlySet<string>,
  nowMs: number,
): Promise<void> {
  const level = schema.spec?.priorityLevelConfiguration.name ?? '';
  const isThere = levels.has(level);
  const condition = {
    type: 'Dangling',
    status: isThere ? 'False' : 'True',
    reason: isThere ? 'Found' : 'NotFound',
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${isThere ? 'and it exists' : 'but there is no such object'}`,
  };
  const conditions = schema.status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === condition.type);
  if (old?.status === condition.status && old.message === condition.message) return;
  const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime : formatTime(nowMs);
  const draft = structuredClone(schema) as Draft<FlowSchema>;
  const others = structuredClone(conditions.filter(({ type }) => type !== condition.type)) as never[];
  draft.status = {
    conditions: [
      ...others,
      { ...condition, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) },
    ],
  };
  try {
    await client.update<FlowSchema>(schemaRef, draft as FlowSchema, { subresource: 'status' });
  } catch (error) {
    if (!isError(error, 'conflict', 'notFound')) throw error;
  }
}
