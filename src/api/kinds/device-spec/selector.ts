/**
 * Selectors of devices: an expression about one `device`, true where a claim or a class may have it.
 *
 *   device.driver == "gpu.example.com" && device.attributes["gpu.example.com"].model == "a100" && device.capacity["gpu.example.com"].memory.isGreaterThan(quantity("10Gi"))
 *
 * Names without a domain are of the driver's own. A domain that a device has nothing of is there, and empty.
 * Source: Kubernetes 1.36, k8s.io/dynamic-resource-allocation/cel, as behaviour.
 */
import * as cel from '../../cel/index.ts';
import type { Device } from '../../types/resource.v1.ts';
import { forbiddenField, type Problems, wrong } from '../../validation/problems.ts';

/** What one evaluation may cost, and be estimated to. */
const costMax = 1_000_000;
const domainsMax = 32;

const quantity = cel.opaque('kubernetes.Quantity');
const domains = (value: cel.CelType) =>
  cel.mapOf(cel.string, cel.mapOf(cel.string, value, domainsMax), domainsMax);
const variables = {
  device: cel.objectOf('kubernetes.DRADevice', {
    driver: { kind: 'string', maxSize: 63 },
    allowMultipleAllocations: cel.bool,
    attributes: domains(cel.dyn),
    capacity: domains(quantity),
  }),
};

export interface DeviceSelection {
  /** Throws a fault-worded Error where the expression cannot be evaluated for it. */
  matches(driver: string, device: Device): boolean;
}

/** What is wrong with it is in `text`; `isCostly` where it only may cost too much. */
export function compileDeviceSelector(
  expression: string,
): { readonly selection: DeviceSelection } | { readonly text: string; readonly isCostly: boolean } {
  const { program, text } = cel.compile(expression, { variables });
  if (program === undefined) return { text, isCostly: false };
  const { kind } = program.type;
  if (kind !== 'bool' && kind !== 'dyn') {
    const why = `must evaluate to bool or the unknown type, not ${cel.typeText(program.type)}`;
    return { text: why, isCostly: false };
  }
  if (program.costMax > costMax) return { text: 'too complex, exceeds cost limit', isCostly: true };
  return {
    selection: {
      matches(driver, device) {
        const { value, error } = program.evaluate(
          { device: new DeviceView(driver, device) },
          { costLimit: costMax },
        );
        if (error !== undefined) throw new Error(error);
        if (typeof value !== 'boolean') throw new Error('CEL expression must return bool');
        return value;
      },
    },
  };
}

export function validateSelectorExpression(problems: Problems, field: string, expression: string): void {
  const compiled = compileDeviceSelector(expression);
  if ('selection' in compiled) return;
  problems.push(
    compiled.isCostly ? forbiddenField(field, compiled.text) : wrong(field, expression, compiled.text),
  );
}

const empty: ReadonlyMap<string, unknown> = new Map();

/** Any domain is in it. */
class Domains extends Map<string, ReadonlyMap<string, unknown>> {
  override get(domain: string): ReadonlyMap<string, unknown> {
    return super.get(domain) ?? empty;
  }
}

function byDomain<T>(driver: string, of: Readonly<Record<string, T>>, read: (one: T) => unknown): Domains {
  const found = new Map<string, Map<string, unknown>>();
  for (const [name, one] of Object.entries(of)) {
    const slash = name.indexOf('/');
    const domain = slash < 0 ? driver : name.slice(0, slash);
    const names = found.get(domain) ?? new Map<string, unknown>();
    found.set(domain, names.set(name.slice(slash + 1), read(one)));
  }
  return new Domains(found);
}

type Attribute = NonNullable<Device['attributes']>[string];

function attributeValue({ bool, int, string, version }: Attribute): unknown {
  return version === undefined ? (bool ?? int ?? string ?? null) : cel.semverOf(version);
}

/** A device, as far as an expression looks at it. */
class DeviceView {
  readonly driver: string;
  readonly allowMultipleAllocations: boolean;
  readonly attributes: Domains;
  readonly capacity: Domains;

  constructor(driver: string, device: Device) {
    this.driver = driver;
    this.allowMultipleAllocations = device.allowMultipleAllocations ?? false;
    this.attributes = byDomain(driver, device.attributes ?? {}, attributeValue);
    this.capacity = byDomain(driver, device.capacity ?? {}, ({ value = '0' }) => cel.quantityOf(value));
  }
}
