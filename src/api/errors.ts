/**
 * API errors, worded as Kubernetes words them: clients match on reasons and on some messages.
 * Source: k8s.io/apimachinery/pkg/api/errors.
 */
import { CaelumError, type ErrorCause } from '../lib/index.ts';
import { groupResourceOf } from './object.ts';

interface Resource {
  readonly group: string;
  readonly resource: string;
}

const named = (of: Resource): string => groupResourceOf(of.group, of.resource);
const about = (of: Resource, name: string) => ({ group: of.group, kind: of.resource, name });

export function notFound(of: Resource, name: string): CaelumError {
  return new CaelumError('notFound', `${named(of)} "${name}" not found`, { details: about(of, name) });
}

export function alreadyExists(of: Resource, name: string): CaelumError {
  return new CaelumError('alreadyExists', `${named(of)} "${name}" already exists`, {
    details: about(of, name),
  });
}

export function conflict(
  of: Resource,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): CaelumError {
  return new CaelumError('conflict', `Operation cannot be fulfilled on ${named(of)} "${name}": ${why}`, {
    details: about(of, name),
  });
}

export function forbidden(of: Resource, name: string, why: string): CaelumError {
  const what = name === '' ? `${named(of)} is forbidden` : `${named(of)} "${name}" is forbidden`;
  return new CaelumError('forbidden', `${what}: ${why}`, { details: about(of, name) });
}

/** 422. `kind` is the kind's name (not the resource): `Deployment.apps "web" is invalid: spec.replicas: …`. */
export function invalid(
  of: { readonly group: string; readonly kind: string },
  name: string,
  causes: readonly ErrorCause[],
): CaelumError {
  const kind = of.group === '' ? of.kind : `${of.kind}.${of.group}`;
  // What is said twice is read once.
  const lines = [...new Set(causes.map((cause) => `${cause.field}: ${cause.message}`))];
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new CaelumError('invalid', `${kind} "${name}" is invalid: ${text}`, {
    details: { group: of.group, kind: of.kind, name, causes },
  });
}

export function badRequest(message: string): CaelumError {
  return new CaelumError('badRequest', message);
}

/** 410 for a list or watch from a revision that is compacted. Wording as the watch cache has it. */
export function expired(message = 'The resourceVersion for the provided watch is too old.'): CaelumError {
  return new CaelumError('expired', message);
}
