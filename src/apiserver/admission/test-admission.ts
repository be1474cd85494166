/** For tests of admission: an API in memory, and what it answers to one write. */
import type { TestContext } from 'node:test';
import type { Container, KubeObject, Pod } from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { type Api, createApi } from '../api.ts';
import { createFirstObjects } from '../bootstrap.ts';
import { systemIdentity } from '../identity.ts';
import { createObject } from '../operations/create.ts';
import type { DraftObject } from '../resource.ts';

export interface TestApi {
  readonly api: Api;
  readonly client: Client;
  readonly clock: SimulatedClock;
}

export async function startApi(t: TestContext): Promise<TestApi> {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  t.after(() => store.close());
  const random = new SeededRandom(1);
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/24' });
  const client = api.client();
  await createFirstObjects(client, { address: '192.0.2.1', port: 6443, clusterIp: api.apiAddress });
  return { api, client, clock };
}

export const refTo = (group: string, resource: string, namespaced = true): ResourceRef => ({
  group,
  version: 'v1',
  resource,
  namespaced,
});

export const objectOf = (apiVersion: string, kind: string, name: string, more: object = {}): KubeObject =>
  ({ apiVersion, kind, metadata: { name, namespace: 'default' }, ...more }) as KubeObject;

export const podOf = (name: string, container: Partial<Container> = {}, spec: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'x', ...container }], ...spec },
  }) as Pod;

/** What is said of it: the error's message, or the warnings. */
export async function saidOf({ api }: TestApi, ref: ResourceRef, object: KubeObject): Promise<string> {
  const warnings: string[] = [];
  const resource = api.context.resources.find(ref.group, ref.version, ref.resource);
  if (resource === undefined) throw new Error(`${ref.resource} are served`);
  const request = {
    identity: systemIdentity,
    namespace: object.metadata.namespace ?? '',
    dryRun: true,
    fieldValidation: 'Strict',
    warn: (text: string) => warnings.push(text),
  } as const;
  try {
    await createObject(api.context, resource, request, structuredClone(object) as unknown as DraftObject);
  } catch (error) {
    return (error as Error).message;
  }
  return warnings.join('\n');
}

/** The message of what is thrown. */
export async function messageOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
}
