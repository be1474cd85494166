/**
 * Probes and hooks: what is asked of a container while it lives.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from '../../types/core.v1.ts';
import { validatePort, validatePortOrName } from '../../validation/addresses.ts';
import {
  forbiddenField,
  notNegative,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../../validation/problems.ts';

type AnyHandler = LifecycleHandler & Pick<Probe, 'grpc'>;
const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
const headerPattern = /^[-A-Za-z0-9]+$/;

export type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

export function validateProbe(
  problems: Problems,
  field: string,
  name: ProbeName,
  probe: Probe | undefined,
  graceSeconds: number,
): void {
  if (probe === undefined) return;
  const at = `${field}.${name}`;
  validateHandler(problems, at, probe, graceSeconds);
  notNegative(problems, `${at}.initialDelaySeconds`, probe.initialDelaySeconds);
  notNegative(problems, `${at}.timeoutSeconds`, probe.timeoutSeconds);
  notNegative(problems, `${at}.periodSeconds`, probe.periodSeconds);
  notNegative(problems, `${at}.successThreshold`, probe.successThreshold);
  notNegative(problems, `${at}.failureThreshold`, probe.failureThreshold);
  const { terminationGracePeriodSeconds: grace, successThreshold } = probe;
  if (grace !== undefined && grace <= 0)
    problems.push(wrong(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  if (name === 'readinessProbe') {
    if (grace !== undefined)
      problems.push(
        wrong(`${at}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'),
      );
  } else if (successThreshold !== undefined && successThreshold !== 1)
    problems.push(wrong(`${at}.successThreshold`, successThreshold, 'must be 1'));
}

export function validateLifecycle(
  problems: Problems,
  field: string,
  lifecycle: Lifecycle | undefined,
  graceSeconds: number,
): void {
  if (lifecycle?.postStart !== undefined)
    validateHandler(problems, `${field}.postStart`, lifecycle.postStart, graceSeconds);
  if (lifecycle?.preStop !== undefined)
    validateHandler(problems, `${field}.preStop`, lifecycle.preStop, graceSeconds);
}

function validateHandler(problems: Problems, field: string, handler: AnyHandler, graceSeconds: number): void {
  let count = 0;
  for (const name of handlers) {
    if (handler[name] === undefined) continue;
    if (count++ > 0)
      problems.push(forbiddenField(`${field}.${name}`, 'may not specify more than 1 handler type'));
    else validateAction(problems, `${field}.${name}`, handler, name, graceSeconds);
  }
  if (count === 0) problems.push(required(field, 'must specify a handler type'));
}

function validateAction(
  problems: Problems,
  field: string,
  handler: AnyHandler,
  name: (typeof handlers)[number],
  graceSeconds: number,
): void {
  switch (name) {
    case 'exec':
      if ((handler.exec?.command?.length ?? 0) === 0) problems.push(required(`${field}.command`));
      break;
    case 'httpGet':
      if (handler.httpGet !== undefined) validateHttpGet(problems, field, handler.httpGet);
      break;
    case 'tcpSocket':
      validatePortOrName(problems, `${field}.port`, handler.tcpSocket?.port);
      break;
    case 'grpc':
      validatePort(problems, `${field}.port`, handler.grpc?.port ?? 0);
      break;
    case 'sleep': {
      const seconds = handler.sleep?.seconds ?? 0;
      if (seconds < 0 || seconds > graceSeconds)
        problems.push(
          wrong(
            field,
            seconds,
            `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
          ),
        );
    }
  }
}

function validateHttpGet(problems: Problems, field: string, action: HTTPGetAction): void {
  if ((action.path ?? '') === '') problems.push(required(`${field}.path`));
  validatePortOrName(problems, `${field}.port`, action.port);
  oneOf(problems, `${field}.scheme`, action.scheme, ['HTTP', 'HTTPS'], true);
  for (const { name } of action.httpHeaders ?? [])
    if (!headerPattern.test(name))
      problems.push(
        wrong(
          `${field}.httpHeaders`,
          name,
          "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
        ),
      );
}
