/** Nobody writes the same thing over and over. */
import type { Property } from '../../property.ts';
import { controllerOf } from '../facts.ts';

const windowMs = 10_000;
/** A rollout of sixteen pods writes a status some dozens of times. */
const writesMax = 200;
/** A stream this late makes two controllers that each do right undo each other's work: one makes pods, the other still believes in a taint of their node. */
const lateMs = 10_000;

export const noStorms: Property = {
  name: 'rest/no-storms',
  source: 'style of the house: a plan of a reached goal is empty; mission C3 (no oscillation)',
  statement:
    'No object is written, nothing is asked for, and no owner makes others, more than 200 times in ten seconds, unless somebody hears of what is older than that.',
  check(world, broken) {
    const { plan } = world;
    const isLate = (atMs: number): boolean =>
      plan.faults.some(
        (one) =>
          one.kind === 'slow' &&
          one.slowMs >= lateMs &&
          atMs >= one.atMs &&
          atMs <= one.atMs + one.forMs + one.slowMs,
      );
    let windowStartMs = 0;
    const writes = new Map<string, number>();
    const note = (id: string, atMs: number, what: string): void => {
      if (atMs - windowStartMs > windowMs) {
        windowStartMs = atMs;
        writes.clear();
      }
      const count = (writes.get(id) ?? 0) + 1;
      writes.set(id, count);
      if (count > writesMax && !isLate(atMs))
        broken(`${id} ${what} ${count} times in ${Math.ceil((atMs - windowStartMs) / 1000)} s`);
    };
    return {
      // Also what changes nothing.
      onAsked({ by, verb, resource, name }) {
        if (by !== 'user') note(`${by}: ${verb} ${resource}/${name}`, world.nowMs(), 'was asked for');
      },
      onEvent({ resource, name, atMs, object, previous, kind }) {
        note(`${resource}/${name}`, atMs, 'was written');
        if (kind === 'delete' || previous !== undefined) return;
        const owner = controllerOf(object);
        if (owner !== undefined) note(`${owner.kind} ${owner.name} (${owner.uid})`, atMs, `made ${resource}`);
      },
    };
  },
};
