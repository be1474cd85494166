/**
 * Isolation: every pod is where its own rules, its neighbours' rules, its node's and its namespace's let it be. Pure.
 *
 * Kubernetes asks most of these when it places a pod and not again (`IgnoredDuringExecution`): of what is found later nobody can say whether the pod or the world
 * moved, so it is `drift`; `asPlaced` says that nothing has changed since, and makes it a violation.
 */
import type { Node, Pod, PodAffinityTerm, TopologySpreadConstraint } from '../api/index.ts';
import {
  domainOf,
  labelsOf,
  lackedLabels,
  means,
  meetsNodeAffinity,
  selects,
  toleration,
} from './selection.ts';
import { type Finding, isPlaced, listOf, nodeName, podName, type Severity, type View } from './view.ts';

export interface IsolationOptions {
  /** Only of these; others stand around. Without: of all that are placed. */
  readonly of?: readonly Pod[];
  /** They were placed just now. */
  readonly asPlaced?: boolean;
}

/** A taint that pods do not bear has put them out after so long. */
const evictionGraceMs = 60_000;
const namespaceSelectorKey = 'scheduler.alpha.kubernetes.io/node-selector';

export function isolationFindings(view: View, options: IsolationOptions = {}): readonly Finding[] {
  const pods = options.of ?? view.living.filter(isPlaced);
  const moved: Severity = options.asPlaced === true ? 'violation' : 'drift';
  const findings: Finding[] = [];
  for (const pod of pods) {
    const node = view.nodeOf(pod);
    if (node === undefined) continue;
    findings.push(...ownFindings(view, pod, node, moved, options.asPlaced === true));
  }
  const around = new Around(view);
  for (const pod of pods) {
    const node = view.nodeOf(pod);
    if (node === undefined) continue;
    findings.push(...around.findings(pod, node, moved));
    // Whoever is looked at says so himself.
    if (options.of !== undefined) findings.push(...around.unwelcome(pod, node, moved));
  }
  findings.push(...volumeFindings(view, pods, moved));
  return findings;
}

function ownFindings(
  view: View,
  pod: Pod,
  node: Node,
  moved: Severity,
  isAsPlaced: boolean,
): readonly Finding[] {
  const name = node.metadata.name ?? '';
  const findings: Finding[] = [];
  const tell = (
    rule: string,
    severity: Severity,
    message: string,
    numbers: Finding['numbers'] = {},
  ): void => {
    findings.push({ rule, severity, objects: [podName(pod), nodeName(name)], numbers, message });
  };
  if ((pod.spec?.schedulingGates ?? []).length > 0)
    tell('isolation/gates', 'violation', `${podName(pod)} is on node ${name}, though its gates are closed`);
  const lacked = lackedLabels(node, pod.spec?.nodeSelector);
  if (lacked.length > 0)
    tell(
      'isolation/node-selector',
      moved,
      `${podName(pod)} wants nodes with ${lacked.join(', ')}; node ${name} is none`,
      { lacked: lacked.join(',') },
    );
  if (!meetsNodeAffinity(pod, node))
    tell(
      'isolation/node-affinity',
      // The name of a node does not change.
      namesNodesOnly(pod) ? 'violation' : moved,
      `${podName(pod)} is on node ${name}, which its required node affinity does not take`,
    );
  findings.push(...taintFindings(view, pod, node, isAsPlaced));
  const restriction =
    view.namespace(pod.metadata.namespace ?? '')?.metadata.annotations?.[namespaceSelectorKey] ?? '';
  const wanted = Object.fromEntries(
    restriction
      .split(',')
      .filter((one) => one.trim() !== '')
      .map((one): [string, string] => {
        const [key = '', value = ''] = one.split('=');
        return [key.trim(), value.trim()];
      }),
  );
  const foreign = lackedLabels(node, wanted);
  if (foreign.length > 0)
    tell(
      'isolation/namespace-nodes',
      moved,
      `namespace ${pod.metadata.namespace} is kept to nodes with ${foreign.join(', ')}; ${podName(pod)} is on node ${name}`,
      { lacked: foreign.join(',') },
    );
  return findings;
}

function namesNodesOnly({ spec }: Pod): boolean {
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.every((one) => (one.matchExpressions ?? []).length === 0);
}

