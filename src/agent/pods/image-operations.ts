/**
 * Getting images: for containers, and for volumes that show the files of one. Events as the kubelet words them.
 *
 *   name, policy ─▶ here? ─▶ pull with the pod's credentials ─▶ Image
 */
import type { Pod } from '../../api/index.ts';
import { CaelumError, explainError, isError } from '../../lib/index.ts';
import { type Image, parseDockerConfig, type RegistryCredential } from '../images/index.ts';
import type { VolumeContent } from '../volumes/volume-content.ts';
import { referenceTo } from './parts.ts';
import { volumeRootPrefix } from './pod-state.ts';
import type { PodWorker } from './pod-worker.ts';

type Say = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

export interface ImageRequest {
  readonly name: string;
  readonly policy: string;
  readonly signal?: AbortSignal;
}

/** Throws `invalid` where it may not be pulled, `badRequest` for what is no name, and what the registry answers. */
export async function obtainImage(
  worker: PodWorker,
  pod: Pod,
  { name, policy, signal }: ImageRequest,
  say: Say,
): Promise<Image> {
  const { images, clock } = worker.parts;
  const here = policy === 'Always' ? undefined : await images.find(name);
  if (here !== undefined) {
    say('Normal', 'Pulled', `Container image "${name}" already present on machine`);
    return here;
  }
  if (policy === 'Never')
    throw new CaelumError('invalid', `Container image "${name}" is not present with pull policy of Never`);
  say('Normal', 'Pulling', `Pulling image "${name}"`);
  const startedMs = clock.monotonicMs();
  const credentials = await credentialsOf(worker, pod);
  const image = await images.pull(name, { credentials, ...(signal === undefined ? {} : { signal }) });
  const took = clock.monotonicMs() - startedMs;
  const text = took < 1000 ? `${Math.round(took)}ms` : `${(took / 1000).toFixed(3)}s`;
  say(
    'Normal',
    'Pulled',
    `Successfully pulled image "${name}" in ${text} (${text} including waiting). Image size: ${image.sizeBytes} bytes.`,
  );
  return image;
}

export interface ImageRefusal {
  readonly reason: 'InvalidImageName' | 'ErrImageNeverPull' | 'ErrImagePull';
  readonly message: string;
}

/** What is said of an image that could not be had. */
export function refusalOf(name: string, error: unknown, say: Say): ImageRefusal {
  const cause = explainError(error);
  const reason = isError(error, 'badRequest')
    ? 'InvalidImageName'
    : isError(error, 'invalid')
      ? 'ErrImageNeverPull'
      : 'ErrImagePull';
  const message =
    reason === 'InvalidImageName' ? `Failed to apply default image tag "${name}": ${cause}` : cause;
  if (reason === 'ErrImagePull') say('Warning', 'Failed', `Failed to pull image "${name}": ${cause}`);
  else say('Warning', reason === 'InvalidImageName' ? 'InspectFailed' : 'ErrImageNeverPull', message);
  say('Warning', 'Failed', `Error: ${reason}`);
  return { reason, message };
}

/** From the pod's imagePullSecrets; one that is missing or damaged is passed over, as the kubelet does. */
async function credentialsOf(worker: PodWorker, pod: Pod): Promise<readonly RegistryCredential[]> {
  const names = (pod.spec?.imagePullSecrets ?? []).map((item) => item.name ?? '');
  if (names.length === 0) return [];
  const { namespace = '' } = pod.metadata;
  await worker.parts.objects.useAllOf(worker.state.uid, pod);
  const result: RegistryCredential[] = [];
  for (const name of names) {
    const data = worker.parts.objects.secret(namespace, name)?.data ?? {};
    const text = data['.dockerconfigjson'] ?? data['.dockercfg'];
    if (text === undefined) continue;
    try {
      result.push(...parseDockerConfig(Buffer.from(text, 'base64').toString()));
    } catch (error) {
      worker.parts.log.warn('cannot read pull secret', { secret: `${namespace}/${name}`, error });
    }
  }
  return result;
}

// ── volumes ──

/** Why no container of the pod can start: one of its volumes shows an image that is not to be had. */
export class ImageVolumeError extends Error {
  readonly reason: string;

  constructor({ reason, message }: ImageRefusal) {
    super(message);
    this.reason = reason;
  }
}

/** Mounts the files of images where volumes show them; other contents stay as they are. What is mounted already is not looked for again. */
export async function mountImageVolumes(
  worker: PodWorker,
  pod: Pod,
  contents: Map<string, VolumeContent>,
): Promise<void> {
  for (const [name, content] of contents)
    if (content.kind === 'image') contents.set(name, await mountImage(worker, pod, name, content));
}

async function mountImage(
  worker: PodWorker,
  pod: Pod,
  volume: string,
  { reference, pullPolicy }: Extract<VolumeContent, { kind: 'image' }>,
): Promise<VolumeContent> {
  const { state, parts } = worker;
  const key = `${volumeRootPrefix}${volume}/0`;
  const known = state.imageVolumes.get(volume);
  if (known !== undefined && state.roots.has(key)) return { kind: 'mounted', path: known, readOnly: true };
  const say: Say = (type, reason, message) =>
    parts.events.record({ about: referenceTo(pod), type, reason, message });
  let image: Image;
  try {
    // An agent that was restarted finds what it had mounted: its containers use it.
    const policy = state.roots.has(key) ? 'IfNotPresent' : pullPolicy;
    image = await obtainImage(worker, pod, { name: reference, policy }, say);
  } catch (error) {
    throw new ImageVolumeError(refusalOf(reference, error, say));
  }
  state.roots.add(key);
  const { rootPath } = await parts.images.mountRoot(image, `${state.uid}/${key}`);
  state.imageVolumes.set(volume, rootPath);
  return { kind: 'mounted', path: rootPath, readOnly: true };
}
