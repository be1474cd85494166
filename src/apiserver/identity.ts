/** Who asks. Pure. */

export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const anonymous: Identity = { user: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Our own parts, inside this process. */
export const systemIdentity: Identity = {
  user: 'system:caelum',
  groups: ['system:masters', 'system:authenticated'],
};

export function isMaster(identity: Identity): boolean {
  return identity.groups.includes('system:masters');
}

/** The node that an agent speaks for; undefined for everybody else. */
export function nodeOf(identity: Identity): string | undefined {
  const prefix = 'system:node:';
  return identity.groups.includes('system:nodes') && identity.user.startsWith(prefix)
    ? identity.user.slice(prefix.length)
    : undefined;
}
