/** Definitions for tests. */
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '../../api/index.ts';
import type { TestServer } from '../io/test-server.ts';

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export interface Wanted {
  readonly group?: string;
  readonly plural?: string;
  readonly kind?: string;
  readonly scope?: 'Namespaced' | 'Cluster';
  readonly names?: object;
  readonly spec?: JSONSchemaProps;
  readonly schema?: JSONSchemaProps;
  readonly version?: Partial<CustomResourceDefinitionVersion>;
  readonly versions?: readonly CustomResourceDefinitionVersion[];
  readonly conversion?: object;
}

export function aDefinition(wanted: Wanted = {}) {
  const {
    group = 'example.com',
    plural = 'widgets',
    kind = 'Widget',
    scope = 'Namespaced',
    names = {},
  } = wanted;
  const schema: JSONSchemaProps = wanted.schema ?? {
    type: 'object',
    properties: {
      spec: wanted.spec ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  };
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    ...wanted.version,
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind, ...names },
      versions: wanted.versions ?? [version],
      ...(wanted.conversion === undefined ? {} : { conversion: wanted.conversion }),
    },
  };
}

/** Creates it and waits until it is served. */
export async function define(server: TestServer, wanted: Wanted = {}): Promise<string> {
  const definition = aDefinition(wanted);
  const made = await server.call('POST', definitionsPath, { body: definition });
  if (made.status !== 201) throw new Error(made.text);
  await until(async () => {
    const found = await server.call('GET', `${definitionsPath}/${definition.metadata.name}`);
    return conditionIn(found.body, 'Established')?.status === 'True';
  });
  const { group, versions, scope, names } = definition.spec;
  const base = `/apis/${group}/${versions[0]?.name ?? ''}`;
  return scope === 'Namespaced' ? `${base}/namespaces/default/${names.plural}` : `${base}/${names.plural}`;
}

export function conditionIn(
  definition: {
    readonly status?: {
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason?: string;
        readonly message?: string;
      }[];
    };
  },
  type: string,
) {
  return definition.status?.conditions?.find((condition) => condition.type === type);
}

const triesMax = 3000;

/** Looks again each turn of the event loop and a little later, up to half a minute. */
export async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await check()); tries++) {
    if (tries >= triesMax) throw new Error('did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
