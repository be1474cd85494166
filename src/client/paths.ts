/** The URLs of the API. Pure. Source: Kubernetes API concepts, "resource URIs". */
import type { ListOptions, ReadOptions, ResourceRef, WatchOptions, WriteOptions } from './client.ts';

/** `/apis/apps/v1/namespaces/default/deployments/web/status`. */
export function pathOf(
  ref: ResourceRef,
  namespace: string | undefined,
  name?: string,
  subresource?: string,
): string {
  let path = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  if (ref.namespaced && namespace !== undefined && namespace !== '')
    path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${ref.resource}`;
  if (name !== undefined) path += `/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `?a=b&c=d`, or '' when nothing is defined. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  let query = '';
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === '') continue;
    query += `${query === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return query;
}

export const readQuery = ({ resourceVersion }: ReadOptions = {}): string => queryOf({ resourceVersion });

export function listQuery(options: ListOptions = {}): string {
  const { resourceVersion, labelSelector, fieldSelector, limit, continue: token } = options;
  return queryOf({ resourceVersion, labelSelector, fieldSelector, limit, continue: token });
}

export function watchQuery(options: WatchOptions, timeoutSeconds: number): string {
  const { resourceVersion, labelSelector, fieldSelector } = options;
  const watch = { watch: true, allowWatchBookmarks: true, timeoutSeconds };
  return queryOf({ ...watch, resourceVersion, labelSelector, fieldSelector });
}

export function writeQuery({ dryRun, fieldManager }: WriteOptions = {}, force?: boolean): string {
  return queryOf({ dryRun: dryRun ? 'All' : undefined, fieldManager, force });
}
