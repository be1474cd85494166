/** The controller of claims of devices. Decisions are in `plan.ts`. Keys: `pod/NAMESPACE/NAME`, `claim/NAMESPACE/NAME`. */
import type { DynamicResourceClaim, Pod, ResourceClaimTemplate } from '../../api/index.ts';
import { type Change, type Client, type Informers, keyOf } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { controllerOf } from '../ownership.ts';
import { podsRef, resourceClaimsRef, resourceClaimTemplatesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Observed, plan } from './plan.ts';

type Claim = DynamicResourceClaim;

export function resourceClaimController(informers: Informers, client: Client): Controller<Observed> {
  const pods = informers.informer<Pod>(podsRef);
  const claims = informers.informer<Claim>(resourceClaimsRef);
  const templates = informers.informer<ResourceClaimTemplate>(resourceClaimTemplatesRef);
  const inNamespace = (of: Pod | Claim, name: string): string => `${of.metadata.namespace ?? ''}/${name}`;
  const podsWith = pods.index('claim template', (pod) =>
    (pod.spec?.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName: name }) =>
      name === undefined ? [] : [inNamespace(pod, name)],
    ),
  );
  const ownedBy = claims.index('owner', (claim) => {
    const owner = controllerOf(claim);
    return owner === undefined ? [] : [owner.uid];
  });
  const heldBy = claims.index('holder', (claim) => (claim.status?.reservedFor ?? []).map(({ uid }) => uid));
  const claimKey = (claim: Claim): string => `claim/${keyOf(claim)}`;

  const namedBy = (pod: Pod): readonly Claim[] =>
    (pod.spec?.resourceClaims ?? []).flatMap(({ resourceClaimName: name }) => {
      const claim = name === undefined ? undefined : claims.get(inNamespace(pod, name));
      return claim === undefined ? [] : [claim];
    });
  const onPod = (change: Change<Pod>): readonly string[] => {
    const { object, key } = change;
    // Nearly all pods claim nothing.
    if (object.spec?.resourceClaims === undefined && object.status?.extendedResourceClaimStatus === undefined)
      return [];
    const { uid = '' } = object.metadata;
    const concerned = [...ownedBy(uid), ...heldBy(uid)].map(claimKey);
    return change.kind === 'deleted' ? concerned : [`pod/${key}`, ...concerned];
  };
  const onClaim = ({ kind, object }: Change<Claim>): readonly string[] => {
    const owner = controllerOf(object);
    const ofOwner = owner?.kind === 'Pod' ? [`pod/${inNamespace(object, owner.name)}`] : [];
    return kind === 'deleted' ? ofOwner : [claimKey(object), ...ofOwner];
  };

  /** Of those that hold it and are not known: whether the API says that they are gone. */
  const goneOf = async (claim: Claim): Promise<ReadonlySet<string>> => {
    const gone = new Set<string>();
    for (const { apiGroup = '', resource, name, uid } of claim.status?.reservedFor ?? []) {
      const known = pods.get(inNamespace(claim, name));
      if (apiGroup !== '' || resource !== 'pods' || known?.metadata.uid === uid) continue;
      try {
        const found = await client.get<Pod>(podsRef, claim.metadata.namespace, name);
        if (found.metadata.uid !== uid) gone.add(uid);
      } catch (error) {
        if (!isError(error, 'notFound')) throw error;
        gone.add(uid);
      }
    }
    return gone;
  };
  return {
    name: 'resource_claim',
    workers: 4,
    watches: [
      watch<Pod>(informers, podsRef, onPod),
      watch<Claim>(informers, resourceClaimsRef, onClaim),
      watch<ResourceClaimTemplate>(informers, resourceClaimTemplatesRef, ({ kind, key }) =>
        kind === 'deleted' ? [] : podsWith(key).map((pod) => `pod/${keyOf(pod)}`),
      ),
    ],
    async observe(key) {
      const name = key.slice(key.indexOf('/') + 1);
      if (key.startsWith('pod/')) {
        const pod = pods.get(name);
        if (pod === undefined) return undefined;
        return {
          kind: 'pod',
          pod,
          claims: [...ownedBy(pod.metadata.uid ?? ''), ...namedBy(pod)],
          template: (template) => templates.get(inNamespace(pod, template)),
        };
      }
      const claim = claims.get(name);
      if (claim === undefined) return undefined;
      const gone = await goneOf(claim);
      return { kind: 'claim', claim, gone, pod: (one) => pods.get(inNamespace(claim, one)) };
    },
    plan,
  };
}
