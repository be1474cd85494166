/**
 * A definition as kinds, one a version that is served.
 *
 *   stored form ─▶ pruned and filled in by the schema of its own version ─▶ converted ─▶ pruned by that of the version asked for
 *
 * Objects are stored in one version. A conversion that only changes `apiVersion` is made here; others are a webhook's.
 */
import {
  apiVersionOf,
  type CustomKind,
  type CustomResourceDefinition,
  type CustomResourceDefinitionNames,
  type Draft,
  defineKind,
  type Field,
  type Kind,
  type KubeObject,
  type Message,
  messageOf,
  scaleSubresource,
  statusSubresource,
} from '../../api/index.ts';
import { assert, sameJson } from '../../lib/index.ts';
import { columnsOf } from './columns.ts';
import { CustomVersion, type RuleCheck, stepsOf, valueAt } from './custom-version.ts';
import { schemaDocument } from './documents.ts';
import { ownershipOf } from './ownership.ts';
import { compareVersions } from './version-order.ts';

/** Asks the definition's webhook. Throws `internal`. */
export type Convert = (
  definition: CustomResourceDefinition,
  objects: readonly KubeObject[],
  apiVersion: string,
) => Promise<readonly KubeObject[]>;

export interface KindParts {
  readonly convert: Convert;
  readonly compileRules: (version: CustomVersion) => RuleCheck | undefined;
  /** Whether the definition is being deleted. */
  readonly isEnding: () => boolean;
}

/** The kinds of an established definition, by the names that were accepted. */
export function kindsOf(definition: CustomResourceDefinition, parts: KindParts): readonly Kind[] {
  const { spec, status } = definition;
  const accepted = status?.acceptedNames;
  const names = accepted === undefined || accepted.plural === '' ? spec.names : accepted;
  const versions = spec.versions.map((version) => new CustomVersion(version, parts.compileRules));
  const served = versions
    .filter((version) => version.definition.served)
    .sort((a, b) => compareVersions(a.name, b.name));
  return served.map((version, index) =>
    kindOf({
      definition,
      names,
      version,
      versions,
      isAnother: index > 0,
      parts,
      newer: served.slice(0, index),
    }),
  );
}

/** The version that is stored, served or not: whatever is to be done to all objects. */
export function storageKindOf(definition: CustomResourceDefinition, parts: KindParts): Kind {
  const versions = definition.spec.versions.map((version) => new CustomVersion(version, parts.compileRules));
  const version = versions.find((one) => one.definition.storage);
  assert(version !== undefined, 'one version is stored');
  const names = definition.status?.acceptedNames ?? definition.spec.names;
  return kindOf({ definition, names, version, versions, isAnother: false, parts, newer: [] });
}

interface Making {
  readonly definition: CustomResourceDefinition;
  readonly names: CustomResourceDefinitionNames;
  readonly version: CustomVersion;
  readonly versions: readonly CustomVersion[];
  readonly isAnother: boolean;
  readonly parts: KindParts;
  /** Versions that clients should rather use. */
  readonly newer: readonly CustomVersion[];
}

function kindOf(making: Making): Kind {
  const { definition, names, version } = making;
  const { group, scope } = definition.spec;
  const { subresources, additionalPrinterColumns, selectableFields, schema } = version.definition;
  const custom = customPart(making);
  const isScaled = subresources?.scale !== undefined;
  const fields = selectableFields ?? [];
  return defineKind<KubeObject>({
    group,
    version: version.name,
    kind: names.kind,
    resource: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    message: custom.message.name,
    description: schema?.openAPIV3Schema?.description ?? '',
    subresources: [
      ...(version.hasStatus ? [statusSubresource] : []),
      ...(isScaled ? [scaleSubresource] : []),
    ],
    columns: columnsOf(additionalPrinterColumns),
    hasStatus: version.hasStatus,
    hasGeneration: true,
    ...(subresources?.scale === undefined
      ? {}
      : {
          scale: {
            specReplicas: stepsOf(subresources.scale.specReplicasPath),
            statusReplicas: stepsOf(subresources.scale.statusReplicasPath),
            selector: stepsOf(subresources.scale.labelSelectorPath ?? ''),
          },
        }),
    selectableFields: Object.fromEntries(
      fields.map(({ jsonPath }) => {
        const steps = stepsOf(jsonPath);
        return [steps.join('.'), (object: KubeObject) => textAt(object, steps)];
      }),
    ),
    applyDefaults: (object) => replaceWith(object, version.defaulted(object)),
    prepareCreate(object) {
      if (version.hasStatus) delete (object as { status?: unknown }).status;
    },
    validateCreate: (object) => version.problemsOf(object, undefined),
    validateUpdate: (object, old) => version.problemsOf(object, old),
    validateStatusUpdate: (object, old) => version.problemsOf(object, old),
    raisesGeneration: (object, old) => !sameJson(wishOf(object, version), wishOf(old, version)),
    ...deprecationOf(making),
    custom,
  });
}

