/** Bootstrap tokens are removed when their time is over. */
import type { Secret } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import { secretsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { deletion, type PlanContext, type Step } from '../step.ts';

const selection = {
  namespace: 'kube-system',
  fieldSelector: 'type=bootstrap.kubernetes.io/token',
} as const;

export function bootstrapTokenController(informers: Informers): Controller<Secret> {
  const secrets = informers.informer<Secret>(secretsRef, selection);
  return {
    name: 'token-cleaner',
    workers: 1,
    watches: [watch<Secret>(informers, secretsRef, ({ key }) => [key], selection)],
    observe: (key) => secrets.get(key),
    plan: planToken,
  };
}

/** Pure. */
export function planToken(secret: Secret, { nowMs }: PlanContext): readonly Step[] {
  const text = secret.data?.['expiration'];
  if (text === undefined) return [];
  const endMs = Date.parse(Buffer.from(text, 'base64').toString());
  // What cannot be read is let be: it opens nothing either.
  if (Number.isNaN(endMs)) return [];
  if (endMs <= nowMs) return [deletion(secretsRef, secret)];
  return [{ kind: 'again', afterMs: Math.min(endMs - nowMs, 86_400_000) }];
}
