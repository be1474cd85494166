/**
 * Devices that were given to claims, as queues count them: by class, under ResourceQuota's names. Pure; by what was given, not by what was asked.
 *
 * A claim that pods of several queues share counts for what those have in common: it was given once, and to none of them alone.
 */
import type { DynamicResourceClaim, Pod } from '../api/index.ts';
import { type Amounts, addTo } from './amounts.ts';
import type { View } from './view.ts';

const nameOf = (className: string): string => `${className}.deviceclass.resource.k8s.io/devices`;
const one = 1_000_000_000n;

/** Of every claim that somebody with a place uses: what it has, and who uses it. */
export function devicesInUse(
  view: View,
): readonly { readonly users: readonly Pod[]; readonly amounts: Amounts }[] {
  const { deviceClaims = [] } = view.allocation;
  if (deviceClaims.length === 0) return [];
  const byUid = new Map(view.living.map((pod) => [pod.metadata.uid ?? '', pod]));
  return deviceClaims.flatMap((claim) => {
    const users = (claim.status?.reservedFor ?? []).flatMap(({ uid, resource }) => {
      const pod = resource === 'pods' ? byUid.get(uid) : undefined;
      return pod === undefined ? [] : [pod];
    });
    return users.length === 0 ? [] : [{ users, amounts: amountsOf(claim) }];
  });
}

function amountsOf({ spec, status }: DynamicResourceClaim): Amounts {
  const amounts = new Map<string, bigint>();
  for (const { request, adminAccess } of status?.allocation?.devices?.results ?? []) {
    // Who looks after devices takes them from nobody.
    if (adminAccess === true) continue;
    const [name, part] = request.split('/');
    const asked = spec.devices?.requests?.find((each) => each.name === name);
    const className =
      asked?.exactly?.deviceClassName ??
      asked?.firstAvailable?.find((each) => each.name === part)?.deviceClassName;
    if (className !== undefined) addTo(amounts, new Map([[nameOf(className), one]]));
  }
  return amounts;
}
