/**
 * The chain of admission: what else has a say before something is written, in Kubernetes' order.
 *
 *   draft with defaults ─▶ mutate, step by step ─▶ prepared, validated by its kind ─▶ validate, step by step ─▶ store ─▶ settle
 *
 * A step that is not interested costs one cheap check; where none is, nothing is awaited. Whoever begins a passage settles it, once, whatever happens.
 * Pure: steps that call out bring that with them.
 */
import type { KubeObject } from '../../api/index.ts';
import { assert } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { Identity } from '../identity.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { fullForm } from './full-form.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One request, as admission sees it. */
export interface Admission {
  readonly operation: Operation;
  readonly resource: Resource;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly namespace: string;
  /** As asked: '' where the server makes the name. */
  readonly name: string;
  readonly identity: Identity;
  readonly dryRun: boolean;
  /**
   * The new state; undefined for DELETE. Of a subresource: its own kind where it has one (Scale, Binding, Eviction, TokenRequest, PodExecOptions).
   * Put another in its place and its shape is checked, pruned, and given defaults at once; whoever changes it in place leaves it in full form. A write of a
   * status or another part shares with the old state what it leaves: put a copy in its place.
   */
  object: DraftObject | undefined;
  readonly oldObject: KubeObject | undefined;
  /** CreateOptions, UpdateOptions, DeleteOptions as asked; undefined for CONNECT, where the object is the options. */
  readonly options: object | undefined;
  /** Becomes a Warning header, also where the request is refused. */
  warn(text: string): void;
  /** For the audit log. */
  annotate(key: string, value: string): void;
  /** 0; 1 when all who may change it are asked once more, because one has changed it after others had seen it. */
  readonly round: number;
  /** Asks for that: what was added late (a container) gets what all get. Once. */
  again(): void;
  /** Called once, when the write is committed or given up. */
  afterwards(done: (stored: boolean) => void): void;
}

/** What steps stand on. */
export type AdmissionContext = Omit<ApiContext, 'admission'>;

/** Throws what the request is refused with. */
export interface AdmissionStep {
  readonly name: string;
  /** Asked once for each resource, subresource and operation, and remembered: only what never changes. */
  concerns?(resource: Resource, subresource: string, operation: Operation): boolean;
  /** Asked for every request: cheap. */
  handles(admission: Admission): boolean;
  mutate?(admission: Admission): void | Promise<void>;
  validate?(admission: Admission): void | Promise<void>;
}

export interface Asked {
  readonly operation: Operation;
  readonly resource: Resource;
  readonly subresource: string;
  readonly name: string;
  readonly object: DraftObject | undefined;
  readonly oldObject: KubeObject | undefined;
  /** Of a deletion; of others it is made from the request. */
  readonly options?: object;
}

interface Concerned {
  readonly mutators: readonly AdmissionStep[];
  readonly validators: readonly AdmissionStep[];
}

export class AdmissionChain {
  readonly steps: readonly AdmissionStep[];
  readonly #concerned: Readonly<Record<Operation, WeakMap<Resource, Map<string, Concerned>>>> = {
    CREATE: new WeakMap(),
    UPDATE: new WeakMap(),
    DELETE: new WeakMap(),
    CONNECT: new WeakMap(),
  };

  constructor(steps: readonly AdmissionStep[]) {
    this.steps = steps;
  }

  /** undefined: nobody is concerned, ever. */
  begin(request: WriteRequest, asked: Asked): Passage | undefined {
    const { mutators, validators } = this.#of(asked.operation, asked.resource, asked.subresource);
    if (mutators.length === 0 && validators.length === 0) return undefined;
    return new Passage(request, asked, mutators, validators);
  }

  #of(operation: Operation, resource: Resource, subresource: string): Concerned {
    const byResource = this.#concerned[operation];
    let bySubresource = byResource.get(resource);
    if (bySubresource === undefined) {
      bySubresource = new Map();
      byResource.set(resource, bySubresource);
    }
    let concerned = bySubresource.get(subresource);
    if (concerned === undefined) {
      const steps = this.steps.filter((one) => one.concerns?.(resource, subresource, operation) ?? true);
      concerned = {
        mutators: steps.filter((one) => one.mutate !== undefined),
        validators: steps.filter((one) => one.validate !== undefined),
      };
      bySubresource.set(subresource, concerned);
    }
    return concerned;
  }
}

