/** How a command speaks to the cloud of its data directory: with the administrator's kubeconfig that is there. */
import { readFileSync } from 'node:fs';
import type { KubeObject } from '../api/index.ts';
import type { Arguments } from '../cli/index.ts';
import { createHttpClient, type HttpClient, type ResourceRef, readKubeconfig } from '../client/index.ts';
import { CaelumError } from '../lib/index.ts';
import { dataDirectoryOf, layoutOf } from './layout.ts';

/** Closed when `use` has come to its end, however. */
export async function withCloud<T>(given: Arguments, use: (client: HttpClient) => Promise<T>): Promise<T> {
  const layout = layoutOf(dataDirectoryOf(given.value('data')));
  let text: string;
  try {
    text = readFileSync(layout.kubeconfig, 'utf8');
  } catch (cause) {
    throw new CaelumError(
      'notFound',
      `Cannot find a cloud in "${layout.data}": start one with: caelum up --data ${layout.data}`,
      { cause },
    );
  }
  const client = createHttpClient(readKubeconfig(text));
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

export async function allOf<T extends KubeObject>(
  client: HttpClient,
  ref: ResourceRef,
): Promise<readonly T[]> {
  return (await client.list<T>(ref)).items;
}
