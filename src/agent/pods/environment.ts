/**
 * A container's environment: services and the GPUs that the pod was given, then envFrom, then env, later ones winning; over what the image says. Pure.
 *
 * Throws `invalid` with the kubelet's words when something that is needed is not there: the container then waits with
 * CreateContainerConfigError.
 */
import {
  type ConfigMap,
  type Container,
  type EnvVar,
  type Pod,
  quantityMilli,
  quantityValue,
  type Secret,
  type Service,
} from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { gpuVariables } from '../devices/gpu-environment.ts';
import { expand } from './expansion.ts';

export interface EnvironmentSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** All services of the pod's namespace, and `default/kubernetes`. */
  readonly services: readonly Service[];
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly podAddresses: readonly string[];
  readonly allocatable: {
    readonly cpuMilli: number;
    readonly memoryBytes: number;
    readonly ephemeralBytes?: number;
  };
}

const missing = (message: string): CaelumError => new CaelumError('invalid', message);
const isName = (name: string): boolean => /^[^=\0]+$/.test(name);

export function environmentOf(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Map<string, string> {
  const result = new Map<string, string>();
  const services = serviceVariables(pod, sources.services);
  if (pod.metadata.annotations !== undefined)
    for (const [name, value] of gpuVariables(pod)) services.set(name, value);
  for (const from of container.envFrom ?? []) {
    for (const [key, value] of envFromEntries(pod, from, sources)) {
      const name = `${from.prefix ?? ''}${key}`;
      if (isName(name)) result.set(name, value);
    }
  }
  for (const variable of container.env ?? []) {
    const value = variableValue(
      pod,
      container,
      variable,
      sources,
      (name) => result.get(name) ?? services.get(name),
    );
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

type EnvFrom = NonNullable<Container['envFrom']>[number];

function envFromEntries(pod: Pod, from: EnvFrom, sources: EnvironmentSources): [string, string][] {
  const { namespace } = pod.metadata;
  if (from.configMapRef !== undefined) {
    const { name = '', optional } = from.configMapRef;
    const found = sources.configMap(name);
    if (found === undefined && !optional) throw missing(`configmap "${name}" not found`);
    return Object.entries(found?.data ?? {});
  }
  if (from.secretRef !== undefined) {
    const { name = '', optional } = from.secretRef;
    const found = sources.secret(name);
    if (found === undefined && !optional) throw missing(`secret "${name}" not found`);
    return Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)]);
  }
  throw missing(`Cannot read envFrom of pod "${namespace}/${pod.metadata.name}": it names no source`);
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString();

function variableValue(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  sources: EnvironmentSources,
  lookup: (name: string) => string | undefined,
): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return expand(variable.value ?? '', lookup);
  const { namespace } = pod.metadata;
  if (from.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = from.configMapKeyRef;
    const found = sources.configMap(name);
    const value = found?.data?.[key];
    if (value !== undefined) return value;
    if (optional) return undefined;
    if (found === undefined) throw missing(`configmap "${name}" not found`);
    throw missing(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (from.secretKeyRef !== undefined) {
    const { name = '', key, optional } = from.secretKeyRef;
    const found = sources.secret(name);
    const value = found?.data?.[key];
    if (value !== undefined) return decode(value);
    if (optional) return undefined;
    if (found === undefined) throw missing(`secret "${name}" not found`);
    throw missing(`couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef.fieldPath, sources);
  if (from.resourceFieldRef !== undefined) {
    const { containerName, resource, divisor } = from.resourceFieldRef;
    return resourceValue(pod, containerName ?? container.name, resource, divisor, sources);
  }
  throw missing(`Cannot set variable "${variable.name}": its source is not supported`);
}

/** A pod's field as text. Throws `invalid` for what is not supported. Also for downward API volumes (labels, annotations as lines). */
export function fieldValue(
  pod: Pod,
  path: string,
  sources: Pick<EnvironmentSources, 'nodeName' | 'nodeAddress' | 'podAddresses'>,
): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (subscript !== null) {
    const map = subscript[1] === 'labels' ? metadata.labels : metadata.annotations;
    return map?.[subscript[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return mapLines(metadata.labels);
    case 'metadata.annotations':
      return mapLines(metadata.annotations);
    case 'spec.nodeName':
      return spec?.nodeName ?? sources.nodeName;
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? 'default';
    case 'status.hostIP':
    case 'status.hostIPs':
      return sources.nodeAddress;
    case 'status.podIP':
      return sources.podAddresses[0] ?? '';
    case 'status.podIPs':
      return sources.podAddresses.join(',');
    default:
      throw missing(`unsupported fieldPath: ${path}`);
  }
}

const mapLines = (map: { readonly [key: string]: string } | undefined): string =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');

/** `limits.cpu`, `requests.memory`, … divided and rounded up; limits that are absent are what the node has. */
export function resourceValue(
  pod: Pod,
  containerName: string,
  resource: string,
  divisor: string | undefined,
  sources: Pick<EnvironmentSources, 'allocatable'>,
): string {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const container = all.find((item) => item.name === containerName);
  if (container === undefined) throw missing(`container ${containerName} not found`);
  const [which, name = ''] = resource.split(/\.(.*)/s);
  if (which !== 'limits' && which !== 'requests')
    throw missing(`unsupported container resource : ${resource}`);
  const { limits, requests } = container.resources ?? {};
  // What limits the pod as a whole limits a container that says nothing.
  const limit = limits?.[name] ?? pod.spec?.resources?.limits?.[name];
  const text = which === 'limits' ? limit : (requests?.[name] ?? limits?.[name]);
  const isCpu = name === 'cpu';
  const { cpuMilli, memoryBytes, ephemeralBytes = 0 } = sources.allocatable;
  const whole: Readonly<Record<string, number>> = {
    cpu: cpuMilli,
    memory: memoryBytes,
    'ephemeral-storage': ephemeralBytes,
  };
  const fallback = which === 'requests' ? 0 : (whole[name] ?? 0);
  const value = (isCpu ? quantityMilli(text) : quantityValue(text)) ?? fallback;
  const by = divisor === undefined || divisor === '0' || divisor === '' ? '1' : divisor;
  const unit = (isCpu ? quantityMilli(by) : quantityValue(by)) ?? 1;
  return String(Math.ceil(value / Math.max(1, unit)));
}

/** `REDIS_SERVICE_HOST`, `REDIS_PORT`, `REDIS_PORT_6379_TCP`, … for every service that was there when the container started. */
function serviceVariables(pod: Pod, services: readonly Service[]): Map<string, string> {
  const result = new Map<string, string>();
  const linked = pod.spec?.enableServiceLinks !== false;
  for (const service of services) {
    const { name = '', namespace } = service.metadata;
    const isMaster = namespace === 'default' && name === 'kubernetes';
    if (!isMaster && (!linked || namespace !== pod.metadata.namespace)) continue;
    const address = service.spec?.clusterIP ?? '';
    const ports = service.spec?.ports ?? [];
    const first = ports[0];
    if (address === '' || address === 'None' || first === undefined) continue;
    const prefix = name.toUpperCase().replaceAll('-', '_');
    const host = address.includes(':') ? `[${address}]` : address;
    result.set(`${prefix}_SERVICE_HOST`, address);
    result.set(`${prefix}_SERVICE_PORT`, String(first.port));
    for (const port of ports)
      if (port.name)
        result.set(
          `${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`,
          String(port.port),
        );
    const url = (port: typeof first): string =>
      `${(port.protocol ?? 'TCP').toLowerCase()}://${host}:${port.port}`;
    result.set(`${prefix}_PORT`, url(first));
    for (const port of ports) {
      const protocol = port.protocol ?? 'TCP';
      const base = `${prefix}_PORT_${port.port}_${protocol}`;
      result.set(base, url(port));
      result.set(`${base}_PROTO`, protocol.toLowerCase());
      result.set(`${base}_PORT`, String(port.port));
      result.set(`${base}_ADDR`, address);
    }
  }
  return result;
}
