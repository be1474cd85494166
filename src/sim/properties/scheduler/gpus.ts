/** Of no GPU more is given than it has, and everybody has what was asked for. */
import type { Node, Pod } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { sinceMs } from '../facts.ts';
import { podsOn, prefix } from './room.ts';

interface Wanted {
  readonly count: number;
  readonly milli: number;
  readonly models: readonly string[];
}

/** In these worlds by annotations alone. */
function wantedBy({ metadata }: Pod): Wanted | undefined {
  const { annotations = {} } = metadata;
  const milli = annotations[`${prefix}gpu-milli`];
  if (milli === undefined) return undefined;
  return {
    count: Number(annotations[`${prefix}gpu-count`] ?? 1),
    milli: Number(milli),
    models: (annotations[`${prefix}gpu-models`] ?? '').split('|').filter((one) => one !== ''),
  };
}

const has = ({ metadata }: Node): { readonly count: number; readonly model: string } => ({
  count: Number(metadata.labels?.[`${prefix}gpu-count`] ?? 0),
  model: metadata.labels?.[`${prefix}gpu-model`] ?? '',
});

const suits = (node: Node, { count, models }: Wanted): boolean =>
  has(node).count >= count && (models.length === 0 || models.includes(has(node).model));

const givenTo = ({ metadata }: Pod): readonly number[] =>
  (metadata.annotations?.[`${prefix}gpu-devices`] ?? '').split(',').filter(Boolean).map(Number);

/** Thousandths that are given, by GPU. */
function givenOn(world: Checked, nodeName: string): ReadonlyMap<number, number> {
  const given = new Map<number, number>();
  for (const pod of podsOn(world, nodeName))
    for (const device of givenTo(pod))
      given.set(device, (given.get(device) ?? 0) + (wantedBy(pod)?.milli ?? 0));
  return given;
}

/** Whether a node has the GPUs that a pod waits for, if it waits for any. */
export function hasGpus(world: Checked, pod: Pod, node: Node): boolean {
  const wanted = wantedBy(pod);
  if (wanted === undefined) return true;
  if (!suits(node, wanted)) return false;
  const given = givenOn(world, node.metadata.name ?? '');
  const enough = Array.from({ length: has(node).count }, (_, at) => 1000 - (given.get(at) ?? 0)).filter(
    (left) => left >= wanted.milli,
  );
  return enough.length >= wanted.count;
}

export const gpusWhole: Property = {
  name: 'scheduler/gpus-whole',
  source: 'mission: fractional GPUs',
  statement:
    'Of no GPU more than 1000 thousandths are given; a pod that gets a node gets as many GPUs as it asks for, of a model that it names, that the node had at a moment of which the scheduler may still be thinking.',
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (resource !== 'pods' || kind === 'delete') return;
        const pod = object as Pod;
        const { nodeName = '' } = pod.spec ?? {};
        if (nodeName === '' || (previous as Pod | undefined)?.spec?.nodeName === nodeName) return;
        const wanted = wantedBy(pod);
        if (wanted === undefined) return;
        const devices = givenTo(pod);
        if (devices.length !== wanted.count || new Set(devices).size !== devices.length)
          broken(`${name} asks for ${wanted.count} GPUs and got ${devices.join(',') || 'none'}`);
        const had = world.truth.heldSince('nodes', nodeName, sinceMs(world), (node) => {
          if (node === undefined || !suits(node as Node, wanted)) return false;
          return devices.every((device) => device < has(node as Node).count);
        });
        if (!had)
          broken(
            `${name} asks for GPUs of model ${wanted.models.join('|') || 'any'} and got ${devices.join(',')} of ${nodeName}, which has no such`,
          );
        for (const [device, given] of givenOn(world, nodeName))
          if (given > 1000 && devices.includes(device))
            broken(`${name} got GPU ${device} of ${nodeName}, of which now ${given} thousandths are given`);
      },
    };
  },
};
