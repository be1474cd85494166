/** A whole cloud with two simulated nodes for the tests of one file, over HTTPS, and what they ask of it again and again. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type KubeObject, type Namespace, namespaces } from '../api/index.ts';
import { type Client, createHttpClient, type ResourceRef, readKubeconfig } from '../client/index.ts';
import { isError } from '../lib/index.ts';
import { Cloud } from './index.ts';

const serviceAccountsRef: ResourceRef = {
  group: '',
  version: 'v1',
  resource: 'serviceaccounts',
  namespaced: true,
};
const withinMs = 60_000;
const pauseMs = 20;

export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await check()); waited += pauseMs) {
    assert.ok(waited < withinMs, `not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Starts before the tests of the file and stops after them: until then, nothing of it may be asked. */
export class TestCloud {
  #cloud: Cloud | undefined;
  #client: (Client & { close(): void }) | undefined;
  #namespaces = 0;

  constructor() {
    before(async () => {
      this.#cloud = await Cloud.start({ hollow: 2, startDelayMs: 20 });
      this.#client = createHttpClient(readKubeconfig(this.#cloud.kubeconfig()));
    });
    after(async () => {
      this.#client?.close();
      await this.#cloud?.stop();
    });
  }

  get client(): Client {
    assert.ok(this.#client !== undefined, 'the cloud has not been started');
    return this.#client;
  }

  /** undefined: there is none. */
  async find<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
  ): Promise<T | undefined> {
    try {
      return await this.client.get<T>(ref, namespace, name);
    } catch (error) {
      if (isError(error, 'notFound')) return undefined;
      throw error;
    }
  }

  /** A new one, in which pods can be made. */
  async namespace(): Promise<string> {
    const name = `test-${this.#namespaces++}`;
    await this.client.create<Namespace>(namespaces, { metadata: { name } });
    await until(
      'the service account',
      async () => (await this.find(serviceAccountsRef, name, 'default')) !== undefined,
    );
    return name;
  }
}
