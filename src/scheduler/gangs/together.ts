/** Bindings of a plan that are carried out together, by gang. Pure. */
import type { Pod } from '../../api/index.ts';
import type { Step } from '../plan.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Gang, placedOf } from './gang-book.ts';

export interface Binding {
  readonly step: Step & { readonly kind: 'bind' };
  readonly pod: Pod;
}

export class Together {
  readonly #snapshot: Snapshot;
  readonly #bindings = new Map<Gang, Binding[]>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** False: it is in no gang. */
  add(step: Binding['step'], pod: Pod): boolean {
    const { gangs } = this.#snapshot;
    const gang = gangs.isEmpty ? undefined : gangs.gangOf(step.podKey);
    if (gang === undefined) return false;
    const bindings = this.#bindings.get(gang);
    if (bindings === undefined) this.#bindings.set(gang, [{ step, pod }]);
    else bindings.push({ step, pod });
    return true;
  }

  /** Each gang, and how many of its bindings must come about for any to be carried out. */
  *gangs(): Iterable<readonly [readonly Binding[], number]> {
    for (const [gang, bindings] of this.#bindings) {
      const keys = new Set(bindings.map(({ step }) => step.podKey));
      const others = placedOf(gang, this.#snapshot, (key) => keys.has(key));
      const isAtWork = gang.rule?.wasScheduled === true && others > 0;
      yield [bindings, isAtWork ? 0 : Math.max(0, (gang.rule?.minCount ?? 0) - others)];
    }
  }
}
