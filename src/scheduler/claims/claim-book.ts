/**
 * What claims of devices say about where a pod can go. Pure; kept current by single changes; asked only for pods that have such claims.
 *
 *   pod's claims ──▶ allocated: the nodes of their devices │ not allocated: a node whose free devices will do │ else the pod waits
 *        chosen node ──▶ decision: which devices each claim gets ──▶ assumed until it shows, or is given up
 *
 * Pods whose claims ask alike share a gate (device-gate.ts): which nodes have what they ask for, kept current by single changes.
 * Source: kube-scheduler's DynamicResources, as behaviour.
 */
import {
  type DeviceClass,
  type DeviceTaintRule,
  type DynamicResourceClaim,
  type Pod,
  type ResourceSlice,
  selectsNode,
} from '../../api/index.ts';
import { NewestMap, SeededRandom } from '../../lib/index.ts';
import { allocationOf } from './allocation-result.ts';
import { type Answer, allocate } from './allocator.ts';
import { type ClaimForm, formOf, Selections } from './claim-form.ts';
import { type ClaimEntry, claimNamesOf, heldNamesOf } from './claim-names.ts';
import { DeviceGate, type Ground, isEnough } from './device-gate.ts';
import { type Allocation, DeviceLedger } from './device-ledger.ts';
import { type ClaimNode, DevicePools, type NodeSelector } from './device-pools.ts';
import { DevicesByClass } from './devices-by-class.ts';
import {
  type ClassOfResource,
  ExtendedClasses,
  type ExtendedRequest,
  type ExtendedStatus,
  extendedAnnotation,
  extendedClaimName,
  extendedRequests,
  extendedStatus,
} from './extended-claims.ts';
import { ExtraForms } from './extra-forms.ts';
import { PoolChanges } from './pool-changes.ts';

export { claimNamesOf, mayHoldDevices } from './claim-names.ts';
export type { ClaimNode } from './device-pools.ts';

export const claimRefusals = {
  /** Of a claim that is allocated: its devices are elsewhere. */
  elsewhere: 'resourceclaim not available on the node',
  none: 'cannot allocate all claims',
  tooLong: 'timed out trying to allocate devices',
} as const;

/** So many pods may hold a claim. */
export const holdersMax = 256;
/** What one pod may cost, over all nodes. */
const askStepsMax = 400_000;
const shapesMax = 32;

export interface ClaimPart {
  readonly claim: DynamicResourceClaim;
  /** Where it has none yet. */
  readonly allocation?: Allocation;
  /** It is still to be made. */
  readonly isNew?: true;
}

/** What has to be written for a pod to have its devices on a node. */
export interface ClaimDecision {
  readonly nodeName: string;
  readonly pod: Pod;
  /** All claims of the pod, also those that it holds already. */
  readonly claims: readonly ClaimPart[];
  /** What the pod's status is to say of the claim for its extended resources. */
  readonly extended?: ExtendedStatus;
}

export interface ClaimAsk {
  /** Why no node will do, whichever it is. */
  readonly unresolved: string | undefined;
  /** Equal for pods that find the same nodes possible as long as nothing changes; empty: nothing is asked of nodes. */
  readonly shape: string;
  /** Where they find what they ask for; as of now. */
  gate(ground: Ground): DeviceGate | undefined;
  refusals(node: ClaimNode): readonly string[];
  /** Whether the node would do if nobody had any of its devices. */
  mayEver(node: ClaimNode): boolean;
  /** undefined: nothing has to be written. The node was not refused. `known`: what the gate has answered for it. */
  decide(node: ClaimNode, known?: Answer): ClaimDecision | undefined;
}

interface Known {
  readonly claim: DynamicResourceClaim;
  /** As it shows, or as it is assumed. */
  allocation: Allocation | undefined;
  /** Its devices are reckoned to be free, since all who hold it are thought away. */
  isLent?: boolean;
}

interface Remembered {
  readonly pools: unknown;
  readonly version: number;
  /** Which resources it has itself. */
  readonly mask: string;
  readonly refusals: readonly string[];
}