function taintFindings(view: View, pod: Pod, node: Node, isAsPlaced: boolean): readonly Finding[] {
  const { nowMs } = view.allocation;
  const name = node.metadata.name ?? '';
  const findings: Finding[] = [];
  const isDaemon = pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
  for (const taint of node.spec?.taints ?? []) {
    if (taint.effect === 'PreferNoSchedule' || isDaemon) continue;
    const borne = toleration(pod, taint);
    const sinceMs = nowMs === undefined ? 0 : nowMs - (Date.parse(taint.timeAdded ?? '') || nowMs);
    const isOverdue =
      taint.effect === 'NoExecute' &&
      pod.metadata.deletionTimestamp === undefined &&
      (borne === undefined || borne.tolerationSeconds !== undefined) &&
      sinceMs > evictionGraceMs + 1000 * (borne?.tolerationSeconds ?? 0);
    if (borne !== undefined && !isOverdue) continue;
    findings.push({
      rule: 'isolation/taints',
      severity: isAsPlaced || isOverdue ? 'violation' : 'drift',
      objects: [podName(pod), nodeName(name)],
      numbers: {
        taint: `${taint.key}:${taint.effect}`,
        ...(isOverdue ? { overdueSeconds: Math.round(sinceMs / 1000) } : {}),
      },
      message: isOverdue
        ? `${podName(pod)} is still on node ${name}, which has had the taint ${taint.key}:NoExecute for ${Math.round(sinceMs / 1000)} s`
        : `${podName(pod)} is on node ${name}, whose taint ${taint.key}:${taint.effect} it does not tolerate`,
    });
  }
  if (isAsPlaced && node.spec?.unschedulable === true) {
    const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
    if (toleration(pod, cordon) === undefined)
      findings.push({
        rule: 'isolation/cordon',
        severity: 'violation',
        objects: [podName(pod), nodeName(name)],
        numbers: {},
        message: `${podName(pod)} was placed on node ${name}, which is cordoned`,
      });
  }
  return findings;
}

/** Rules about other pods. What is counted for one pod is kept for all that ask the same. */
class Around {
  readonly #view: View;
  readonly #placed: readonly Pod[];
  /** Pods that a term means, by domain. */
  readonly #domains = new Map<string, Map<string, Pod[]>>();
  readonly #spreads = new Map<string, Map<string, number>>();

  constructor(view: View) {
    this.#view = view;
    this.#placed = view.living.filter((pod) => isPlaced(pod) && view.nodeOf(pod) !== undefined);
  }

