/**
 * Takes volumes off nodes that can no longer let go of them: nodes that are gone or out of service, once nobody there uses any. Keys are nodes.
 * Whoever attaches volumes (a CSI driver's attacher) sees the VolumeAttachment go and detaches.
 */
import type { Node, Pod, VolumeAttachment } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import { isOutOfService } from '../node-state.ts';
import { isFinished } from '../pod-state.ts';
import { nodesRef, podsRef, volumeAttachmentsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { deletion, type Step } from '../step.ts';

interface Observed {
  readonly attachments: readonly VolumeAttachment[];
  readonly pods: readonly Pod[];
}

export function plan({ attachments, pods }: Observed): readonly Step[] {
  const left = attachments.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (left.length === 0 || pods.some((pod) => !isFinished(pod))) return [];
  return [{ kind: 'together', writes: left.map((attachment) => deletion(volumeAttachmentsRef, attachment)) }];
}

export function volumeAttachmentController(informers: Informers): Controller<Observed> {
  const nodes = informers.informer<Node>(nodesRef);
  const podsOn = informers
    .informer<Pod>(podsRef)
    .index('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const attachmentsOf = informers
    .informer<VolumeAttachment>(volumeAttachmentsRef)
    .index('node', ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  const isLeft = (name: string): boolean => {
    const node = nodes.get(name);
    return attachmentsOf(name).length > 0 && (node === undefined || isOutOfService(node));
  };
  return {
    name: 'attachdetach-controller',
    workers: 2,
    watches: [
      watch<Node>(informers, nodesRef, ({ key }) => (isLeft(key) ? [key] : [])),
      watch<VolumeAttachment>(informers, volumeAttachmentsRef, ({ object }) => [object.spec?.nodeName ?? '']),
      watch<Pod>(informers, podsRef, ({ kind, object }) => {
        const { nodeName = '' } = object.spec ?? {};
        return nodeName !== '' && (kind === 'deleted' || isFinished(object)) && isLeft(nodeName)
          ? [nodeName]
          : [];
      }),
    ],
    observe: (name) => (isLeft(name) ? { attachments: attachmentsOf(name), pods: podsOn(name) } : undefined),
    plan,
  };
}
