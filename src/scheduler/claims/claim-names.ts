/** Which claims of devices a pod has, by their names. Pure. */
import type { Pod } from '../../api/index.ts';

export interface ClaimEntry {
  readonly isMade: boolean;
  /** undefined: there is none yet, or, where it is made, none is needed. */
  readonly name: string | undefined;
}

/** The claims of a pod: those that it names, and those that were made for it from templates. */
export function claimNamesOf({ spec, status }: Pod): readonly ClaimEntry[] {
  return (spec?.resourceClaims ?? []).map(({ name, resourceClaimName }) => {
    if (resourceClaimName !== undefined) return { isMade: false, name: resourceClaimName };
    const told = status?.resourceClaimStatuses?.find((one) => one.name === name);
    return { isMade: told !== undefined, name: told?.resourceClaimName };
  });
}

/** It may hold devices: by claims of its own, or by the one that was made for its extended resources. */
export const mayHoldDevices = ({ spec, status }: Pod): boolean =>
  spec?.resourceClaims !== undefined || status?.extendedResourceClaimStatus !== undefined;

/** Also the one that was made for its extended resources. */
export function heldNamesOf(pod: Pod): readonly ClaimEntry[] {
  const name = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return name === undefined ? claimNamesOf(pod) : [...claimNamesOf(pod), { isMade: true, name }];
}
