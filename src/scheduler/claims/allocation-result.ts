/**
 * What is written of a choice of devices: the allocation of a claim. Pure; whoever writes it adds when.
 * Source: Kubernetes 1.36, as behaviour: configuration of classes before that of the claim, and nodes as narrow as the narrowest device.
 */
import { nanoText, quantityNano } from '../../api/index.ts';
import type { Pick } from './allocator.ts';
import type { ClaimForm } from './claim-form.ts';
import type { AllocatedDevice, Allocation } from './device-ledger.ts';
import type { NodeSelector } from './device-pools.ts';

type Config = NonNullable<NonNullable<Allocation['devices']>['config']>[number];
type Term = NonNullable<NodeSelector['nodeSelectorTerms']>[number];

export function allocationOf(form: ClaimForm, picks: readonly Pick[], shareId: () => string): Allocation {
  const nodeSelector = selectorOf(picks);
  const config = configOf(form, picks);
  return {
    devices: { results: picks.map((pick) => resultOf(pick, shareId)), ...(config.length > 0 && { config }) },
    ...(nodeSelector && { nodeSelector }),
  };
}

function resultOf({ form, one, consumed }: Pick, shareId: () => string): AllocatedDevice {
  const { device, driver, pool } = one;
  const { bindingConditions, bindingFailureConditions, capacity = {} } = device;
  const taken: Record<string, string> = {};
  for (const [name, amount] of consumed ?? []) {
    // As its driver writes it, where it is all of it.
    const whole = capacity[name]?.value ?? '';
    taken[name] =
      quantityNano(whole) === amount ? whole : nanoText(amount, whole.endsWith('i') ? 'binary' : 'decimal');
  }
  return {
    request: form.name,
    driver,
    pool,
    device: device.name,
    ...(form.isAdmin && { adminAccess: true }),
    ...(form.tolerations !== undefined && { tolerations: form.tolerations }),
    ...(bindingConditions !== undefined && { bindingConditions }),
    ...(bindingFailureConditions !== undefined && { bindingFailureConditions }),
    ...(consumed !== undefined && { shareID: shareId() }),
    ...(Object.keys(taken).length > 0 && { consumedCapacity: taken }),
  };
}

function configOf({ claim, requests }: ClaimForm, picks: readonly Pick[]): readonly Config[] {
  const config: { -readonly [key in keyof Config]: Config[key] }[] = [];
  const chosen = requests.flatMap((alternatives) => {
    const pick = picks.find(({ form }) => form.request === alternatives[0]?.request);
    return pick === undefined ? [] : [pick.form];
  });
  const classes = new Map<
    string,
    { readonly requests: string[]; readonly deviceClass: (typeof chosen)[number]['deviceClass'] }
  >();
  for (const { name, deviceClass } of chosen) {
    const key = deviceClass.metadata.name ?? '';
    const known = classes.get(key);
    if (known === undefined) classes.set(key, { requests: [name], deviceClass });
    else known.requests.push(name);
  }
  const all = requests.length;
  const about = (names: readonly string[]) =>
    names.length === 0 || names.length === all ? {} : { requests: names };
  for (const { requests: names, deviceClass } of classes.values())
    for (const { opaque } of deviceClass.spec?.config ?? [])
      config.push({ source: 'FromClass', ...about(names), ...(opaque && { opaque }) });
  for (const { requests: names = [], opaque } of claim.spec?.devices?.config ?? []) {
    const isMeant = ({ name, request }: (typeof chosen)[number]): boolean =>
      names.includes(name) || names.includes(request);
    if (names.length === 0 || chosen.some(isMeant))
      config.push({ source: 'FromClaim', ...about(names), ...(opaque && { opaque }) });
  }
  return config;
}

/** undefined: any node reaches all of them. */
function selectorOf(picks: readonly Pick[]): NodeSelector | undefined {
  const expressions: NonNullable<Term['matchExpressions']>[number][] = [];
  const fields: NonNullable<Term['matchFields']>[number][] = [];
  for (const { one } of picks) {
    const { reach } = one;
    if (reach.kind === 'node') {
      const name = { key: 'metadata.name', operator: 'In', values: [reach.name] } as const;
      return { nodeSelectorTerms: [{ matchFields: [name] }] };
    }
    if (reach.kind !== 'nodes') continue;
    // A selector of devices has one term.
    const [term] = reach.selector.nodeSelectorTerms ?? [];
    for (const one of term?.matchExpressions ?? []) add(expressions, one);
    for (const one of term?.matchFields ?? []) add(fields, one);
  }
  if (expressions.length + fields.length === 0) return undefined;
  return {
    nodeSelectorTerms: [
      {
        ...(expressions.length > 0 && { matchExpressions: expressions }),
        ...(fields.length > 0 && { matchFields: fields }),
      },
    ],
  };
}

function add<T extends object>(list: T[], one: T): void {
  const text = JSON.stringify(one);
  if (!list.some((other) => JSON.stringify(other) === text)) list.push(one);
}
