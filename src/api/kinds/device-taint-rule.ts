/**
 * Rules that taint devices as if their drivers had done so: all devices that the selector matches.
 * Source: Kubernetes 1.36, pkg/apis/resource, as behaviour.
 */
import { formatTime } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type { DeviceTaintRule } from '../types/resource.v1beta2.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateDriverName } from '../validation/domains.ts';
import { type Problems, tooMany } from '../validation/problems.ts';
import { defineKind, statusSubresource } from './define.ts';
import { validateTaint } from './device-spec/device.ts';
import { validateLabelName, validatePoolName } from './device-spec/names.ts';

const conditionsMax = 8;

export const deviceTaintRule = defineKind<DeviceTaintRule>({
  group: 'resource.k8s.io',
  version: 'v1beta2',
  kind: 'DeviceTaintRule',
  resource: 'devicetaintrules',
  message: 'resource.v1beta2.DeviceTaintRule',
  description: 'DeviceTaintRule adds a taint to all devices that match its selector.',
  returnsDeleted: true,
  namespaced: false,
  hasGeneration: true,
  hasStatus: true,
  subresources: [statusSubresource],
  prepareCreate(object, { nowMs }) {
    object.status = {};
    stamp(object, nowMs);
  },
  prepareUpdate(object, old, { nowMs }) {
    const { taint } = object.spec;
    // Since then it has another effect.
    if (taint.effect !== old.spec.taint.effect && taint.timeAdded === old.spec.taint.timeAdded)
      delete taint.timeAdded;
    stamp(object, nowMs);
  },
  validate({ spec }) {
    const problems: Problems = [];
    const { driver, pool, device } = spec?.deviceSelector ?? {};
    const at = 'spec.deviceSelector';
    if (driver !== undefined) validateDriverName(problems, `${at}.driver`, driver);
    if (pool !== undefined) validatePoolName(problems, `${at}.pool`, pool);
    if (device !== undefined) validateLabelName(problems, `${at}.device`, device);
    validateTaint(problems, 'spec.taint', spec?.taint ?? { key: '', effect: '' });
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    const conditions = status?.conditions ?? [];
    if (conditions.length > conditionsMax)
      problems.push(tooMany('status.conditions', conditions.length, conditionsMax));
    validateConditions(problems, 'status.conditions', conditions);
    return problems;
  },
});

function stamp({ spec }: Draft<DeviceTaintRule>, nowMs: number): void {
  if (spec?.taint !== undefined) spec.taint.timeAdded ??= formatTime(nowMs);
}
