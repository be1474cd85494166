/** What admission has put in an object's place, brought into full form: its shape checked and pruned, defaults given. Pure. */
import { applyTableDefaults, checkShape, messageOfKind } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { DraftObject, Resource } from '../resource.ts';

/** In place. Throws `internal` where it is no object of its kind: whoever changed it is to blame, not who asked. */
export function fullForm(resource: Resource, object: DraftObject): DraftObject {
  const isOwn = object.kind === resource.kind.kind && object.apiVersion === resource.apiVersion;
  const message = isOwn ? resource.message : messageFor(object);
  const { problems } = checkShape(message, object);
  const [problem] = problems;
  if (problem !== undefined)
    throw new CaelumError(
      'internal',
      `Internal error occurred: an admission step left no ${object.kind}: ${problem}`,
    );
  if (isOwn) object.metadata ??= {};
  applyTableDefaults(message, object);
  if (isOwn) resource.kind.applyDefaults(object);
  return object;
}

function messageFor({ apiVersion = '', kind = '' }: DraftObject) {
  const [group = '', version] = apiVersion.split('/');
  const message = messageOfKind(
    version === undefined ? { group: '', version: group, kind } : { group, version, kind },
  );
  if (message !== undefined) return message;
  throw new CaelumError(
    'internal',
    `Internal error occurred: an admission step left an unknown kind: ${apiVersion}, Kind=${kind}`,
  );
}