const none: readonly string[] = [];
const hasNone: readonly string[] = [claimRefusals.none];

export const claimKeyOf = ({ metadata }: DynamicResourceClaim): string =>
  `${metadata.namespace}/${metadata.name}`;

export class DeviceClaimBook {
  readonly #changes = new PoolChanges();
  readonly #byClass = new DevicesByClass();
  /** There may be others, or of other classes. */
  onDevices: () => void = () => {};
  readonly #pools = new DevicePools((poolId, nodes) => {
    if (nodes === undefined) this.#changes.wideVersion++;
    this.#changes.add({ poolId, nodes });
    this.#byClass.poolChanged(poolId);
    this.onDevices();
  });
  readonly #ledger = new DeviceLedger();
  readonly #selections = new Selections();
  readonly #classes = new Map<string, DeviceClass>();
  readonly #extended = new ExtendedClasses();
  readonly #claims = new Map<string, Known>();
  /** Decisions that do not show yet, by pod. */
  readonly #assumed = new Map<string, ClaimDecision>();
  /** Those of them whose devices others have yet to leave. */
  readonly #hopes = new Set<string>();
  /** Pods whose decisions speak of a claim. */
  readonly #assumedBy = new Map<string, Set<string>>();
  /** By what is asked, by node. */
  readonly #answers = new NewestMap<string, Map<string, Remembered>>(shapesMax);
  /** By what is asked. */
  readonly #gates = new NewestMap<string, DeviceGate>(shapesMax);
  /** Uids of pods that are thought away. */
  readonly #away = new Set<string>();
  #classVersion = 0;

  setSlice(slice: ResourceSlice): void {
    this.#pools.setSlice(slice);
  }

  removeSlice(name: string): void {
    this.#pools.removeSlice(name);
  }

  setTaintRule(rule: DeviceTaintRule): void {
    this.#pools.setRule(rule);
  }

  removeTaintRule(name: string): void {
    this.#pools.removeRule(name);
  }

  /** Which class a resource stands for, where it stands for one. */
  readonly classOf: ClassOfResource = (resource) => this.#extended.classOf(resource);

  setClass(deviceClass: DeviceClass): void {
    this.#extended.set(deviceClass);
    this.#classes.set(deviceClass.metadata.name ?? '', deviceClass);
    this.#classVersion++;
    this.onDevices();
  }

  removeClass(name: string): void {
    this.#extended.delete(name);
    this.#classes.delete(name);
    this.#classVersion++;
  }

  /** How many there are of each class. The same object while it says the same. */
  devicesByClass(): ReadonlyMap<string, number> {
    return this.#byClass.counts(this.#pools, this.#classes, this.#classVersion, this.#selections);
  }

  claim(key: string): DynamicResourceClaim | undefined {
    return this.#claims.get(key)?.claim;
  }

  /** What is older than what is known already is passed over: answers to writes come before what watches tell. */
  setClaim(claim: DynamicResourceClaim): void {
    const key = claimKeyOf(claim);
    const before = this.#claims.get(key);
    if (before !== undefined && isOlder(claim, before.claim)) return;
    this.#hold(key, { claim, allocation: before?.allocation });
  }

  removeClaim(key: string): void {
    const known = this.#claims.get(key);
    if (known?.allocation !== undefined) this.#count(known.allocation, -1);
    this.#claims.delete(key);
  }

  /** Brings the ledger to what shows of a claim, else to what is assumed. */
  #hold(key: string, known: Known): void {
    const { claim } = known;
    const allocation = claim.status?.allocation ?? this.#assumedAllocation(key, claim);
    if (allocation !== known.allocation) {
      if (known.allocation !== undefined) this.#count(known.allocation, -1);
      if (allocation !== undefined) this.#count(allocation, 1);
    }
    this.#claims.set(key, { claim, allocation });
  }

  #count(allocation: Allocation, sign: 1 | -1): void {
    this.#ledger.add(allocation, sign);
    for (const poolId of poolsOf(allocation)) this.#changes.add({ poolId, nodes: undefined });
  }

  #assumedAllocation(key: string, claim: DynamicResourceClaim): Allocation | undefined {
    for (const podKey of this.#assumedBy.get(key) ?? [])
      for (const part of this.#assumed.get(podKey)?.claims ?? [])
        if (claimKeyOf(part.claim) === key && isMeant(part, claim))
          if (part.allocation !== undefined) return part.allocation;
    return undefined;
  }

  /** From now on others reckon with it. Idempotent. */
  assume(podKey: string, decision: ClaimDecision): void {
    this.release(podKey);
    this.#assumed.set(podKey, decision);
    for (const { claim, isNew } of decision.claims) {
      const key = claimKeyOf(claim);
      const pods = this.#assumedBy.get(key);
      if (pods === undefined) this.#assumedBy.set(key, new Set([podKey]));
      else pods.add(podKey);
      if (isNew === true && !this.#claims.has(key)) this.#hold(key, { claim, allocation: undefined });
      else this.#again(key);
    }
  }

  /** It shows now, or it was given up. Idempotent. */
  release(podKey: string): void {
    const decision = this.#assumed.get(podKey);
    if (decision === undefined) return;
    this.#assumed.delete(podKey);
    this.#hopes.delete(podKey);
    for (const { claim } of decision.claims) {
      const key = claimKeyOf(claim);
      const pods = this.#assumedBy.get(key);
      pods?.delete(podKey);
      if (pods?.size === 0) this.#assumedBy.delete(key);
      // One that was to be made.
      if (this.#claims.get(key)?.claim.metadata.uid === undefined) this.removeClaim(key);
      else this.#again(key);
    }
  }

  #again(key: string): void {
    const known = this.#claims.get(key);
    if (known !== undefined) this.#hold(key, known);
  }

  /** What would be free if the pod went, or again as it is: for trying who has to go. Each is undone before anything else changes. */
  setAway(pod: Pod, isAway: boolean): void {
    const { uid = '', namespace } = pod.metadata;
    if (isAway) this.#away.add(uid);
    else this.#away.delete(uid);
    for (const { name = '' } of heldNamesOf(pod)) {
      const known = this.#claims.get(`${namespace}/${name}`);
      if (known === undefined) continue;
      const isLeft = this.#isLeft(known, (holder) => this.#away.has(holder));
      this.#lend(known, isLeft);
    }
  }

  #lend(known: Known, isLent: boolean): void {
    if (known.allocation === undefined || isLent === (known.isLent === true)) return;
    known.isLent = isLent;
    this.#count(known.allocation, isLent ? -1 : 1);
  }

  /** Somebody holds it, and all who do are away. */
  #isLeft({ claim }: Known, isAway: (uid: string) => boolean): boolean {
    const holders = (claim.status?.reservedFor ?? []).map(({ uid }) => uid);
    for (const podKey of this.#assumedBy.get(claimKeyOf(claim)) ?? [])
      holders.push(this.#assumed.get(podKey)?.pod.metadata.uid ?? '');
    return holders.length > 0 && holders.every(isAway);
  }

  /** It asks for devices, whether or not it knows. */
  asksForDevices(pod: Pod): boolean {
    return pod.spec?.resourceClaims !== undefined || extendedRequests(pod, this.classOf).length > 0;
  }

  /** Keeps devices for a pod that is to have the node when others have left it, until it is released. */
  keepFor(podKey: string, pod: Pod, node: ClaimNode, leaving: readonly Pod[]): void {
    const ask = this.ask(pod);
    if (ask.unresolved !== undefined) return;
    // What is free already is nobody else's hope.
    if (ask.refusals(node).length === 0) {
      const decision = ask.decide(node);
      if (decision !== undefined) this.assume(podKey, decision);
      return;
    }
    for (const one of leaving) this.setAway(one, true);
    const decision = ask.decide(node);
    for (const one of leaving) this.setAway(one, false);
    if (decision === undefined) return;
    this.assume(podKey, decision);
    this.#hopes.add(podKey);
  }

  /** Whether the node has what is asked as soon as claims are given back that nobody holds any more. `isThere`: whether a pod is. */
  comesFree(ask: ClaimAsk, node: ClaimNode, isThere: (podKey: string, uid: string) => boolean): boolean {
    const left = [...this.#claims.values()].filter(({ claim, allocation, isLent }) => {
      const { reservedFor = [] } = claim.status ?? {};
      if (allocation === undefined || isLent === true || reservedFor.length === 0) return false;
      if (this.#assumedBy.has(claimKeyOf(claim))) return false;
      return reservedFor.every(({ name, uid }) => !isThere(`${claim.metadata.namespace}/${name}`, uid));
    });
    if (left.length === 0) return false;
    for (const known of left) this.#lend(known, true);
    const isEnoughThen = ask.refusals(node).length === 0;
    for (const known of left) this.#lend(known, false);
    return isEnoughThen;
  }

  /** Somebody else holds one of the devices that the claim has: two schedulers have given it. */
  isContested({ status }: DynamicResourceClaim): boolean {
    return this.#ledger.isContested(status?.allocation);
  }

  /** Of a pod that fits nowhere: its claims that keep it where it cannot go, and that nobody else holds. */
  idleOf(pod: Pod): readonly DynamicResourceClaim[] {
    return heldNamesOf(pod).flatMap((entry) => {
      const known = this.#claims.get(`${pod.metadata.namespace}/${entry.name ?? ''}`);
      if (known?.claim.status?.allocation === undefined) return [];
      const others = (known.claim.status.reservedFor ?? []).filter(({ uid }) => uid !== pod.metadata.uid);
      const isMeant = others.length === 0 && known.claim.metadata.deletionTimestamp === undefined;
      return isMeant && !this.#assumedBy.has(claimKeyOf(known.claim)) ? [known.claim] : [];
    });
  }

  /** All its claims were made for it from templates, and have nothing yet: what is said of it holds for its siblings. */
  isFresh(pod: Pod): boolean {
    return claimNamesOf(pod).every(({ isMade, name }) => {
      const known = this.#claims.get(`${pod.metadata.namespace}/${name ?? ''}`);
      return isMade && known !== undefined && known.allocation === undefined && isUsable(known.claim);
    });
  }

  ask(pod: Pod): ClaimAsk {
    const parts: Known[] = [];
    const forms: ClaimForm[] = [];
    const extended = extendedRequests(pod, this.classOf);
    const own = extended.length === 0 ? undefined : this.#ownExtended(pod);
    const entries = claimNamesOf(pod);
    for (const entry of own === undefined ? entries : [...entries, { isMade: true, name: own }]) {
      // Nothing has to be there for it.
      if (entry.isMade && entry.name === undefined) continue;
      const known = this.#claims.get(`${pod.metadata.namespace}/${entry.name ?? ''}`);
      const why = this.#unresolved(pod, entry, known);
      if (why !== undefined || known === undefined) return waits(why ?? '');
      if (parts.includes(known)) continue;
      parts.push(known);
      if (known.allocation !== undefined) continue;
      const form = formOf(known.claim, (name) => this.#classes.get(name));
      if (typeof form === 'string') return waits(form);
      forms.push(form);
    }
    if (parts.length === 0 && extended.length === 0) return nothing;
    const extra = new ExtraForms(pod, forms, own === undefined ? extended : [], (name) =>
      this.#classes.get(name),
    );
    return this.#askFor(pod, parts, extra, extended);
  }

  /** The claim that was made for its extended resources before. */
  #ownExtended(pod: Pod): string | undefined {
    const name = extendedClaimName(pod);
    const known = this.#claims.get(`${pod.metadata.namespace}/${name}`);
    const isOwn = known?.claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid) === true;
    return isOwn && known.claim.metadata.uid !== undefined ? name : undefined;
  }

  #askFor(
    pod: Pod,
    parts: readonly Known[],
    extra: ExtraForms,
    extended: readonly ExtendedRequest[],
  ): ClaimAsk {
    const budget = { steps: askStepsMax };
    const selectors = parts.flatMap(({ allocation }) => allocation?.nodeSelector ?? []);
    const asksForDevices = extra.all.some(({ requests }) => requests.length > 0);
    const isOpen = selectors.length === 0 && !asksForDevices;
    const shape = isOpen ? '' : this.#shapeOf(extra.all, selectors);
    const answerOn = (node: ClaimNode): Answer =>
      allocate(extra.formsOn(node), this.#pools.of(node), this.#ledger, this.#selections, budget);
    let answers: Map<string, Remembered> | undefined;
    return {
      unresolved: undefined,
      shape,
      gate: (ground) => (isOpen ? undefined : this.#gateFor(shape, extra, selectors, ground)),
      refusals: (node) => {
        const away = elsewhere(selectors, node);
        const forms = extra.formsOn(node);
        if (away.length > 0 || forms.length === 0) return away;
        answers ??= this.#answersOf(shape);
        const pools = this.#pools.of(node);
        const version = pools.reduce((sum, { pool }) => sum + this.#ledger.version(pool.id), 0);
        const known = answers.get(node.name);
        const { mask } = extra.on(node);
        if (known?.pools === pools && known.version === version && known.mask === mask) return known.refusals;
        // Nearly all nodes of most clouds.
        if (pools.length === 0 && forms.some(({ requests }) => requests.length > 0)) return hasNone;
        if (budget.steps === 0) return [claimRefusals.tooLong];
        const answer = answerOn(node);
        const refusals = refusalsOf(answer);
        // A fault names its claim; and what was cut short says nothing.
        if (answer.kind !== 'fault' && budget.steps > 0)
          answers.set(node.name, { pools, version, mask, refusals });
        return refusals;
      },
      mayEver: (node) =>
        elsewhere(selectors, node).length === 0 &&
        (!asksForDevices || isEnough(extra.formsOn(node), this.#pools.of(node), this.#selections)),
      decide: (node, known) => {
        // The budget is for looking for a node.
        budget.steps = askStepsMax;
        const forms = extra.formsOn(node);
        const answer = forms.length === 0 ? undefined : (known ?? answerOn(node));
        const claims = parts.map((part) => partOf(part, forms, answer));
        const made = extra.on(node).form;
        if (made !== undefined && answer?.kind === 'picked')
          claims.push({
            ...partOf({ claim: made.claim, allocation: undefined }, forms, answer),
            isNew: true,
          });
        const isDone = claims.every(
          ({ claim, allocation }) => allocation === undefined && isHeldBy(claim, pod),
        );
        if (isDone) return undefined;
        const special = claims.find(
          ({ claim }) => claim.metadata.annotations?.[extendedAnnotation] === 'true',
        );
        const given = made === undefined ? extended : extra.on(node).requests;
        const status = special && extendedStatus(special.claim.metadata.name ?? '', given);
        return { nodeName: node.name, pod, claims, ...(status && { extended: status }) };
      },
    };
  }

  #shapeOf(forms: readonly ClaimForm[], selectors: readonly NodeSelector[]): string {
    let shape = `${this.#classVersion}`;
    for (const { claim } of forms) shape += ` ${JSON.stringify(claim.spec)}`;
    return selectors.length === 0 ? shape : `${shape} ${JSON.stringify(selectors)}`;
  }

  #gateFor(shape: string, extra: ExtraForms, selectors: readonly NodeSelector[], ground: Ground): DeviceGate {
    let gate = this.#gates.get(shape);
    if (gate === undefined) {
      const question = {
        forms: extra.all,
        formsOn: (node: ClaimNode) => extra.formsOn(node),
        maskOf: (node: ClaimNode) => extra.on(node).mask,
        elsewhere: (node: ClaimNode) => elsewhere(selectors, node)[0],
        wordOf: (answer: Answer) => refusalsOf(answer)[0],
      };
      gate = new DeviceGate(question, {
        pools: this.#pools,
        ledger: this.#ledger,
        selections: this.#selections,
        changes: this.#changes,
      });
      this.#gates.set(shape, gate);
    }
    gate.catchUp(ground);
    return gate;
  }

  /** What nodes have said to pods that ask the same. */
  #answersOf(shape: string): Map<string, Remembered> {
    let answers = this.#answers.get(shape);
    if (answers === undefined) {
      answers = new Map();
      this.#answers.set(shape, answers);
    }
    return answers;
  }

  #unresolved(pod: Pod, entry: ClaimEntry, known: Known | undefined): string | undefined {
    const { namespace = '', name: podName = '', uid } = pod.metadata;
    const { name, isMade } = entry;
    if (name === undefined) return `pod "${namespace}/${podName}": ResourceClaim not created yet`;
    if (known === undefined) return `resourceclaim "${name}" not found`;
    const { metadata, status } = known.claim;
    if (metadata.deletionTimestamp !== undefined) return `resourceclaim "${name}" is being deleted`;
    const isOwn = metadata.ownerReferences?.some((one) => one.controller === true && one.uid === uid);
    if (isMade && isOwn !== true)
      return `ResourceClaim ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
    if (isHeldBy(known.claim, pod)) return undefined;
    const coming = [...(this.#assumedBy.get(claimKeyOf(known.claim)) ?? [])];
    // Nobody else can have it before the devices are free that it is to get (found by seed 98).
    if (status?.allocation === undefined && coming.some((podKey) => this.#hopes.has(podKey)))
      return `resourceclaim "${name}" gets devices that other pods are leaving`;
    return (status?.reservedFor?.length ?? 0) + coming.length >= holdersMax
      ? 'resourceclaim in use'
      : undefined;
  }
}

/** One that is made meanwhile gets its uid then. */
function isMeant({ claim, isNew }: ClaimPart, { metadata }: DynamicResourceClaim): boolean {
  if (isNew !== true) return claim.metadata.uid === metadata.uid;
  const owner = claim.metadata.ownerReferences?.[0]?.uid;
  return metadata.ownerReferences?.some(({ uid }) => uid === owner) === true;
}

const isUsable = ({ metadata }: DynamicResourceClaim): boolean => metadata.deletionTimestamp === undefined;

export const isHeldBy = ({ status }: DynamicResourceClaim, { metadata }: Pod): boolean =>
  (status?.reservedFor ?? []).some(({ uid }) => uid === metadata.uid);

function isOlder(a: DynamicResourceClaim, b: DynamicResourceClaim): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    Number(a.metadata.resourceVersion) < Number(b.metadata.resourceVersion)
  );
}

/** Devices that its claims have already may be elsewhere. */
function elsewhere(selectors: readonly NodeSelector[], node: ClaimNode): readonly string[] {
  if (selectors.some((one) => !selectsNode(one, node))) return [claimRefusals.elsewhere];
  return none;
}

function partOf(
  { claim, allocation }: Known,
  forms: readonly ClaimForm[],
  answer: Answer | undefined,
): ClaimPart {
  const at = forms.findIndex((form) => form.claim === claim);
  const form = forms[at];
  if (form === undefined || answer?.kind !== 'picked')
    // One that another pod's decision has allocated, and that does not show yet.
    return claim.status?.allocation === undefined && allocation !== undefined
      ? { claim, allocation }
      : { claim };
  const { uid, resourceVersion } = claim.metadata;
  let random: SeededRandom | undefined;
  const shareId = (): string => {
    random ??= new SeededRandom(`${uid}/${resourceVersion}`);
    return random.uuid();
  };
  return { claim, allocation: allocationOf(form, answer.picks[at] ?? [], shareId) };
}

const poolsOf = ({ devices }: Allocation): ReadonlySet<string> =>
  new Set((devices?.results ?? []).map(({ driver, pool }) => `${driver}/${pool}`));

function refusalsOf(answer: Answer): readonly string[] {
  switch (answer.kind) {
    case 'picked':
      return none;
    case 'none':
      return [claimRefusals.none];
    case 'tooLong':
      return [claimRefusals.tooLong];
    case 'fault':
      return [answer.message];
  }
}

const nothing: ClaimAsk = {
  unresolved: undefined,
  shape: '',
  gate: () => undefined,
  refusals: () => none,
  mayEver: () => true,
  decide: () => undefined,
};

const waits = (unresolved: string): ClaimAsk => ({ ...nothing, unresolved });