  findings(pod: Pod, node: Node, moved: Severity): readonly Finding[] {
    const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
    const findings: Finding[] = [];
    const tell = (
      rule: string,
      others: readonly Pod[],
      message: string,
      numbers: Finding['numbers'],
    ): void => {
      const objects = [podName(pod), nodeName(node.metadata.name ?? ''), ...others.slice(0, 3).map(podName)];
      findings.push({ rule, severity: moved, objects, numbers, message });
    };
    for (const term of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      const domain = domainOf(node, term.topologyKey);
      const foes =
        domain === undefined
          ? []
          : this.#meant(pod, term)
              .get(domain)
              ?.filter((one) => one !== pod);
      const [foe] = foes ?? [];
      if (foe !== undefined)
        tell(
          'isolation/pod-anti-affinity',
          foes ?? [],
          `${podName(pod)} and ${podName(foe)} may not be in one ${term.topologyKey}; both are in "${domain}"`,
          { topologyKey: term.topologyKey, domain: domain ?? '', others: foes?.length ?? 0 },
        );
    }
    for (const term of podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      const domain = domainOf(node, term.topologyKey);
      const meant = this.#meant(pod, term);
      const others = (list: readonly Pod[] = []): boolean => list.some((one) => one !== pod);
      // The first of a group has only itself.
      const isFirst =
        domain !== undefined &&
        ![...meant.values()].some(others) &&
        means(term, pod, pod, this.#view.labelsOfNamespace);
      if (!isFirst && (domain === undefined || !others(meant.get(domain))))
        tell(
          'isolation/pod-affinity',
          [],
          `${podName(pod)} wants to be in one ${term.topologyKey} with others; "${domain ?? 'none'}" has none of them`,
          { topologyKey: term.topologyKey, domain: domain ?? '' },
        );
    }
    for (const one of pod.spec?.topologySpreadConstraints ?? [])
      if (one.whenUnsatisfiable !== 'ScheduleAnyway') {
        const found = this.#skewOf(pod, node, one);
        if (found.skew > one.maxSkew)
          tell(
            'isolation/spread',
            [],
            `${podName(pod)} is in ${one.topologyKey} "${found.domain}" with ${found.here} of its kind; elsewhere there are ${found.least}, and ${one.maxSkew} more are allowed`,
            { topologyKey: one.topologyKey, here: found.here, least: found.least, maxSkew: one.maxSkew },
          );
      }
    return findings;
  }

  /** Others that will not have it with them. */
  unwelcome(pod: Pod, node: Node, moved: Severity): readonly Finding[] {
    const findings: Finding[] = [];
    for (const other of this.#placed)
      for (const term of other.spec?.affinity?.podAntiAffinity
        ?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
        const domain = domainOf(node, term.topologyKey);
        if (other === pod || domain === undefined) continue;
        if (domainOf(this.#view.nodeOf(other), term.topologyKey) !== domain) continue;
        if (!means(term, other, pod, this.#view.labelsOfNamespace)) continue;
        findings.push({
          rule: 'isolation/pod-anti-affinity',
          severity: moved,
          objects: [podName(pod), nodeName(node.metadata.name ?? ''), podName(other)],
          numbers: { topologyKey: term.topologyKey, domain },
          message: `${podName(other)} will not have ${podName(pod)} in one ${term.topologyKey}; both are in "${domain}"`,
        });
      }
    return findings;
  }

  #meant(owner: Pod, term: PodAffinityTerm): ReadonlyMap<string, readonly Pod[]> {
    const key = JSON.stringify([owner.metadata.namespace, term]);
    let domains = this.#domains.get(key);
    if (domains === undefined) {
      domains = new Map();
      for (const pod of this.#placed) {
        const domain = domainOf(this.#view.nodeOf(pod), term.topologyKey);
        if (domain !== undefined && means(term, owner, pod, this.#view.labelsOfNamespace))
          listOf(domains, domain).push(pod);
      }
      this.#domains.set(key, domains);
    }
    return domains;
  }

  #skewOf(
    pod: Pod,
    node: Node,
    constraint: TopologySpreadConstraint,
  ): { readonly domain: string; readonly here: number; readonly least: number; readonly skew: number } {
    const domain = domainOf(node, constraint.topologyKey);
    const narrowed = (constraint.matchLabelKeys ?? []).flatMap((key) => {
      const value = labelsOf(pod)[key];
      return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
    });
    const selector =
      constraint.labelSelector === undefined
        ? undefined
        : {
            ...constraint.labelSelector,
            matchExpressions: [...(constraint.labelSelector.matchExpressions ?? []), ...narrowed],
          };
    // A node without the label is in no domain: whoever has the constraint may not be there.
    if (domain === undefined) return { domain: 'none', here: 0, least: 0, skew: Number.POSITIVE_INFINITY };
    const counts = this.#countsOf(pod, constraint, selector);
    const here = counts.get(domain) ?? Number(selects(selector, labelsOf(pod)));
    const least = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
    return { domain, here, least, skew: here - least };
  }

  #countsOf(
    pod: Pod,
    constraint: TopologySpreadConstraint,
    selector: Parameters<typeof selects>[0],
  ): ReadonlyMap<string, number> {
    const hard = (pod.spec?.topologySpreadConstraints ?? []).filter(
      (one) => one.whenUnsatisfiable !== 'ScheduleAnyway',
    );
    const keys = hard.map((one) => one.topologyKey);
    const { nodeSelector, affinity, tolerations } = pod.spec ?? {};
    const of = [
      nodeSelector,
      affinity?.nodeAffinity,
      constraint.nodeTaintsPolicy === 'Honor' ? tolerations : 0,
    ];
    const key = JSON.stringify([pod.metadata.namespace, constraint, selector, keys, of]);
    let counts = this.#spreads.get(key);
    if (counts !== undefined) return counts;
    counts = new Map();
    for (const [name, node] of this.#view.nodes) {
      if (keys.some((one) => domainOf(node, one) === undefined)) continue;
      const isMeant = lackedLabels(node, nodeSelector).length === 0 && meetsNodeAffinity(pod, node);
      if (constraint.nodeAffinityPolicy !== 'Ignore' && !isMeant) continue;
      const isBarred = (node.spec?.taints ?? []).some(
        (taint) => taint.effect !== 'PreferNoSchedule' && toleration(pod, taint) === undefined,
      );
      if (constraint.nodeTaintsPolicy === 'Honor' && isBarred) continue;
      const value = domainOf(node, constraint.topologyKey) ?? '';
      const here = (this.#view.podsOn.get(name) ?? []).filter(
        (one) =>
          one.metadata.namespace === pod.metadata.namespace &&
          one.metadata.deletionTimestamp === undefined &&
          selects(selector, labelsOf(one)),
      ).length;
      counts.set(value, (counts.get(value) ?? 0) + here);
    }
    this.#spreads.set(key, counts);
    return counts;
  }
}

/** A volume is reached from the nodes that it names. */
function volumeFindings(view: View, pods: readonly Pod[], moved: Severity): readonly Finding[] {
  const { claims = [], volumes = [] } = view.allocation;
  if (claims.length === 0 || volumes.length === 0) return [];
  const volumeOf = new Map(volumes.map((one) => [one.metadata.name ?? '', one]));
  const boundTo = new Map(
    claims.map(({ metadata, spec }) => [`${metadata.namespace}/${metadata.name}`, spec?.volumeName ?? '']),
  );
  const findings: Finding[] = [];
  for (const pod of pods) {
    const node = view.nodeOf(pod);
    for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
      const key = `${pod.metadata.namespace}/${persistentVolumeClaim?.claimName}`;
      const volume = volumeOf.get(boundTo.get(key) ?? '');
      const required = volume?.spec?.nodeAffinity?.required;
      if (node === undefined || volume === undefined || required === undefined) continue;
      const asked = {
        metadata: {},
        spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } },
      } as Pod;
      if (meetsNodeAffinity(asked, node)) continue;
      const name = node.metadata.name ?? '';
      findings.push({
        rule: 'isolation/volume-node',
        severity: moved,
        objects: [podName(pod), nodeName(name), `persistentvolume/${volume.metadata.name}`],
        numbers: {},
        message: `${podName(pod)} is on node ${name}, from which its volume ${volume.metadata.name} is not reached`,
      });
    }
  }
  return findings;
}
