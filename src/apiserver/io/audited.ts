/** Which requests are audited, for those who see only the request: a note at its side, none where the policy keeps nothing. */
import type { IncomingMessage } from 'node:http';
import type { AuditTrail } from '../audit/trail.ts';

const trails = new WeakMap<IncomingMessage, AuditTrail>();

export function noteAudit(request: IncomingMessage, trail: AuditTrail): void {
  trails.set(request, trail);
}

export function auditOf(request: IncomingMessage): AuditTrail | undefined {
  return trails.get(request);
}
