/**
 * A small world: an API server over a store in memory, each controller a process of its own, and a user with a script. Everything that is concurrent
 * goes through a pool of messages (`exhaustive-network.ts`); time passes only when told to.
 *
 * The store outlives the API server, as if every write reached the disk; what it remembers of the past does not. Events (the kind) are not sent:
 * nothing depends on them.
 */
import type { KubeObject } from '../api/index.ts';
import { createApi, createFirstObjects } from '../apiserver/index.ts';
import { type Client, createInformers, type Informers, type ResourceRef } from '../client/index.ts';
import {
  CaelumError,
  type Clock,
  isError,
  type Log,
  type Random,
  SeededRandom,
  SimulatedClock,
  silentLog,
} from '../lib/index.ts';
import { createMemoryStore, type Store } from '../store/index.ts';
import { type ApiHost, createNetworkClient } from './client.ts';
import { ChosenNetwork, hold, type Message } from './exhaustive-network.ts';
import type { Scenario, UserAction } from './exhaustive-scenarios.ts';
import { Life, LifeClock } from './life.ts';
import type { Written } from './property.ts';
import { Truth, type TruthEvent } from './truth.ts';

export interface Parts {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A program of the world. A rejection ends its life, and another begins. */
export type Program = (parts: Parts) => unknown;

export interface SmallWorldOptions {
  readonly scenario: Scenario;
  readonly onEvent: (event: TruthEvent) => void;
  readonly onWrite: (write: Written) => void;
  readonly onBroken: (property: string, message: string) => void;
}

export const resourceName = ({ group, resource }: ResourceRef): string =>
  group === '' ? resource : `${resource}.${group}`;
const noSkew = { offsetMs: 0, drift: 0 };
const userTriesMax = 4;

export class SmallWorld {
  readonly clock = new SimulatedClock();
  readonly network: ChosenNetwork;
  readonly truth: Truth;
  readonly #options: SmallWorldOptions;
  readonly #random: SeededRandom;
  readonly #store: Store;
  readonly #lives = new Map<string, Life>();
  readonly #starts = new Map<string, number>();
  readonly #user: Client;
  #apiLife: Life | undefined;
  #api: Client | undefined;
  /** Actions of the user that are not done. */
  actionsLeft = 0;

  constructor(options: SmallWorldOptions) {
    const { scenario } = options;
    this.#options = options;
    this.#random = new SeededRandom(`small/${scenario.name}`);
    this.#store = createMemoryStore({ clock: this.clock });
    this.network = new ChosenNetwork('api', [...scenario.processes.keys(), 'user']);
    this.truth = new Truth({
      // Later changes are later, though no time passes.
      nowMs: () => this.nowMs(),
      onEvent: options.onEvent,
      onBroken: options.onBroken,
      unheard: () => new Set(),
      diskRevision: () => Number.POSITIVE_INFINITY,
    });
    this.truth.attach(this.#store);
    const life = new Life('user');
    this.#user = this.#clientOf('user', life);
  }

  nowMs(): number {
    return this.clock.monotonicMs() + this.truth.revision * 1e-6;
  }

  start(): void {
    this.#startApi();
    for (const name of this.#options.scenario.processes.keys()) this.#startLater(name);
  }

  /** The user carries out these, one after the other, each when it is chosen. */
  script(actions: readonly UserAction[]): void {
    this.actionsLeft = actions.length;
    const [next, ...rest] = actions;
    if (next === undefined) return;
    this.network.post(
      'act',
      'user',
      hold.user,
      () => `user: ${next.what}`,
      () => {
        this.#act(next).then(
          () => this.script(rest),
          (error: unknown) => this.#options.onBroken('api/no-internal-error', String(error)),
        );
      },
    );
  }

  async #act(action: UserAction): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await action.run(this.#user);
        return;
      } catch (error) {
        if (!isError(error) || error.code === 'internal') throw error;
        if (isError(error, 'alreadyExists', 'notFound')) return;
        if (tries === userTriesMax) return;
      }
    }
  }

  /** Ends it; another life begins when that is chosen. */
  kill(name: string): void {
    const life = this.#lives.get(name);
    if (life === undefined || !life.isAlive) return;
    life.end();
    this.network.bury(name, life);
    this.#startLater(name);
  }

  restartApi(): void {
    const life = this.#apiLife;
    if (life === undefined) return;
    this.#apiLife = undefined;
    this.#api = undefined;
    life.end();
    this.network.breakAll();
    this.network.post(
      'start',
      'api',
      hold.none,
      () => 'the API server starts again',
      () => {
        this.#store.compact(this.#store.revision());
        this.#startApi();
      },
    );
  }

  get isApiUp(): boolean {
    return this.#apiLife !== undefined;
  }

  /** Fires the next timer until then. False: there is none. */
  pass(untilMs: number): boolean {
    if (!this.clock.step(untilMs)) return false;
    this.network.pass(this.clock.monotonicMs());
    return true;
  }

  deliver(message: Message): void {
    this.network.deliver(message);
  }

  #startApi(): void {
    const life = new Life('api');
    const { clock } = this;
    const random = this.#random.stream(`api/${this.#count('api')}`);
    const api = createApi({
      store: this.#store,
      clock: new LifeClock(clock, life, noSkew),
      random,
      log: silentLog,
      serviceCidr: '10.96.0.0/16',
      issueToken: async (claims) => JSON.stringify(claims),
    });
    const client = api.client();
    this.#apiLife = life;
    this.#api = client;
    // They are there already when it starts again.
    if (this.#starts.get('api') === 1) void createFirstObjects(client, undefined);
  }

  #count(name: string): number {
    const count = (this.#starts.get(name) ?? 0) + 1;
    this.#starts.set(name, count);
    return count;
  }

  #startLater(name: string): void {
    this.network.post(
      'start',
      name,
      hold.none,
      () => `${name} starts`,
      () => this.#start(name),
    );
  }

  #start(name: string): void {
    const program = this.#options.scenario.processes.get(name);
    if (program === undefined) return;
    const life = new Life(name);
    this.#lives.set(name, life);
    const clock = new LifeClock(this.clock, life, noSkew);
    const random = this.#random.stream(`${name}/${this.#count(name)}`);
    const client = withoutEvents(this.#clientOf(name, life));
    const informers = createInformers({ client, clock, log: silentLog, random: random.stream('informers') });
    const running = program({ client, informers, clock, random, log: silentLog });
    if (running instanceof Promise)
      running.catch(() => {
        if (life.isAlive) this.kill(name);
      });
  }

  #clientOf(name: string, life: Life): Client {
    const host: ApiHost = {
      name: 'api',
      life: () => this.#apiLife,
      api: () => {
        if (this.#api === undefined) throw new CaelumError('unavailable', 'no API server runs');
        return this.#api;
      },
    };
    return createNetworkClient(this.network, life, host, (state, _by, verb, ref, objectName, _result, uid) =>
      this.#options.onWrite({ state, by: name, verb, resource: resourceName(ref), name: objectName, uid }),
    );
  }
}

/** Events tell people, not programs. */
function withoutEvents(client: Client): Client {
  return {
    ...client,
    create: <T extends KubeObject>(ref: ResourceRef, object: T) =>
      ref.resource === 'events' ? Promise.resolve(object) : client.create(ref, object),
    patch: <T extends KubeObject>(...call: Parameters<Client['patch']>) =>
      call[0].resource === 'events' ? Promise.resolve({} as T) : client.patch<T>(...call),
  };
}
