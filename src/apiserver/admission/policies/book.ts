/**
 * Policies and their bindings, followed from the store. A policy is compiled once, when it changes; each knows its bindings, in the order of their names.
 * Pure.
 */
import {
  type CompiledPolicy,
  type cel,
  compilePolicy,
  type KubeObject,
  type MatchResources,
  type ParamKind,
  type ParamRef,
  type PolicySpec,
} from '../../../api/index.ts';
import type { AdmissionContext } from '../chain.ts';
import { Following } from '../following.ts';

export interface BindingSpec {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResources;
  readonly validationActions?: readonly string[];
}

interface BindingObject extends KubeObject {
  readonly spec?: BindingSpec;
}

export interface Binding {
  readonly name: string;
  readonly spec: BindingSpec;
}

interface WholeSpec extends PolicySpec {
  readonly paramKind?: ParamKind;
  readonly matchConstraints?: MatchResources;
  readonly failurePolicy?: string;
  readonly reinvocationPolicy?: string;
}

export interface PolicyObject extends KubeObject {
  readonly spec?: WholeSpec;
}

export interface BoundPolicy {
  readonly name: string;
  readonly spec: WholeSpec;
  readonly compiled: CompiledPolicy;
  readonly conditions: readonly { readonly expression: string; readonly program: cel.Program | undefined }[];
  readonly bindings: readonly Binding[];
}

export class PolicyBook {
  readonly #policies: Following<PolicyObject>;
  readonly #bindings: Following<BindingObject>;
  /** Compiled when first needed. */
  readonly #compiled = new WeakMap<PolicyObject, CompiledPolicy>();
  #bound: readonly BoundPolicy[] | undefined;

  constructor(context: AdmissionContext, kind: 'mutating' | 'validating') {
    const forget = (): void => {
      this.#bound = undefined;
    };
    const resource = (name: string) => context.resources.find('admissionregistration.k8s.io', 'v1', name);
    this.#policies = new Following<PolicyObject>(context, resource(`${kind}admissionpolicies`), forget);
    this.#bindings = new Following<BindingObject>(
      context,
      resource(`${kind}admissionpolicybindings`),
      forget,
    );
  }

  /** Those that are bound, by name. */
  get bound(): readonly BoundPolicy[] {
    this.#bound ??= this.#bind();
    return this.#bound;
  }

  #bind(): readonly BoundPolicy[] {
    const byPolicy = new Map<string, Binding[]>();
    for (const { metadata, spec = {} } of sorted(this.#bindings)) {
      const list = byPolicy.get(spec.policyName ?? '') ?? [];
      list.push({ name: metadata.name ?? '', spec });
      byPolicy.set(spec.policyName ?? '', list);
    }
    return sorted(this.#policies).flatMap((policy) => {
      const name = policy.metadata.name ?? '';
      const bindings = byPolicy.get(name);
      if (bindings === undefined) return [];
      const compiled = this.#compile(policy);
      const conditions = compiled.conditions.map(({ of, compiled: { program } }) => ({
        expression: of.expression,
        program,
      }));
      return [{ name, spec: policy.spec ?? {}, compiled, conditions, bindings }];
    });
  }

  #compile(policy: PolicyObject): CompiledPolicy {
    let compiled = this.#compiled.get(policy);
    if (compiled === undefined) {
      compiled = compilePolicy(policy.spec ?? {});
      this.#compiled.set(policy, compiled);
    }
    return compiled;
  }
}

function sorted<T extends KubeObject>(following: Following<T>): readonly T[] {
  return [...following.in('').values()].sort((a, b) =>
    (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1,
  );
}
