/** An API whose maker is loaded with the first question: most clouds never ask. Until then discovery lists one resource, since old clients take an empty list for an error. */
import type { ComputedApi, ComputedResource } from '../api/index.ts';

export interface LaterApi {
  readonly group: string;
  readonly version: string;
  /** What is listed while nothing is known. */
  readonly first: ComputedResource;
}

/** `load`: gives the same each time. */
export function laterApi({ group, version, first }: LaterApi, load: () => Promise<ComputedApi>): ComputedApi {
  const handlers: (() => void)[] = [];
  let loaded: ComputedApi | undefined;
  const whole = async (): Promise<ComputedApi> => {
    const api = await load();
    if (loaded === undefined) {
      loaded = api;
      for (const handler of handlers) api.onChange?.(handler);
    }
    return api;
  };
  return {
    group,
    version,
    kinds: [],
    resources: () => loaded?.resources() ?? [first],
    onChange(handler) {
      handlers.push(handler);
      loaded?.onChange?.(handler);
    },
    answer: async (asked) => (await whole()).answer(asked),
  };
}
