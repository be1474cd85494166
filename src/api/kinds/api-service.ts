/**
 * API services: who serves a group and version of the API, this server itself or a service of the cluster.
 * Source: Kubernetes 1.36, kube-aggregator, as behaviour.
 */
import { formatTime } from '../../lib/index.ts';
import type { APIService, APIServiceSpec } from '../types/apiregistration.v1.ts';
import { betweenWhy } from '../validation/addresses.ts';
import { dns1035Name, pathSegmentName, subdomainName } from '../validation/names.ts';
import { notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const portMax = 65535;
const httpsPort = 443;
const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;
const statuses = ['True', 'False', 'Unknown'];

function availableCell({ status }: APIService): string {
  const found = status?.conditions?.find(({ type }) => type === 'Available');
  if (found === undefined) return 'Unknown';
  const { status: is, reason = '' } = found;
  return is === 'True' || reason === '' ? is : `${is} (${reason})`;
}

export const apiService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  resource: 'apiservices',
  message: 'apiregistration.v1.APIService',
  description: 'APIService says who serves one version of a group of the API.',
  categories: ['api-extensions'],
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<APIService>('Service', 'Who serves it.', ({ spec }) =>
      spec?.service === undefined ? 'Local' : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`,
    ),
    column<APIService>('Available', 'Whether it answers.', availableCell),
    ageColumn,
  ],
  validateName: pathSegmentName,
  applyDefaults({ spec }) {
    if (spec?.service !== undefined) spec.service.port ??= httpsPort;
  },
  prepareCreate(object, { nowMs }) {
    object.status = {};
    // What this server serves itself is there at once.
    if (object.spec?.service === undefined)
      object.status.conditions = [
        {
          type: 'Available',
          status: 'True',
          lastTransitionTime: formatTime(nowMs),
          reason: 'Local',
          message: 'Local APIServices are always available',
        },
      ];
  },
  validate({ metadata, spec }) {
    const problems: Problems = [];
    const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {};
    const name = metadata.name ?? '';
    if (pathSegmentName(name).length === 0 && name !== `${version}.${group}`)
      problems.push(
        wrong(
          'metadata.name',
          name,
          `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(`${version}.${group}`)}`,
        ),
      );
    if (group === '' && version !== 'v1')
      problems.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
    if (group !== '') for (const why of subdomainName(group)) problems.push(wrong('spec.group', group, why));
    for (const why of dns1035Name(version)) problems.push(wrong('spec.version', version, why));
    validatePriority(problems, 'spec.groupPriorityMinimum', groupPriorityMinimum, groupPriorityMax);
    validatePriority(problems, 'spec.versionPriority', versionPriority, versionPriorityMax);
    if (spec !== undefined) validateBackend(problems, spec);
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    status?.conditions?.forEach((condition, index) => {
      if (!statuses.includes(condition.status))
        problems.push(notSupported(`status.conditions[${index}].status`, condition.status, statuses));
    });
    return problems;
  },
});

function validatePriority(problems: Problems, field: string, priority: number, maximum: number): void {
  if (priority <= 0 || priority > maximum)
    problems.push(wrong(field, priority, `must be positive and less than ${maximum}`));
}

function validateBackend(
  problems: Problems,
  { service, caBundle = '', insecureSkipTLSVerify = false }: APIServiceSpec,
): void {
  const skip = 'spec.insecureSkipTLSVerify';
  if (service === undefined) {
    const bytes = Buffer.byteLength(caBundle, 'base64');
    if (bytes > 0)
      problems.push(wrong('spec.caBundle', `${bytes} bytes`, 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify)
      problems.push(wrong(skip, true, 'local APIServices may not have insecureSkipTLSVerify'));
    return;
  }
  const { namespace = '', name = '', port = httpsPort } = service;
  if (namespace === '') problems.push(required('spec.service.namespace'));
  if (name === '') problems.push(required('spec.service.name'));
  if (port < 1 || port > portMax)
    problems.push(wrong('spec.service.port', port, `port is not valid: ${betweenWhy(1, portMax)}`));
  if (insecureSkipTLSVerify && caBundle !== '')
    problems.push(wrong(skip, true, 'may not be true if caBundle is present'));
}
