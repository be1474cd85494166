/** Steps that are off unless they are asked for, as in Kubernetes: AlwaysPullImages, DenyServiceExternalIPs. Pure. */
import type { Container, Draft, Pod, Service } from '../../api/index.ts';
import type { AdmissionStep } from './chain.ts';
import { refused } from './refusal.ts';

/** Who may start a pod may use an image only with the right to pull it, also where its node has it already. */
export const alwaysPullImages: AdmissionStep = {
  name: 'AlwaysPullImages',
  concerns: ({ groupResource }, subresource, operation) =>
    groupResource === 'pods' &&
    (operation === 'CREATE' || operation === 'UPDATE') &&
    (subresource === '' || subresource === 'ephemeralcontainers'),
  handles: () => true,
  mutate(admission) {
    const pod = structuredClone(admission.object) as unknown as Draft<Pod>;
    const containers = [
      ...(pod.spec?.initContainers ?? []),
      ...(pod.spec?.containers ?? []),
      ...((pod.spec?.ephemeralContainers ?? []) as Draft<Container>[]),
    ];
    const others = containers.filter((one) => one.imagePullPolicy !== 'Always');
    if (others.length === 0) return;
    for (const one of others) one.imagePullPolicy = 'Always';
    admission.object = pod as unknown as NonNullable<typeof admission.object>;
  },
};

/** Addresses from outside lead traffic to whoever names them: nobody new may. */
export const denyServiceExternalIps: AdmissionStep = {
  name: 'DenyServiceExternalIPs',
  concerns: ({ groupResource }, subresource, operation) =>
    groupResource === 'services' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  handles: ({ object }) => ((object as unknown as Service).spec?.externalIPs?.length ?? 0) > 0,
  validate(admission) {
    const before = (admission.oldObject as Service | undefined)?.spec?.externalIPs ?? [];
    const asked = (admission.object as unknown as Service).spec?.externalIPs ?? [];
    if (asked.some((one) => !before.includes(one)))
      throw refused(
        admission,
        'Use of external IPs is denied by admission control. Removing existing external IPs from a service is always allowed',
      );
  },
};
