/** What autoscalers are told of use was so. */
import { takesLoad } from '../../load.ts';
import type { Checked, Property } from '../../property.ts';

/** A figure speaks of fifteen seconds, or of a minute where a container is new; it is told for forty more. */
const windowMs = 120_000;
/** Readings take a while, and clocks of machines run on meanwhile. */
const factor = 2;
const slackMilli = 2;

const isLongReady = ({ truth, nowMs }: Checked, pod: string): boolean =>
  !truth.heldSince(
    'pods',
    `default/${pod}`,
    nowMs() - windowMs,
    (object) => object === undefined || !takesLoad(object),
  );

export const useIsTrue: Property = {
  name: 'scaling/use-is-true',
  source: 'Kubernetes: metrics.k8s.io; issue 5: metrics that are missing, NaN or late',
  statement:
    'What is told of the use of a pod is what it used at some time in the last two minutes, within a factor of two; of what is not known nothing is told.',
  check(world, broken) {
    return {
      onTold({ workload, pod, cpuMilli }) {
        if (!Number.isFinite(cpuMilli) || cpuMilli < 0) {
          broken(`${pod} is told to use ${cpuMilli} thousandths of a core`);
          return;
        }
        const loads = world.loads();
        // One that takes no load, or did not all the time, uses next to nothing.
        const [least, most] = loads?.range(workload, world.nowMs() - windowMs) ?? [0, 0];
        if (cpuMilli > most * factor + slackMilli)
          broken(
            `${pod} is told to use ${cpuMilli}m; none of ${workload} has used more than ${most}m of late`,
          );
        if (cpuMilli >= least / factor - slackMilli || !isLongReady(world, pod)) return;
        broken(`${pod} is told to use ${cpuMilli}m; every one of ${workload} has used ${least}m of late`);
      },
    };
  },
};
