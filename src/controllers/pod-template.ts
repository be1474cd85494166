/** The pod that a controller's template makes. Pure. */
import type { KubeObject, Pod, PodTemplateSpec } from '../api/index.ts';
import { flat } from '../lib/index.ts';
import { controllerReference } from './ownership.ts';
import type { Resource } from './resources.ts';

/** Without a name of its own. */
export function podOf(template: PodTemplateSpec, owner: KubeObject, resource: Resource): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const { name = '', namespace } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: flat(`${name}-`),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(resource, owner)],
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  };
}
