/**
 * Asks a definition's webhook for objects in another version: ConversionReview, v1 or v1beta1.
 *
 *   objects ─▶ those that are in another version ─▶ review ─▶ webhook ─▶ checked: as many, the same ones, in the version asked for ─▶ metadata restored
 *
 * A webhook changes labels and annotations and what is below the metadata; everything else of the metadata stays as it was. What it gets wrong is told to
 * whoever asked, in Kubernetes' words. Source: Kubernetes' documentation of versions of custom resources (webhook conversion).
 */
import {
  type ConversionReview,
  type CustomResourceDefinition,
  type KubeObject,
  type Status,
  structural,
} from '../../api/index.ts';
import { CaelumError, isError, type Random, sameJson } from '../../lib/index.ts';
import type { CallWebhook } from '../webhook.ts';
import type { Convert } from './custom-kind.ts';

const timeoutMs = 30_000;
/** They differ in nothing but their name. */
const reviewVersions: readonly string[] = ['v1', 'v1beta1'];

export function webhookConversion(callWebhook: CallWebhook, random: Random): Convert {
  return async (definition, objects, apiVersion) => {
    const moving = objects.filter((object) => object.apiVersion !== apiVersion);
    if (moving.length === 0) return objects;
    const converted = await ask(callWebhook, random.uuid(), definition, moving, apiVersion);
    let next = 0;
    return objects.map((object) => {
      if (object.apiVersion === apiVersion) return object;
      const index = next++;
      return restored(object, converted[index], apiVersion, index);
    });
  };
}

const nameOf = ({ apiVersion = '', kind = '' }: KubeObject): string => `${apiVersion}, Kind=${kind}`;

function failure(first: KubeObject, why: string, cause?: unknown): CaelumError {
  return new CaelumError(
    'internal',
    `conversion webhook for ${nameOf(first)} failed: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

async function ask(
  callWebhook: CallWebhook,
  uid: string,
  { spec }: CustomResourceDefinition,
  objects: readonly KubeObject[],
  apiVersion: string,
): Promise<readonly unknown[]> {
  const [first] = objects as readonly [KubeObject];
  const { clientConfig, conversionReviewVersions = [] } = spec.conversion?.webhook ?? {};
  const spoken = conversionReviewVersions.find((version) => reviewVersions.includes(version));
  if (clientConfig === undefined || spoken === undefined)
    throw failure(
      first,
      `it understands none of the versions that are spoken here: ${reviewVersions.join(', ')}`,
    );
  const kind = 'ConversionReview';
  const reviewVersion = `apiextensions.k8s.io/${spoken}`;
  const body = { kind, apiVersion: reviewVersion, request: { uid, desiredAPIVersion: apiVersion, objects } };
  let answer: unknown;
  try {
    answer = await callWebhook({ target: clientConfig, body, timeoutMs });
  } catch (error) {
    if (!isError(error)) throw error;
    throw failure(first, error.message, error);
  }
  const said = structural.isObject(answer) ? answer : {};
  if (said['apiVersion'] !== reviewVersion || said['kind'] !== kind || !structural.isObject(said['response']))
    throw failure(
      first,
      `invalid response: expected ${reviewVersion}, Kind=${kind}, got ${String(said['apiVersion'])}, Kind=${String(said['kind'])}`,
    );
  return convertedBy(said as ConversionReview, uid, objects);
}

function convertedBy(
  { response = {} }: ConversionReview,
  uid: string,
  objects: readonly KubeObject[],
): readonly unknown[] {
  const [first] = objects as readonly [KubeObject];
  if (response.uid !== uid)
    throw failure(
      first,
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`,
    );
  const { message = '', status = '' }: Status = response.result ?? {};
  if (status !== 'Success')
    throw failure(first, message === '' ? `response.result.status was '${status}', not 'Success'` : message);
  const list: unknown = response.convertedObjects;
  const count = Array.isArray(list) ? list.length : 0;
  if (count !== objects.length)
    throw new CaelumError(
      'internal',
      `conversion webhook for ${nameOf(first)} returned ${count} objects, expected ${objects.length}`,
    );
  return list as readonly unknown[];
}

/** The converted object with the metadata of the original, but for labels and annotations. */
function restored(original: KubeObject, converted: unknown, apiVersion: string, index: number): KubeObject {
  const wrong = (why: string): CaelumError =>
    new CaelumError(
      'internal',
      `conversion webhook for ${nameOf(original)} returned invalid converted object at index ${index}: ${why}`,
    );
  if (!structural.isObject(converted) || !structural.isObject(converted['metadata']))
    throw wrong('it is no object with metadata');
  const { kind, apiVersion: said } = converted;
  if (said !== apiVersion || kind !== original.kind)
    throw wrong(
      `invalid groupVersionKind: expected ${apiVersion}, Kind=${original.kind}, got ${String(said)}, Kind=${String(kind)}`,
    );
  const meta = (converted as unknown as KubeObject).metadata;
  for (const field of ['name', 'namespace', 'uid'] as const)
    if ((meta[field] ?? '') !== (original.metadata[field] ?? ''))
      throw wrong(`metadata.${field}: Invalid value: ${JSON.stringify(meta[field] ?? '')}: must be the same`);
  const { labels: _, annotations: _old, ...kept } = original.metadata;
  const metadata = {
    ...kept,
    ...textsOf(meta.labels, 'labels', wrong),
    ...textsOf(meta.annotations, 'annotations', wrong),
  };
  return {
    ...converted,
    metadata: sameJson(metadata, original.metadata) ? { ...original.metadata } : metadata,
  };
}

function textsOf(
  texts: unknown,
  name: 'labels' | 'annotations',
  wrong: (why: string) => CaelumError,
): object {
  if (texts === undefined || texts === null) return {};
  if (!structural.isObject(texts) || Object.values(texts).some((text) => typeof text !== 'string'))
    throw wrong(`metadata.${name} is no map of texts`);
  return { [name]: texts };
}
