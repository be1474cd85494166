/**
 * What must hold, whatever happens. A property is one file: its name, where it comes from, a sentence, and a checker that is told every
 * durable change and every second.
 *
 *   event, second ──▶ checker ──▶ broken(message)            safety: never
 *   faults have stopped ──▶ goal() asked each second          liveness: undefined (reached) within the promised time, and from then on
 */
import type { KubeObject } from '../api/index.ts';
import type { Copy } from './copies.ts';
import type { Loads } from './load.ts';
import type { Look, Told } from './metering.ts';
import type { NodeMachine } from './node-machine.ts';
import type { SimPlan } from './plan.ts';
import type { Truth, TruthEvent } from './truth.ts';

export interface Property {
  /** `scheduler/no-overcommit`. */
  readonly name: string;
  /** The mission's theorem or the contract of Kubernetes that it restates. */
  readonly source: string;
  readonly statement: string;
  check(world: Checked, broken: (message: string) => void): Checker;
}

export interface Checker {
  /** After each durable change. */
  onEvent?(event: TruthEvent): void;
  /** A request that changes something has come to the API server, which may carry it out even if nobody hears of it. */
  onAsked?(write: Written): void;
  /** A request that changes something has been answered with success. */
  onWrite?(write: Written): void;
  /** The witness has been told something: it follows all pods by plain list and watch. */
  onWitness?(seen: Witnessed): void;
  /** An autoscaler has been told what a pod uses. */
  onTold?(told: Told): void;
  /** Once a simulated second. */
  onSecond?(): void;
  /** Why what must come about in the end has not yet. Asked when faults and users have stopped. */
  goal?(): string | undefined;
  /** Faults and users have stopped, and every goal is reached. */
  onRest?(): void;
}

export interface Written {
  readonly state: 'asked' | 'done';
  /** The process. */
  readonly by: string;
  /** `create`, `update`, `patch`, `delete`, or a subresource. */
  readonly verb: string;
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly name: string;
  /** Of a deletion: of which object, where the request says it. */
  readonly uid: string | undefined;
}

export type Witnessed =
  | { readonly kind: 'list'; readonly revision: number; readonly objects: readonly KubeObject[] }
  | { readonly kind: 'event'; readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject };

/** What a checker may see. */
export interface Checked {
  readonly truth: Truth;
  readonly plan: SimPlan;
  nowMs(): number;
  /** Since when (world time) all watches are whole, no process is down and nothing is cut; undefined while something is. */
  calmSinceMs(): number | undefined;
  /** The newest moment of which every part has surely heard: what was so before it must have been taken into account. */
  knownToAllMs(): number;
  /** True from the moment in which every goal is reached. */
  isAtRest(): boolean;
  /** What the witness's informers hold now. */
  copies(): readonly Copy[];
  /** What Deployments that are scaled are under; undefined where nothing tells of use. */
  loads(): Loads | undefined;
  /** What autoscalers were told of a workload's pods of late, the oldest first. */
  looks(workload: string): readonly Look[];
  /** Those of the nodes, with what runs on them and the rules that their kernels hold. */
  machines(): Iterable<NodeMachine>;
  /** Whether a process runs and serves. */
  isUp(process: string): boolean;
  /** Of one kind of thing, how often it happened: for properties that count. */
  readonly facts: Readonly<Record<string, number>>;
}
