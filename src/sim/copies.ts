/**
 * Local copies that the witness keeps with the product's own informers: of all objects of some kinds, and of selections that objects enter and leave.
 * Read in small pages. A property compares them with the truth.
 */
import { deployments, type KubeObject, nodes, pods, services } from '../api/index.ts';
import { type Client, createInformers, type Informer, type ResourceRef } from '../client/index.ts';
import type { Clock, Log, Random } from '../lib/index.ts';

export interface Copy {
  readonly resource: string;
  readonly what: string;
  readonly informer: Informer<KubeObject>;
  selects(object: KubeObject): boolean;
}

export interface CopiesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
}

const pageSize = 5;

export function startCopies(options: CopiesOptions): readonly Copy[] {
  const informers = createInformers({ ...options, pageSize });
  const all = (ref: ResourceRef, resource: string): Copy => ({
    resource,
    what: `all ${resource}`,
    informer: informers.informer<KubeObject>(ref),
    selects: () => true,
  });
  const labelled = (labelSelector: string, selects: (app: string | undefined) => boolean): Copy => ({
    resource: 'pods',
    what: `pods with ${labelSelector}`,
    informer: informers.informer<KubeObject>(pods, { labelSelector }),
    selects: ({ metadata }) => selects(metadata.labels?.['app']),
  });
  return [
    all(pods, 'pods'),
    all(nodes, 'nodes'),
    all(services, 'services'),
    all(deployments, 'deployments.apps'),
    labelled('app=app-0', (app) => app === 'app-0'),
    labelled('app!=nobody', (app) => app !== 'nobody'),
  ];
}
