/**
 * Names of images, in the grammar and with the defaults of Docker's references: `nginx` is `docker.io/library/nginx:latest`.
 * Source: github.com/distribution/reference (grammar), Docker's familiar-name rules (defaults).
 *
 * Invariant: `formatName(parseName(x))` is stable: normalising twice changes nothing.
 */
import { CaelumError } from '../../lib/index.ts';

export interface ImageName {
  /** `docker.io`, `ghcr.io`, `localhost:5000`. */
  readonly registry: string;
  /** `library/nginx`. */
  readonly repository: string;
  /** Undefined when a digest names the image: the digest alone decides. */
  readonly tag: string | undefined;
  /** `sha256:…`. */
  readonly digest: string | undefined;
}

/** The registry whose images are made from programs of this machine. */
export const hostRegistry = 'host.local';

const component = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const domain =
  /^(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

function refuse(name: string, why: string): CaelumError {
  return new CaelumError('badRequest', `Cannot parse image name "${name}": ${why}`);
}

/** Throws `badRequest` when it cannot be a name. */
export function parseName(name: string): ImageName {
  if (name === '') throw refuse(name, 'it is empty');
  if (/^[0-9a-f]{64}$/.test(name)) throw refuse(name, '64 hexadecimal digits are an id, not a name');
  let rest = name;
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!digestPattern.test(digest))
      throw refuse(name, 'the digest is not sha256: and 64 hexadecimal digits');
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/') && !rest.endsWith(']')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!tagPattern.test(tag)) throw refuse(name, `"${tag}" is not a tag`);
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const isDomain = /[.:[\]A-Z]/.test(first) || first === 'localhost';
  let registry = isDomain ? first : 'docker.io';
  let repository = isDomain ? rest.slice(slash + 1) : rest;
  if (registry === 'index.docker.io') registry = 'docker.io';
  if (!domain.test(registry)) throw refuse(name, `"${registry}" is not a registry`);
  if (registry === 'docker.io' && !repository.includes('/')) repository = `library/${repository}`;
  if (/[A-Z]/.test(repository)) throw refuse(name, 'repository name must be lowercase');
  if (repository.length > 255) throw refuse(name, 'the repository has more than 255 characters');
  for (const part of repository.split('/'))
    if (!component.test(part)) throw refuse(name, `"${part}" is not a part of a repository`);
  return { registry, repository, tag: digest === undefined ? (tag ?? 'latest') : undefined, digest };
}

export function formatName(name: ImageName): string {
  const base = `${name.registry}/${name.repository}`;
  return name.digest === undefined ? `${base}:${name.tag ?? 'latest'}` : `${base}@${name.digest}`;
}

/** `nginx` → `docker.io/library/nginx:latest`. Throws `badRequest` when it cannot be a name. */
export function normalizeName(name: string): string {
  return formatName(parseName(name));
}

/** The `sha256:…` id that `text` spells (whole, or its 64 digits); undefined when it is a name. */
export function idOf(text: string): string | undefined {
  if (digestPattern.test(text)) return text;
  return /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : undefined;
}
