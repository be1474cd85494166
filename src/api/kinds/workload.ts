/**
 * What workloads share: they keep replicas of a pod template, found by a selector that never changes. Columns, selector rules, amounts.
 * Source: Kubernetes 1.36, pkg/apis/apps/validation and pkg/printers, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { Column } from '../kind.ts';
import { labelPredicate, labelSelectorText } from '../label-selector.ts';
import type { KubeObject } from '../object.ts';
import type { PodTemplateSpec } from '../types/core.v1.ts';
import type { LabelSelector } from '../types/meta.v1.ts';
import { isEmptySelector, validateLabelSelector } from '../validation/label-selectors.ts';
import { immutableWhy, notNegative, type Problems, required, wrong } from '../validation/problems.ts';
import { none, wideColumn } from './cells.ts';
import { validateLastingTemplate } from './pod-spec/validate.ts';

interface WorkloadSpec {
  readonly replicas?: number;
  readonly minReadySeconds?: number;
  readonly selector?: LabelSelector;
  readonly template?: PodTemplateSpec;
}

interface Workload extends KubeObject {
  readonly spec?: WorkloadSpec;
}

/** How the messages of one kind differ from another's. */
export interface Wording {
  /** `empty selector is invalid for …` */
  readonly selectorOf: string;
  /** `activeDeadlineSeconds in … is not Supported` */
  readonly templateOf: string;
  /** Of a selector that makes no sense; undefined: nothing more is said. */
  readonly invalidSelector?: string;
}

const usualWording: Wording = {
  selectorOf: 'deployment',
  templateOf: 'ReplicaSet',
  invalidSelector: 'invalid label selector',
};

/** No selector at all selects nothing: then the template's labels are refused too. A selector that makes no sense ends the matter. */
export function validateSelectorAndTemplate(
  problems: Problems,
  spec: WorkloadSpec,
  wording: Wording = usualWording,
): void {
  const { selector, template } = spec;
  if (selector === undefined) problems.push(required('spec.selector'));
  else {
    const before = problems.length;
    validateLabelSelector(problems, 'spec.selector', selector);
    if (problems.length > before) {
      if (wording.invalidSelector !== undefined)
        problems.push(wrong('spec.selector', selector, wording.invalidSelector));
      return;
    }
    if (isEmptySelector(selector))
      problems.push(wrong('spec.selector', selector, `empty selector is invalid for ${wording.selectorOf}`));
  }
  const labels = template?.metadata?.labels;
  if (!labelPredicate(selector)(labels))
    problems.push(
      wrong('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'),
    );
  validateLastingTemplate(problems, 'spec.template', template, wording.templateOf);
}

export function validateSameSelector(problems: Problems, object: Workload, old: Workload): void {
  const selector = object.spec?.selector;
  if (!sameJson(selector, old.spec?.selector))
    problems.push(wrong('spec.selector', selector ?? null, immutableWhy));
}

/** Counts of a status: none negative, and none above those it is part of. */
export function validateCounts<Status extends object>(
  problems: Problems,
  status: Status,
  names: readonly (keyof Status & string)[],
  limits: readonly {
    readonly part: keyof Status & string;
    readonly whole: keyof Status & string;
    readonly why: string;
  }[],
): void {
  const value = (name: keyof Status): number => (status[name] as number | undefined) ?? 0;
  for (const name of names) notNegative(problems, `status.${name}`, value(name));
  for (const { part, whole, why } of limits)
    if (value(part) > value(whole)) problems.push(wrong(`status.${part}`, value(part), why));
}

/** A count that only grows: hashes of templates never fall back upon one that collided. */
export function validateCollisions(
  problems: Problems,
  { collisionCount }: { readonly collisionCount?: number },
  old: { readonly collisionCount?: number } | undefined,
): void {
  if (old?.collisionCount !== undefined && (collisionCount ?? 0) < old.collisionCount)
    problems.push(wrong('status.collisionCount', collisionCount ?? 0, 'cannot be decremented'));
}

/** The names of a template's containers, with commas. */
export const containerNamesCell = (template: PodTemplateSpec | undefined): string =>
  (template?.spec?.containers ?? []).map(({ name }) => name).join(',');

/** Their images. */
export const imagesCell = (template: PodTemplateSpec | undefined): string =>
  (template?.spec?.containers ?? []).map(({ image }) => image ?? '').join(',');

/** A selector as a text; `<none>` for none. */
export const selectorCell = (selector: LabelSelector | undefined): string =>
  selector === undefined ? none : labelSelectorText(selector) || none;

/** CONTAINERS, IMAGES, SELECTOR. */
export const templateColumns: readonly Column[] = [
  wideColumn<Workload>('Containers', 'The names of the containers.', ({ spec }) =>
    containerNamesCell(spec?.template),
  ),
  wideColumn<Workload>('Images', 'The images of the containers.', ({ spec }) => imagesCell(spec?.template)),
  wideColumn<Workload>('Selector', 'Which pods belong to it.', ({ spec }) => selectorCell(spec?.selector)),
];
