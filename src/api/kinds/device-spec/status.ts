/**
 * What may be said of a claim: which devices it got, who has it, and how they are.
 * Source: Kubernetes 1.36, pkg/apis/resource/validation, as behaviour.
 */
import { sameJson } from '../../../lib/index.ts';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  ResourceClaim,
} from '../../types/resource.v1.ts';
import { addressRange, rangeWhy } from '../../validation/addresses.ts';
import { validateConditions } from '../../validation/conditions.ts';
import { validateDriverName } from '../../validation/domains.ts';
import {
  forbiddenField,
  immutableWhy,
  notSupported,
  type Problems,
  required,
  tooLong,
  tooMany,
  wrong,
} from '../../validation/problems.ts';
import { validateNodeSelector } from '../pod-spec/placement.ts';
import { claimListMax, requestNames, validateName, validateNames, validateTolerations } from './claim.ts';
import { validateBinding } from './device.ts';
import {
  validateConfiguration,
  validateLabelName,
  validatePoolName,
  validateRaw,
  validateSet,
} from './names.ts';

const reservedMax = 256;
const conditionsMax = 8;
const addressesMax = 16;
const interfaceBytesMax = 256;
const hardwareBytesMax = 128;
const sources = ['FromClaim', 'FromClass'];
const uid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** One device, or one share of it. */
const deviceId = (one: DeviceRequestAllocationResult | AllocatedDeviceStatus): string =>
  [one.driver, one.pool, one.device, ...(one.shareID === undefined ? [] : [one.shareID])].join('/');

export function validateClaimStatus(problems: Problems, claim: ResourceClaim, old: ResourceClaim): void {
  const { allocation, reservedFor = [], devices } = claim.status ?? {};
  const field = 'status.reservedFor';
  validateSet(
    problems,
    field,
    reservedFor,
    reservedMax,
    (one) => one.uid,
    (at, one) => {
      for (const name of ['resource', 'name', 'uid'] as const)
        if ((one[name] ?? '') === '') problems.push(required(`${at}.${name}`));
    },
  );
  const allocated = new Set(allocation?.devices?.results?.map(deviceId) ?? []);
  validateSet(problems, 'status.devices', devices, Number.POSITIVE_INFINITY, deviceId, (at, device) => {
    validateDeviceStatus(problems, at, device, allocated);
  });
  if (reservedFor.length > 0 && allocation === undefined)
    problems.push(forbiddenField(field, 'may not be specified when `allocated` is not set'));
  else if (claim.metadata.deletionTimestamp !== undefined) {
    const before = old.status?.reservedFor ?? [];
    if (reservedFor.some((one) => !before.some((other) => sameJson(one, other))))
      problems.push(
        forbiddenField(
          field,
          'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
        ),
      );
  }
  const had = old.status?.allocation;
  if (allocation === undefined) return;
  if (had === undefined) validateAllocation(problems, allocation, requestNames(claim.spec?.devices));
  else if (!sameJson(allocation, had)) problems.push(wrong('status.allocation', allocation, immutableWhy));
}

function validateAllocation(
  problems: Problems,
  { devices, nodeSelector }: AllocationResult,
  names: ReadonlySet<string>,
): void {
  const field = 'status.allocation';
  validateSet(
    problems,
    `${field}.devices.results`,
    devices?.results,
    claimListMax,
    undefined,
    (at, result) => {
      validateResult(problems, at, result, names);
    },
  );
  validateSet(
    problems,
    `${field}.devices.config`,
    devices?.config,
    2 * claimListMax,
    undefined,
    (at, one) => {
      const source = one.source ?? '';
      if (source === '') problems.push(required(`${at}.source`));
      else if (!sources.includes(source)) problems.push(notSupported(`${at}.source`, source, sources));
      validateNames(problems, `${at}.requests`, one.requests, names);
      validateConfiguration(problems, at, one.opaque);
    },
  );
  if (nodeSelector !== undefined) validateNodeSelector(problems, `${field}.nodeSelector`, nodeSelector);
}

function validateResult(
  problems: Problems,
  field: string,
  result: DeviceRequestAllocationResult,
  names: ReadonlySet<string>,
): void {
  validateName(problems, `${field}.request`, result.request ?? '', names);
  validateDevice(problems, field, result);
  validateBinding(problems, field, result);
  validateTolerations(problems, `${field}.tolerations`, result.tolerations);
}

function validateDevice(
  problems: Problems,
  field: string,
  one: DeviceRequestAllocationResult | AllocatedDeviceStatus,
): void {
  validateDriverName(problems, `${field}.driver`, one.driver ?? '');
  validatePoolName(problems, `${field}.pool`, one.pool ?? '');
  validateLabelName(problems, `${field}.device`, one.device ?? '');
  if (one.shareID !== undefined && !uid.test(one.shareID))
    problems.push(
      wrong(
        `${field}.shareID`,
        one.shareID,
        'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
      ),
    );
}

function validateDeviceStatus(
  problems: Problems,
  field: string,
  device: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
): void {
  const { conditions = [], data, networkData } = device;
  validateDevice(problems, field, device);
  if (!allocated.has(deviceId(device)))
    problems.push(wrong(field, deviceId(device), 'must be an allocated device in the claim'));
  if (conditions.length > conditionsMax)
    problems.push(tooMany(`${field}.conditions`, conditions.length, conditionsMax));
  validateConditions(problems, `${field}.conditions`, conditions);
  if (data !== undefined) validateRaw(problems, `${field}.data`, data);
  const { interfaceName = '', hardwareAddress = '', ips } = networkData ?? {};
  const at = `${field}.networkData`;
  if (interfaceName.length > interfaceBytesMax)
    problems.push(tooLong(`${at}.interfaceName`, interfaceBytesMax));
  if (hardwareAddress.length > hardwareBytesMax)
    problems.push(tooLong(`${at}.hardwareAddress`, hardwareBytesMax));
  validateSet(
    problems,
    `${at}.ips`,
    ips,
    addressesMax,
    (ip) => ip,
    (each, ip) => {
      if (addressRange(ip) === undefined) problems.push(wrong(each, ip, rangeWhy));
    },
  );
}
