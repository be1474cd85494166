/** What controllers ask of a node. Pure. */
import type { Node } from '../api/index.ts';

const outOfServiceKey = 'node.kubernetes.io/out-of-service';

export function isNodeReady({ status }: Node): boolean {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

/** It is lost, and somebody who knows has said that it is switched off: nothing runs there, whatever its pods say. */
export function isOutOfService(node: Node): boolean {
  return node.spec?.taints?.some(({ key }) => key === outOfServiceKey) === true && !isNodeReady(node);
}
