/**
 * Which queue a pod is in. Pure.
 *
 *   its label (or annotation) scheduling.caelum.dev/queue, if that queue takes its namespace
 *   else of the queues that take all pods of its namespace: one that lists it, one that selects it, one that selects everything; then by name
 */
import { labelPredicate, type Pod, type Queue } from '../../api/index.ts';

export const queueLabel = 'scheduling.caelum.dev/queue';

type Labels = Readonly<Record<string, string>>;

/** The queues that take pods of one namespace. */
interface Takers {
  readonly all: ReadonlySet<string>;
  /** Of pods that name none. */
  readonly usual: string | undefined;
}

export class Membership {
  readonly #queues: readonly Queue[];
  readonly #labelsOf: (namespace: string) => Labels | undefined;
  readonly #names: ReadonlySet<string>;
  readonly #takers = new Map<string, Takers>();

  constructor(queues: Iterable<Queue>, labelsOf: (namespace: string) => Labels | undefined) {
    const named = [...queues].map((one): [string, Queue] => [one.metadata.name ?? '', one]);
    this.#queues = named.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
    this.#names = new Set(named.map(([name]) => name));
    this.#labelsOf = labelsOf;
  }

  /** Labels of namespaces matter. */
  get selects(): boolean {
    return this.#queues.some(({ spec }) => spec?.namespaceSelector !== undefined);
  }

  /** Its labels have changed, or it has gone. */
  forget(namespace: string): void {
    this.#takers.delete(namespace);
  }

  /** The queue's name; undefined when it is in none. */
  queueOf(pod: Pod): string | undefined {
    const named = nameOn(pod);
    const { all, usual } = this.#takersOf(pod.metadata.namespace ?? '');
    return named === undefined ? usual : all.has(named) ? named : undefined;
  }

  /** It names a queue in which it may not be. */
  misnamed(pod: Pod): string | undefined {
    const named = nameOn(pod);
    const { namespace = '' } = pod.metadata;
    if (named === undefined || this.#takersOf(namespace).all.has(named)) return undefined;
    return this.#names.has(named)
      ? `queue ${named} takes no pods of namespace ${namespace}`
      : `queue ${named} does not exist`;
  }

  #takersOf(namespace: string): Takers {
    let takers = this.#takers.get(namespace);
    if (takers === undefined) {
      takers = this.#find(namespace);
      this.#takers.set(namespace, takers);
    }
    return takers;
  }

  #find(namespace: string): Takers {
    const all = new Set<string>();
    const ranks: (string | undefined)[] = [];
    for (const { metadata, spec } of this.#queues) {
      const { namespaces = [], namespaceSelector: selector, podSelection } = spec ?? {};
      const { name = '' } = metadata;
      let rank: number | undefined;
      if (namespaces.includes(namespace)) rank = 0;
      else if (selector !== undefined && labelPredicate(selector)(this.#labelsOf(namespace)))
        rank = isEmpty(selector) ? 2 : 1;
      if (rank === undefined) continue;
      all.add(name);
      if (podSelection !== 'ByLabel') ranks[rank] ??= name;
    }
    return { all, usual: ranks[0] ?? ranks[1] ?? ranks[2] };
  }
}

const isEmpty = ({
  matchLabels = {},
  matchExpressions = [],
}: NonNullable<NonNullable<Queue['spec']>['namespaceSelector']>): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

function nameOn({ metadata }: Pod): string | undefined {
  const named = metadata.labels?.[queueLabel] ?? metadata.annotations?.[queueLabel];
  return named === '' ? undefined : named;
}
