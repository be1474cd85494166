/**
 * Devices as the machine describes them: files of the Container Device Interface say what a container needs to use a device. Pure.
 *
 *   /etc/cdi/*.json, *.yaml ──▶ kind `gpu.example.com/gpu`, device `gpu-0` ──▶ device nodes, environment, mounts
 *
 * A device that a claim has is the one of its name in a file whose kind begins with its driver's name. Hooks are not run: a file that has some is refused.
 * Source: Container Device Interface specification, 0.6.
 */

export interface DeviceNode {
  /** In the container. */
  readonly path: string;
  readonly hostPath: string;
  /** `rwm` or less. */
  readonly permissions: string;
}

export interface DeviceMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
}

/** What is added to a container. */
export interface DeviceEdits {
  readonly environment: readonly (readonly [name: string, value: string])[];
  readonly nodes: readonly DeviceNode[];
  readonly mounts: readonly DeviceMount[];
}

export interface DeviceFile {
  readonly name: string;
  /** Read as JSON or YAML, whatever it is then. */
  readonly content: unknown;
}

interface RawEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly {
    readonly path: string;
    readonly hostPath?: string;
    readonly permissions?: string;
  }[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
  }[];
  readonly hooks?: readonly unknown[];
}

interface RawFile {
  readonly kind?: string;
  readonly containerEdits?: RawEdits;
  readonly devices?: readonly { readonly name?: string; readonly containerEdits?: RawEdits }[];
}

/** A text: why the device cannot be given to a container here. */
export function editsOf(driver: string, device: string, files: readonly DeviceFile[]): DeviceEdits | string {
  let isKnown = false;
  for (const { name, content } of files) {
    const file = typeof content === 'object' ? (content as RawFile | null) : null;
    if (file?.kind?.split('/')[0] !== driver) continue;
    isKnown = true;
    const found = file.devices?.find((one) => one.name === device);
    if (found === undefined) continue;
    const all = [file.containerEdits ?? {}, found.containerEdits ?? {}];
    if (all.some(({ hooks = [] }) => hooks.length > 0))
      return `device "${device}" of ${name} has hooks, which are not run here`;
    return {
      environment: all.flatMap(({ env = [] }) => env.map(variable)),
      nodes: all.flatMap(({ deviceNodes = [] }) =>
        deviceNodes.map(({ path, hostPath = path, permissions = 'rwm' }) => ({
          path,
          hostPath,
          permissions,
        })),
      ),
      mounts: all.flatMap(({ mounts = [] }) =>
        mounts.map(({ hostPath, containerPath, options = [] }) => ({
          hostPath,
          containerPath,
          readOnly: options.includes('ro'),
        })),
      ),
    };
  }
  return isKnown
    ? `device "${device}" of driver ${driver} is in no file of /etc/cdi or /var/run/cdi`
    : `DRA driver ${driver} is not registered (and no file of /etc/cdi or /var/run/cdi is of its kind)`;
}

function variable(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
