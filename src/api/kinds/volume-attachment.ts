/**
 * Volume attachments: the wish that a volume be attached to a node, and whether it is.
 * Source: Kubernetes 1.36, pkg/apis/storage, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { FieldProblem } from '../kind.ts';
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from '../types/storage.v1.ts';
import { betweenWhy } from '../validation/addresses.ts';
import { validateDriverName } from '../validation/domains.ts';
import { subdomainName } from '../validation/names.ts';
import { parameterBytesMax, validateEntriesBytes } from '../validation/parameters.ts';
import {
  forbiddenField,
  immutableWhy,
  type Problems,
  required,
  tooLong,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const messageBytesMax = 1024;
const int32Max = 2 ** 31 - 1;
const eitherWhy = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  resource: 'volumeattachments',
  message: 'storage.v1.VolumeAttachment',
  description: 'VolumeAttachment asks for a volume to be attached to a node, and says whether it is.',
  returnsDeleted: true,
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<VolumeAttachment>('Attacher', 'Who attaches it.', ({ spec }) => spec?.attacher ?? ''),
    column<VolumeAttachment>('PV', 'The volume.', ({ spec }) => spec?.source?.persistentVolumeName ?? ''),
    column<VolumeAttachment>('Node', 'Where it is wanted.', ({ spec }) => spec?.nodeName ?? ''),
    column<VolumeAttachment>(
      'Attached',
      'Whether it is there.',
      ({ status }) => status?.attached ?? false,
      'boolean',
    ),
    ageColumn,
  ],
  prepareCreate(object) {
    object.status = { attached: false };
  },
  validate({ spec, status }) {
    const problems: Problems = [];
    const { attacher = '', source = {}, nodeName = '' } = spec ?? {};
    validateDriverName(problems, 'spec.attacher', attacher);
    validateSource(problems, 'spec.source', source);
    for (const why of subdomainName(nodeName)) problems.push(wrong('spec.nodeName', nodeName, why));
    return [...problems, ...statusProblems(status)];
  },
  validateUpdate: validateSame,
  validateStatusUpdate: ({ status }) => statusProblems(status),
});

function validateSame({ spec }: VolumeAttachment, old: VolumeAttachment): readonly FieldProblem[] {
  return sameJson(spec, old.spec) ? [] : [wrong('spec', spec, immutableWhy)];
}

function validateSource(
  problems: Problems,
  field: string,
  { persistentVolumeName: name, inlineVolumeSpec }: VolumeAttachmentSource,
): void {
  if (name === undefined && inlineVolumeSpec === undefined) problems.push(required(field, eitherWhy));
  else if (name !== undefined && inlineVolumeSpec !== undefined)
    problems.push(forbiddenField(field, eitherWhy));
  else if (name === '')
    problems.push(required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
  if (name !== undefined && name !== '')
    for (const why of subdomainName(name)) problems.push(wrong(`${field}.persistentVolumeName`, name, why));
}

function statusProblems(status: VolumeAttachment['status']): readonly FieldProblem[] {
  const problems: Problems = [];
  validateEntriesBytes(problems, 'status.attachmentMetadata', status?.attachmentMetadata ?? {});
  validateError(problems, 'status.attachError', status?.attachError);
  validateError(problems, 'status.detachError', status?.detachError);
  return problems;
}

function validateError(problems: Problems, field: string, error: VolumeError | undefined): void {
  const { message = '', errorCode = 0 } = error ?? {};
  // Kubernetes names the limit of another field here.
  if (Buffer.byteLength(message) > messageBytesMax)
    problems.push(tooLong(`${field}.message`, parameterBytesMax));
  if (errorCode < 0) problems.push(wrong(`${field}.errorCode`, errorCode, betweenWhy(0, int32Max)));
}
