/**
 * Pods by a hash: the same key goes to the same node as long as that takes it, and when a node comes or goes, only the pods that it wins or had are placed
 * elsewhere. Pure.
 * Source: rendezvous hashing (Thaler and Ravishankar, 1998), which is consistent hashing without a ring.
 */
import type { Pod } from '../../api/index.ts';
import type { OwnScore, Question } from './strategy.ts';

export const hashKeyAnnotation = 'scheduling.caelum.dev/hash-key';
export const clientAnnotation = 'scheduling.caelum.dev/client-ip';

/** What the pod says, else its own name: a pod that is made again under its name comes to where it was. */
export function hashKeyOf({ metadata }: Pod): string {
  return metadata.annotations?.[hashKeyAnnotation] ?? `${metadata.namespace}/${metadata.name}`;
}

/** By the address of the client that it serves; without one by the key. */
export function clientKeyOf(pod: Pod): string {
  const address = pod.metadata.annotations?.[clientAnnotation]?.trim().toLowerCase();
  return address === undefined || address === '' ? hashKeyOf(pod) : address;
}

export function byHash({ snapshot }: Question, key: string): OwnScore {
  return { value: (row) => (100 * mixed(`${key} ${snapshot.facts(row)?.name ?? ''}`)) / 2 ** 32 };
}

/** FNV-1a, and murmur3's last step, without which the last letters alone would decide. */
function mixed(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
