/** Nobody writes the same thing over and over. */
import type { Property } from '../../property.ts';

const windowMs = 10_000;
/** A rollout of sixteen pods writes a status some dozens of times. */
const writesMax = 200;

export const noStorms: Property = {
  name: 'rest/no-storms',
  source: 'style of the house: a plan of a reached goal is empty; mission C3 (no oscillation)',
  statement: 'No object is written more than 200 times in ten seconds.',
  check(_world, broken) {
    let windowStartMs = 0;
    const writes = new Map<string, number>();
    return {
      onEvent({ resource, name, atMs }) {
        if (atMs - windowStartMs > windowMs) {
          windowStartMs = atMs;
          writes.clear();
        }
        const id = `${resource}/${name}`;
        const count = (writes.get(id) ?? 0) + 1;
        writes.set(id, count);
        if (count > writesMax)
          broken(`${id} was written ${count} times in ${Math.ceil((atMs - windowStartMs) / 1000)} s`);
      },
    };
  },
};
