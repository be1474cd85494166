/**
 * Patches as far as the fake client needs them. Pure; the API server has the real ones, which know the schemas.
 *
 * `merge` is RFC 7386, `json` is RFC 6902. `strategic` is a merge in
 * which lists of objects are merged by the first of a few well-known keys that all entries have, and `apply` is taken as that.
 */
import { CaelumError } from '../lib/index.ts';

type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The target after an RFC 7386 merge. Shares what did not change. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, () => undefined);
}

/** The target after a strategic merge, lists merged by guessed keys. */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, mergeLists);
}

function merge(
  target: unknown,
  patch: unknown,
  lists: (target: unknown, patch: unknown) => unknown,
): unknown {
  if (Array.isArray(patch)) return lists(target, patch) ?? patch;
  if (!isTree(patch)) return patch;
  const { $patch: directive, ...changes } = patch;
  if (directive === 'replace') return changes;
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete result[key];
    else if (key.startsWith('$')) deleteFromList(result, key, value);
    else result[key] = atomicLists.has(key) ? value : merge(result[key], value, lists);
  }
  return result;
}

/** `$deleteFromPrimitiveList/finalizers: [a]`. `$setElementOrder/…` and `$retainKeys` are ignored. */
function deleteFromList(result: Tree, key: string, value: unknown): void {
  const [directive, name = ''] = key.split('/');
  const list = result[name];
  if (directive !== '$deleteFromPrimitiveList' || !Array.isArray(list) || !Array.isArray(value)) return;
  result[name] = list.filter((item) => !value.includes(item));
}

/** Lists that the schemas call atomic: replaced, never merged. */
const atomicLists = new Set(['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']);

const mergeKeys = ['type', 'name', 'uid', 'ip', 'mountPath', 'containerPort', 'port', 'topologyKey'];

function mergeLists(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(target) || !Array.isArray(patch)) return undefined;
  const key = mergeKeys.find((name) => [...target, ...patch].every((item) => isTree(item) && name in item));
  if (key === undefined) return undefined;
  let result = [...(target as Tree[])];
  for (const item of patch as Tree[]) {
    const at = result.findIndex((old) => old[key] === item[key]);
    if (item['$patch'] === 'delete') result = result.filter((_, index) => index !== at);
    else if (at < 0) result.push(item);
    else result[at] = merge(result[at], item, mergeLists) as Tree;
  }
  return result;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** The target after RFC 6902 operations. Throws `invalid` when one cannot be carried out. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw new CaelumError('badRequest', 'Cannot apply JSON patch: not a list of operations');
  const root = { '': structuredClone(target) };
  for (const operation of patch as Operation[]) applyOperation(root, operation);
  return root[''];
}

function applyOperation(root: Tree, { op, path, from, value }: Operation): void {
  if (op === 'add') put(root, path, structuredClone(value), false);
  else if (op === 'replace') put(root, path, structuredClone(value), true);
  else if (op === 'remove') take(root, path);
  else if (op === 'move') put(root, path, take(root, from ?? ''), false);
  else if (op === 'copy') put(root, path, structuredClone(look(root, from ?? '')), false);
  else if (op !== 'test' || JSON.stringify(look(root, path)) !== JSON.stringify(value))
    throw failed(op, path);
}

const failed = (op: string, path: string): CaelumError =>
  new CaelumError('invalid', `Cannot apply JSON patch: ${op} "${path}" failed`);

/** The container of the last step, and that step. */
function locate(root: Tree, path: string): { parent: Tree | unknown[]; step: string } {
  const steps = path.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const step = steps.pop() ?? '';
  let at: unknown = path === '' ? root : root[''];
  for (const name of steps.slice(1)) at = (at as Tree | undefined)?.[name];
  if (typeof at !== 'object' || at === null) throw failed('find', path);
  return { parent: at as Tree | unknown[], step };
}

function look(root: Tree, path: string): unknown {
  const { parent, step } = locate(root, path);
  return (parent as Tree)[step];
}

function put(root: Tree, path: string, value: unknown, mustExist: boolean): void {
  const { parent, step } = locate(root, path);
  if (mustExist && !(step in parent)) throw failed('replace', path);
  if (!Array.isArray(parent)) parent[step] = value;
  else if (mustExist) parent[Number(step)] = value;
  else parent.splice(step === '-' ? parent.length : Number(step), 0, value);
}

function take(root: Tree, path: string): unknown {
  const { parent, step } = locate(root, path);
  if (!(step in parent)) throw failed('remove', path);
  if (Array.isArray(parent)) return parent.splice(Number(step), 1)[0];
  const value = parent[step];
  delete parent[step];
  return value;
}
