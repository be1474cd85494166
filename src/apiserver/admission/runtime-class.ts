/**
 * RuntimeClass: what its class adds to a pod: an overhead, a selection of nodes, tolerations. Pure.
 * Source: Kubernetes 1.36, plugin/pkg/admission/runtimeclass, as behaviour.
 */
import { compareQuantities, type Draft, type Pod, type RuntimeClass } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { refused } from './refusal.ts';

type Amounts = Readonly<Record<string, string>>;

export function runtimeClass(context: AdmissionContext): AdmissionStep {
  return {
    name: 'RuntimeClass',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === 'pods' && subresource === '' && operation === 'CREATE',
    handles: ({ object }) => {
      const { spec } = object as unknown as Pod;
      return spec?.runtimeClassName !== undefined || spec?.overhead !== undefined;
    },
    mutate(admission) {
      const found = classOf(context, admission);
      if (found === undefined) return;
      setOverhead(admission, found);
      setScheduling(admission, found);
    },
    validate(admission) {
      const found = classOf(context, admission);
      const { overhead } = (admission.object as unknown as Pod).spec ?? {};
      if (found?.overhead === undefined) {
        if (overhead !== undefined)
          throw refused(
            admission,
            'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
          );
      } else if (!sameAmounts(overhead, found.overhead.podFixed)) throw overheadDiffers(admission);
    },
  };
}

function classOf(context: AdmissionContext, admission: Admission): RuntimeClass | undefined {
  const name = (admission.object as unknown as Pod).spec?.runtimeClassName;
  if (name === undefined) return undefined;
  const resource = context.resources.find('node.k8s.io', 'v1', 'runtimeclasses');
  const stored = resource === undefined ? undefined : context.store.latest(resource.key('', name));
  if (stored === undefined)
    throw refused(admission, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return stored.object() as RuntimeClass;
}

const overheadDiffers = (admission: Admission) =>
  refused(admission, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");

function sameAmounts(one: Amounts | undefined, other: Amounts | undefined): boolean {
  const names = Object.keys(one ?? {});
  return (
    names.length === Object.keys(other ?? {}).length &&
    names.every((name) => {
      const [a, b] = [one?.[name], other?.[name]];
      return a !== undefined && b !== undefined && compareQuantities(a, b) === 0;
    })
  );
}

function setOverhead(admission: Admission, { overhead }: RuntimeClass): void {
  const { spec } = admission.object as unknown as Draft<Pod>;
  if (overhead === undefined || spec === undefined) return;
  if (spec.overhead !== undefined && !sameAmounts(spec.overhead, overhead.podFixed))
    throw overheadDiffers(admission);
  spec.overhead = { ...overhead.podFixed };
}

function setScheduling(admission: Admission, { scheduling }: RuntimeClass): void {
  const { spec } = admission.object as unknown as Draft<Pod>;
  if (scheduling === undefined || spec === undefined) return;
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const said = spec.nodeSelector?.[key];
    if (said !== undefined && said !== value)
      throw refused(
        admission,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${said}`,
      );
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  for (const toleration of scheduling.tolerations ?? [])
    if (spec.tolerations?.some((one) => sameJson(one, toleration)) !== true)
      spec.tolerations = [...(spec.tolerations ?? []), { ...toleration }];
}