/** One request's way through the chain. */
export class Passage implements Admission {
  readonly operation: Operation;
  readonly resource: Resource;
  readonly subresource: string;
  readonly name: string;
  readonly oldObject: KubeObject | undefined;
  readonly #request: WriteRequest;
  readonly #mutators: readonly AdmissionStep[];
  readonly #validators: readonly AdmissionStep[];
  #object: DraftObject | undefined;
  #options: object | undefined;
  #afterwards: ((stored: boolean) => void)[] | undefined;
  #round = 0;
  #isAgain = false;

  constructor(
    request: WriteRequest,
    asked: Asked,
    mutators: readonly AdmissionStep[],
    validators: readonly AdmissionStep[],
  ) {
    this.operation = asked.operation;
    this.resource = asked.resource;
    this.subresource = asked.subresource;
    this.name = asked.name;
    this.oldObject = asked.oldObject;
    this.#object = asked.object;
    this.#options = asked.options;
    this.#request = request;
    this.#mutators = mutators;
    this.#validators = validators;
  }

  get namespace(): string {
    return this.#request.namespace;
  }

  get identity(): Identity {
    return this.#request.identity;
  }

  get dryRun(): boolean {
    return this.#request.dryRun;
  }

  get object(): DraftObject | undefined {
    return this.#object;
  }

  set object(object: DraftObject | undefined) {
    assert(object !== undefined && this.#object !== undefined, 'an object takes the place of an object');
    this.#object = object === this.#object ? object : fullForm(this.resource, object);
  }

  get options(): object | undefined {
    if (this.#options === undefined && (this.operation === 'CREATE' || this.operation === 'UPDATE'))
      this.#options = optionsOf(
        this.operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions',
        this.#request,
      );
    return this.#options;
  }

  warn(text: string): void {
    this.#request.warn?.(text);
  }

  annotate(key: string, value: string): void {
    this.#request.annotate?.(key, value);
  }

  get round(): number {
    return this.#round;
  }

  again(): void {
    this.#isAgain = true;
  }

  afterwards(done: (stored: boolean) => void): void {
    this.#afterwards ??= [];
    this.#afterwards.push(done);
  }

  /** undefined: done. */
  mutate(): Promise<void> | undefined {
    return this.#mutate(0);
  }

  /** `object` as it will be stored. undefined: done. */
  validate(object: DraftObject | undefined): Promise<void> | undefined {
    this.#object = object;
    return this.#validate(0);
  }

  /** The write is committed, or given up. */
  settle(stored: boolean): void {
    const callbacks = this.#afterwards;
    this.#afterwards = undefined;
    for (const done of callbacks ?? []) done(stored);
  }

  #mutate(from: number): Promise<void> | undefined {
    for (let at = from; at < this.#mutators.length; at++) {
      const step = this.#mutators[at];
      if (step?.handles(this) !== true) continue;
      const pending = step.mutate?.(this);
      if (pending !== undefined) return pending.then(() => this.#mutate(at + 1));
    }
    if (!this.#isAgain || this.#round > 0) return undefined;
    this.#round = 1;
    return this.#mutate(0);
  }

  #validate(from: number): Promise<void> | undefined {
    for (let at = from; at < this.#validators.length; at++) {
      const step = this.#validators[at];
      if (step?.handles(this) !== true) continue;
      const pending = step.validate?.(this);
      if (pending !== undefined) return pending.then(() => this.#validate(at + 1));
    }
    return undefined;
  }
}

export function optionsOf(kind: string, { dryRun, fieldManager, fieldValidation }: WriteRequest): object {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(fieldManager === undefined || fieldManager === '' ? {} : { fieldManager }),
    ...(fieldValidation === 'Warn' ? {} : { fieldValidation }),
  };
}
