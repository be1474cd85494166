/** Where there are two schedulers, one of them leads. */
import type { Lease } from '../../../api/index.ts';
import { standbyName } from '../../generate-placement.ts';
import type { Fault } from '../../plan.ts';
import type { Property } from '../../property.ts';

const schedulers = ['scheduler', standbyName];
/** What is over for so long has no effect any more: a request lives for 30 s. */
const overMs = 60_000;
/** The lease is for 15 s; clocks differ a little, messages take their time. */
const leaseMsMax = 20_000;

/** Matters for whether this one can lead. */
function matters(fault: Fault, own: string): boolean {
  if (!('process' in fault)) return fault.kind !== 'compact';
  if (fault.kind === 'clockJump') return fault.process === 'api';
  return fault.process === 'api' || fault.process === own;
}

export const led: Property = {
  name: 'scheduler/led',
  source: 'Kubernetes: leader election; issue of the scheduler (two at once)',
  statement:
    'While one of two schedulers runs undisturbed, the lease is renewed: when the other is killed it takes over within the duration of the lease.',
  check(world, broken) {
    let renewedMs = 0;
    const upSinceMs = new Map<string, number>();
    return {
      onEvent({ kind, resource, object, atMs }) {
        if (kind === 'delete' || resource !== 'leases.coordination.k8s.io') return;
        const { holderIdentity = '' } = (object as Lease).spec ?? {};
        if (object.metadata.namespace === 'kube-system' && schedulers.includes(holderIdentity))
          renewedMs = atMs;
      },
      onSecond() {
        if (world.plan.schedulers !== 2) return;
        const nowMs = world.nowMs();
        for (const name of ['api', ...schedulers])
          if (!world.isUp(name)) upSinceMs.delete(name);
          else if (!upSinceMs.has(name)) upSinceMs.set(name, nowMs);
        const longUp = (name: string): boolean => nowMs - (upSinceMs.get(name) ?? nowMs) > overMs;
        if (!longUp('api') || nowMs - renewedMs <= leaseMsMax) return;
        const isFree = (own: string): boolean =>
          world.plan.faults.every(
            (fault) =>
              fault.atMs > nowMs || fault.atMs + fault.forMs + overMs < nowMs || !matters(fault, own),
          );
        const idle = schedulers.find((name) => longUp(name) && isFree(name));
        if (idle !== undefined)
          broken(
            `${idle} runs undisturbed, and nobody has led for ${Math.round((nowMs - renewedMs) / 1000)} s`,
          );
      },
    };
  },
};
