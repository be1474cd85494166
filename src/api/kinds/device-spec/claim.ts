/**
 * What a claim of devices may ask for. Selectors are looked at for their form only: they are compiled where they are run.
 * Source: Kubernetes 1.36, pkg/apis/resource/validation, as behaviour.
 */
import type { Draft } from '../../object.ts';
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceToleration,
  ExactDeviceRequest,
} from '../../types/resource.v1.ts';
import { validateLabelKey } from '../../validation/label-selectors.ts';
import { labelValue, subdomainName } from '../../validation/names.ts';
import { notSupported, type Problems, required, tooLong, wrong } from '../../validation/problems.ts';
import { validateConfiguration, validateFullAttributeName, validateLabelName, validateSet } from './names.ts';
import { validateSelectorExpression } from './selector.ts';

export const claimListMax = 32;
const alternativesMax = 8;
const expressionBytesMax = 10 * 1024;
const modes = ['All', 'ExactCount'];
const operators = ['Equal', 'Exists'];
export const taintEffects = ['NoExecute', 'NoSchedule', 'None'];
const nameWhy =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
const oneKind = 'exactly one of `exactly` or `firstAvailable` is required';

export function applyClaimDefaults(claim: Draft<DeviceClaim> | undefined): void {
  for (const { exactly, firstAvailable } of claim?.requests ?? [])
    for (const one of [...(exactly === undefined ? [] : [exactly]), ...(firstAvailable ?? [])]) {
      one.allocationMode ||= 'ExactCount';
      if (one.allocationMode === 'ExactCount') one.count ||= 1;
    }
}

/** Every name by which results and constraints may speak of a request. */
export function requestNames(claim: DeviceClaim | undefined): ReadonlySet<string> {
  return new Set(
    (claim?.requests ?? []).flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((one) => `${name}/${one.name}`),
    ]),
  );
}

export function validateClaim(problems: Problems, field: string, claim: DeviceClaim | undefined): void {
  if (claim === undefined) return;
  const names = requestNames(claim);
  const { requests, constraints, config } = claim;
  validateSet(
    problems,
    `${field}.requests`,
    requests,
    claimListMax,
    ({ name }) => name,
    (at, request) => {
      validateRequest(problems, at, request);
    },
  );
  validateSet(problems, `${field}.constraints`, constraints, claimListMax, undefined, (at, constraint) => {
    validateConstraint(problems, at, constraint, names);
  });
  validateSet(problems, `${field}.config`, config, claimListMax, undefined, (at, one) => {
    validateNames(problems, `${at}.requests`, one.requests, names);
    validateConfiguration(problems, at, one.opaque);
  });
}

function validateRequest(
  problems: Problems,
  field: string,
  { name = '', exactly, firstAvailable = [] }: DeviceRequest,
): void {
  validateLabelName(problems, `${field}.name`, name);
  if (exactly !== undefined && firstAvailable.length > 0)
    problems.push(wrong(field, undefined, `${oneKind}, but multiple fields are set`));
  else if (exactly !== undefined) validateExact(problems, `${field}.exactly`, exactly);
  else if (firstAvailable.length === 0) problems.push(required(field, oneKind));
  else
    validateSet(
      problems,
      `${field}.firstAvailable`,
      firstAvailable,
      alternativesMax,
      (one) => one.name,
      (at, one) => {
        validateLabelName(problems, `${at}.name`, one.name ?? '');
        validateExact(problems, at, one);
      },
    );
}

function validateExact(problems: Problems, field: string, request: ExactDeviceRequest): void {
  const { deviceClassName: name = '', selectors, allocationMode: mode = '', count = 0 } = request;
  if (name === '') problems.push(required(`${field}.deviceClassName`));
  else for (const why of subdomainName(name)) problems.push(wrong(`${field}.deviceClassName`, name, why));
  validateSelectors(problems, `${field}.selectors`, selectors);
  if (!modes.includes(mode)) problems.push(notSupported(`${field}.allocationMode`, mode, modes));
  else if (mode === 'All') {
    if (count !== 0)
      problems.push(wrong(`${field}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (count <= 0) problems.push(wrong(`${field}.count`, count, 'must be greater than zero'));
  validateTolerations(problems, `${field}.tolerations`, request.tolerations);
}

export function validateSelectors(
  problems: Problems,
  field: string,
  selectors: readonly DeviceSelector[] | undefined,
): void {
  validateSet(problems, field, selectors, claimListMax, undefined, (at, { cel }) => {
    if (cel === undefined) problems.push(required(`${at}.cel`));
    else if (Buffer.byteLength(cel.expression ?? '') > expressionBytesMax)
      problems.push(tooLong(`${at}.cel.expression`, expressionBytesMax));
    else validateSelectorExpression(problems, `${at}.cel.expression`, cel.expression ?? '');
  });
}

export function validateTolerations(
  problems: Problems,
  field: string,
  tolerations: readonly DeviceToleration[] | undefined,
): void {
  tolerations?.forEach(({ key = '', operator = '', value = '', effect = '' }, index) => {
    const at = `${field}[${index}]`;
    if (key !== '') validateLabelKey(problems, `${at}.key`, key);
    if (operator === 'Exists') {
      if (value !== '') problems.push(wrong(`${at}.value`, value, 'must be empty for operator `Exists`'));
    } else if (operator === 'Equal')
      for (const why of labelValue(value)) problems.push(wrong(`${at}.value`, value, why));
    else if (operator === '') problems.push(required(`${at}.operator`));
    else problems.push(notSupported(`${at}.operator`, operator, operators));
    if (effect !== '' && !taintEffects.includes(effect))
      problems.push(notSupported(`${at}.effect`, effect, taintEffects));
  });
}

function validateConstraint(
  problems: Problems,
  field: string,
  { requests, matchAttribute, distinctAttribute }: DeviceConstraint,
  names: ReadonlySet<string>,
): void {
  validateNames(problems, `${field}.requests`, requests, names);
  if (matchAttribute !== undefined)
    validateFullAttributeName(problems, `${field}.matchAttribute`, matchAttribute);
  else if (distinctAttribute !== undefined)
    validateFullAttributeName(problems, `${field}.distinctAttribute`, distinctAttribute);
  else
    problems.push(
      required(
        field,
        'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      ),
    );
}

export function validateNames(
  problems: Problems,
  field: string,
  requests: readonly string[] | undefined,
  names: ReadonlySet<string>,
): void {
  validateSet(
    problems,
    field,
    requests,
    claimListMax,
    (name) => name,
    (at, name) => {
      validateName(problems, at, name, names);
    },
  );
}

/** Of a request, or of one of its alternatives. */
export function validateName(
  problems: Problems,
  field: string,
  name: string,
  names: ReadonlySet<string>,
): void {
  const parts = name.split('/');
  if (parts.length <= 2) for (const part of parts) validateLabelName(problems, field, part);
  if (!names.has(name)) problems.push(wrong(field, name, nameWhy));
}
