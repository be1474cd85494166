/** The parts of a node, opened for running it and for taking it down: runtime, network, images, each in this cloud's own folders and names. */
import { join } from 'node:path';
import { createPodNetwork, createRuntime, openImageStore } from '../agent/index.ts';
import type { Log } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import type { CloudNetwork } from './cloud-network.ts';
import type { Layout } from './layout.ts';

/** One machine a cloud for now: its node has the first /24 of the pods' range, whose bridge has the first address. */
export function nodePodCidr(network: CloudNetwork): string {
  return network.podCidr.replace(/\/\d+$/, '/24');
}

export function openImages(layout: Layout, log: Log) {
  return openImageStore({
    directory: layout.images,
    clock: realClock,
    log: log.with({ part: 'images' }),
    registriesFile: join(layout.data, 'registries.json'),
  });
}

export async function openNode(layout: Layout, network: CloudNetwork, log: Log) {
  const runtime = await createRuntime({
    root: join(layout.node, 'runtime'),
    cloud: layout.id,
    clock: realClock,
    log: log.with({ part: 'runtime' }),
  });
  const podNetwork = createPodNetwork({
    stateDirectory: join(layout.node, 'network'),
    bridgeName: network.bridgeName,
    podCidr: nodePodCidr(network),
    table: network.podTable,
    log: log.with({ part: 'network' }),
  });
  return { runtime, network: podNetwork, images: openImages(layout, log) };
}
