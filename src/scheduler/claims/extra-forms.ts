/**
 * What a pod's claims ask of a node: the same everywhere, but for extended resources that some nodes have themselves. Pure.
 *
 *   node ─▶ mask: the resources that it lacks and devices stand in for ─▶ forms: those of the pod's claims, and one more for these
 */
import type { DeviceClass, Pod } from '../../api/index.ts';
import { type ClaimForm, formOf } from './claim-form.ts';
import type { ClaimNode } from './device-pools.ts';
import { type ExtendedRequest, extendedClaim } from './extended-claims.ts';

export interface Extra {
  readonly mask: string;
  readonly forms: readonly ClaimForm[];
  /** Of the claim that is to be made; undefined: none is. */
  readonly form: ClaimForm | undefined;
  readonly requests: readonly ExtendedRequest[];
}

export class ExtraForms {
  readonly #pod: Pod;
  readonly #forms: readonly ClaimForm[];
  readonly #requests: readonly ExtendedRequest[];
  readonly #resources: readonly string[];
  readonly #classOf: (name: string) => DeviceClass | undefined;
  readonly #byMask = new Map<string, Extra>();
  readonly #none: Extra;

  constructor(
    pod: Pod,
    forms: readonly ClaimForm[],
    requests: readonly ExtendedRequest[],
    classOf: (name: string) => DeviceClass | undefined,
  ) {
    this.#pod = pod;
    this.#forms = forms;
    this.#requests = requests;
    this.#resources = [...new Set(requests.map(({ resource }) => resource))];
    this.#classOf = classOf;
    this.#none = { mask: '', forms, form: undefined, requests: [] };
  }

  /** Where a node has none of the resources itself. */
  get all(): readonly ClaimForm[] {
    return this.#lacking(this.#resources).forms;
  }

  formsOn(node: ClaimNode): readonly ClaimForm[] {
    return this.on(node).forms;
  }

  on({ extended }: ClaimNode): Extra {
    if (this.#resources.length === 0) return this.#none;
    return this.#lacking(this.#resources.filter((resource) => !((extended?.get(resource) ?? 0) > 0)));
  }

  #lacking(resources: readonly string[]): Extra {
    if (resources.length === 0) return this.#none;
    const mask = resources.join();
    let extra = this.#byMask.get(mask);
    if (extra === undefined) {
      const requests = this.#requests.filter(({ resource }) => resources.includes(resource));
      const form = formOf(extendedClaim(this.#pod, requests), this.#classOf);
      // Resources are looked up by the classes that there are.
      const made = typeof form === 'string' ? undefined : form;
      extra = {
        mask,
        forms: made === undefined ? this.#forms : [...this.#forms, made],
        form: made,
        requests,
      };
      this.#byMask.set(mask, extra);
    }
    return extra;
  }
}