function textAt(object: KubeObject, steps: readonly string[]): string {
  const value = valueAt(object, steps);
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

/** All that raises the generation. */
function wishOf(object: KubeObject, { hasStatus }: CustomVersion): object {
  const { metadata: _, apiVersion: _version, ...wish } = object;
  if (hasStatus) delete (wish as { status?: unknown }).status;
  return wish;
}

function replaceWith(target: object, wanted: object): void {
  if (target === wanted) return;
  const [into, from] = [target, wanted] as [Record<string, unknown>, Record<string, unknown>];
  for (const field of Object.keys(into)) if (!Object.hasOwn(from, field)) delete into[field];
  for (const field of Object.keys(from)) if (into[field] !== from[field]) into[field] = from[field];
}

function deprecationOf({ definition, names, version, newer }: Making): { readonly deprecation?: string } {
  const { deprecated, deprecationWarning } = version.definition;
  if (deprecated !== true) return {};
  const { group } = definition.spec;
  const better = newer.find((one) => one.definition.deprecated !== true);
  const named = (of: CustomVersion): string => `${apiVersionOf(group, of.name)} ${names.kind}`;
  const standard = `${named(version)} is deprecated${better === undefined ? '' : `; use ${named(better)}`}`;
  return { deprecation: deprecationWarning ?? standard };
}

function customPart(making: Making): CustomKind {
  const { definition, names, version, versions, isAnother, parts } = making;
  const { group, conversion } = definition.spec;
  const apiVersion = apiVersionOf(group, version.name);
  const storage = versions.find((one) => one.definition.storage);
  const storedVersion = apiVersionOf(group, storage?.name ?? version.name);
  const byApiVersion = new Map(versions.map((one) => [apiVersionOf(group, one.name), one]));
  const hasWebhook = conversion?.strategy === 'Webhook';
  /** As its own version has it. */
  const whole = (stored: KubeObject): KubeObject => {
    const own = byApiVersion.get(stored.apiVersion ?? '');
    return own === undefined ? stored : own.defaulted(own.pruned(stored));
  };
  const common = {
    message: messageFor(`${group}.${version.name}.${names.kind}`, version),
    isAnother,
    storedVersion,
    isEnding: parts.isEnding,
    fromStored(stored: KubeObject): KubeObject | undefined {
      if (stored.apiVersion === apiVersion) return whole(stored);
      return hasWebhook ? undefined : version.pruned({ ...whole(stored), apiVersion });
    },
    toStored(object: Draft<KubeObject>): Draft<KubeObject> | undefined {
      if (storedVersion === apiVersion) return object;
      if (hasWebhook) return undefined;
      const renamed = { ...object, apiVersion: storedVersion };
      return storage === undefined ? renamed : storage.pruned(renamed);
    },
    openApi: schemaDocument(
      { group, version: version.name, kind: names.kind, listKind: names.listKind ?? `${names.kind}List` },
      version.definition,
    ),
  };
  if (!hasWebhook) return common;
  return {
    ...common,
    async convert(objects, direction) {
      const isReading = direction === 'fromStored';
      const target = isReading ? version : storage;
      const wholes = isReading ? objects.map(whole) : objects;
      const converted = await parts.convert(definition, wholes, isReading ? apiVersion : storedVersion);
      return target === undefined ? converted : converted.map((object) => target.pruned(object));
    },
  };
}

/** Metadata is as everywhere, the rest is the schema's. */
function messageFor(name: string, version: CustomVersion): Message {
  const { fields } = messageOf('core.v1.ConfigMap');
  const head = new Map<string, Field>();
  for (const field of ['apiVersion', 'kind', 'metadata']) {
    const known = fields.get(field);
    if (known !== undefined) head.set(field, known);
  }
  let ownership: ReturnType<typeof ownershipOf> | undefined;
  return {
    name,
    fields: head,
    isKind: true,
    isUnion: false,
    isAtomic: false,
    foreign: {
      prune(document) {
        const unknown: string[] = [];
        replaceWith(document, version.pruned(document, unknown));
        return unknown;
      },
      get ownership() {
        ownership ??= ownershipOf(version.place);
        return ownership;
      },
    },
  };
}
