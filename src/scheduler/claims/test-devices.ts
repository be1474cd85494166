/** Slices, classes and claims for tests of the allocator; all on one node. */
import assert from 'node:assert/strict';
import type { Device, DeviceClass, DynamicResourceClaim, ResourceSlice } from '../../api/index.ts';
import { type Answer, allocate } from './allocator.ts';
import { type ClaimForm, formOf, Selections } from './claim-form.ts';
import { type Allocation, DeviceLedger } from './device-ledger.ts';
import { type ClaimNode, DevicePools } from './device-pools.ts';

export type Draft<T> = { -readonly [key in keyof T]: T[key] };
export type Constraint = NonNullable<
  NonNullable<DynamicResourceClaim['spec']['devices']>['constraints']
>[number];
export type Request = NonNullable<NonNullable<DynamicResourceClaim['spec']['devices']>['requests']>[number];

export const driver = 'gpu.example.com';
export const node: ClaimNode = { name: 'n1', labels: { zone: 'a' }, fields: { 'metadata.name': 'n1' } };

export const slice = (
  name: string,
  devices: readonly Device[],
  more: Partial<ResourceSlice['spec']> = {},
): ResourceSlice => ({
  metadata: { name },
  spec: {
    driver,
    pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
    nodeName: 'n1',
    devices,
    ...more,
  },
});
export const deviceClass = (name: string, expression?: string): DeviceClass => ({
  metadata: { name },
  spec: expression === undefined ? {} : { selectors: [{ cel: { expression } }] },
});
export const claim = (
  requests: readonly Request[],
  constraints: readonly Constraint[] = [],
): DynamicResourceClaim => ({
  metadata: { name: 'c', namespace: 'default', uid: 'u' },
  spec: { devices: { requests, constraints } },
});
export const exactly = (name: string, more: Partial<NonNullable<Request['exactly']>> = {}): Request => ({
  name,
  exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...more },
});
export const classes = new Map(
  [deviceClass('gpu'), deviceClass('big', `device.attributes["${driver}"].size == 2`)].map((one) => [
    one.metadata.name,
    one,
  ]),
);

export function ask(
  slices: readonly ResourceSlice[],
  claims: readonly DynamicResourceClaim[],
  allocated: readonly Allocation[] = [],
): Answer {
  const pools = new DevicePools();
  for (const one of slices) pools.setSlice(one);
  const ledger = new DeviceLedger();
  for (const one of allocated) ledger.add(one, 1);
  return allocate(claims.map(form), pools.of(node), ledger, new Selections());
}

export function form(one: DynamicResourceClaim): ClaimForm {
  const made = formOf(one, (name) => classes.get(name));
  assert.ok(typeof made !== 'string', String(made));
  return made;
}

/** As `request=device`. */
export function told(answer: Answer): string {
  if (answer.kind === 'fault') return answer.message;
  if (answer.kind !== 'picked') return answer.kind;
  return answer.picks
    .flatMap((picks) => picks.map((pick) => `${pick.form.name}=${pick.one.device.name}`))
    .join(' ');
}

export const devices = (
  count: number,
  more: (index: number) => Partial<Device> = () => ({}),
): readonly Device[] => Array.from({ length: count }, (_, index) => ({ name: `d${index}`, ...more(index) }));
export const taken = (...names: readonly string[]): Allocation => ({
  devices: { results: names.map((device) => ({ request: 'r', driver, pool: 'n1', device })) },
});
export const numa = (index: number): Partial<Device> => ({ attributes: { numa: { int: index % 2 } } });
export const shared = (memory: string): Partial<Device> => ({
  allowMultipleAllocations: true,
  capacity: {
    memory: { value: memory, requestPolicy: { default: '1Gi', validRange: { min: '1Gi', step: '1Gi' } } },
  },
});
export const wants = (memory: string) => ({ capacity: { requests: { memory } } });
