/** kubectl with custom resources: apply, explain, columns, short names, categories, scale, wait, validation on the client's side. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clientBinary, installedKubectls } from '../../../tools/kubectl.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { startTestServer } from '../io/test-server.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function startKubectl(t: TestContext, binary: string) {
  const server = await startTestServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'caelum-kubectl-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.server.url, server.pki));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  const run = (...words: string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      execFile(binary, words, { env, timeout: 120_000, encoding: 'utf8' }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      });
    });
  const ok = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...words);
    assert.equal(code, 0, `kubectl ${words.join(' ')}\n${stdout}${stderr}`);
    return stdout;
  };
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  return { server, run, ok, file };
}

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: crontabs.stable.example.com }
spec:
  group: stable.example.com
  scope: Namespaced
  names: { plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all] }
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.labelSelector }
    additionalPrinterColumns:
    - { name: Spec, type: string, jsonPath: .spec.cronSpec, description: The cron spec }
    - { name: Replicas, type: integer, jsonPath: .spec.replicas }
    - { name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status' }
    - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
    selectableFields: [{ jsonPath: .spec.image }]
    schema:
      openAPIV3Schema:
        type: object
        description: A job that runs at times.
        required: [spec]
        properties:
          spec:
            type: object
            description: What is wanted.
            required: [cronSpec]
            properties:
              cronSpec: { type: string, pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$', description: When it runs. }
              image: { type: string }
              replicas: { type: integer, minimum: 1, maximum: 10, default: 1 }
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port]
                items: { type: object, required: [port], properties: { port: { type: integer }, name: { type: string } } }
          status: { type: object, x-kubernetes-preserve-unknown-fields: true }
`;

const object = `apiVersion: stable.example.com/v1
kind: CronTab
metadata: { name: my-cron }
spec: { cronSpec: "* * * * */5", image: my-image }
`;

const binary = clientBinary('kubectl');

// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD with validation schema
test('kubectl creates, prints, explains, scales and deletes custom resources', {
  skip: binary === undefined && 'no kubectl',
}, async (t) => {
  const { ok, run, file } = await startKubectl(t, binary as string);
  assert.match(
    await ok('apply', '-f', file('crd.yaml', definition)),
    /customresourcedefinition.apiextensions.k8s.io\/crontabs.stable.example.com created/,
  );
  await ok('wait', '--for=condition=Established', 'crd/crontabs.stable.example.com', '--timeout=60s');
  assert.match(
    await ok('apply', '-f', file('ct.yaml', object)),
    /crontab.stable.example.com\/my-cron created/,
  );
  assert.match(await ok('apply', '-f', file('ct.yaml', object)), /unchanged/);
  assert.match(
    await ok('get', 'ct'),
    /^NAME +SPEC +REPLICAS +READY +AGE\nmy-cron +\* \* \* \* \*\/5 +1 +\d+[sm]/m,
  );
  assert.match(await ok('get', 'all'), /crontab.stable.example.com\/my-cron/);
  assert.match(await ok('get', 'crontabs.v1.stable.example.com', '-o', 'name'), /my-cron/);
  assert.match(await ok('get', 'ct', '--field-selector', 'spec.image=my-image', '-o', 'name'), /my-cron/);
  assert.equal(await ok('get', 'ct', '--field-selector', 'spec.image=other', '-o', 'name'), '');
  const explained = await ok('explain', 'crontab.spec');
  assert.match(explained, /GROUP: +stable.example.com\nKIND: +CronTab\nVERSION: +v1/);
  assert.match(explained, /cronSpec\t<string> -required-\n +When it runs\./);
  assert.match(
    await ok('explain', 'ct', '--recursive'),
    /ports\t<\[\]Object>\n +name\t<string>\n +port\t<integer> -required-/,
  );
  assert.match(
    await ok('explain', 'ct'),
    /DESCRIPTION:[\s\S]*A job that runs at times\.[\s\S]*FIELDS:[\s\S]*apiVersion[\s\S]*<string>[\s\S]*APIVersion defines[\s\S]*spec[\s\S]*<Object>/,
  );
  assert.match(
    await ok('explain', 'ct.metadata'),
    /DESCRIPTION:[\s\S]*Standard object's metadata[\s\S]*FIELDS:[\s\S]*creationTimestamp[\s\S]*<string>[\s\S]*CreationTimestamp is a timestamp/,
  );
  assert.match((await run('explain', 'ct.spec.bars')).stderr, /field "bars" does not exist/);
  assert.match(await ok('scale', 'ct/my-cron', '--replicas=3'), /scaled/);
  assert.equal(
    await ok('get', 'ct', 'my-cron', '-o', 'jsonpath={.spec.replicas} {.metadata.generation}'),
    '3 2',
  );
  await ok(
    'patch',
    'ct',
    'my-cron',
    '--subresource=status',
    '--type=merge',
    '-p',
    '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}',
  );
  assert.match(await ok('get', 'ct'), /my-cron .* 3 +True/);
  assert.equal(await ok('get', 'ct', 'my-cron', '-o', 'jsonpath={.metadata.generation}'), '2');
  await ok('wait', '--for=condition=Ready', 'ct/my-cron', '--timeout=60s');
  const unknown = await run('apply', '-f', file('bad.yaml', object.replace('image:', 'imagee:')));
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /strict decoding error: unknown field "spec.imagee"/);
  const invalid = await run(
    'apply',
    '-f',
    file('bad.yaml', object.replace('"* * * * */5"', '"* *"').replace('my-cron', 'x')),
  );
  assert.match(
    invalid.stderr,
    /The CronTab "x" is invalid: spec.cronSpec: Invalid value: "\* \*": spec.cronSpec in body should match/,
  );
  assert.match(await ok('describe', 'ct', 'my-cron'), /Cron Spec: +\* \* \* \* \*\/5/);
  assert.match(
    await ok('apply', '--server-side', '--force-conflicts', '-f', file('ct.yaml', object)),
    /serverside-applied/,
  );
  assert.match(await ok('delete', 'ct', 'my-cron'), /deleted/);
  assert.match(await ok('delete', 'crd', 'crontabs.stable.example.com'), /deleted/);
  assert.match(
    (await run('get', 'ct')).stderr,
    /could not find the requested resource|doesn't have a resource type/,
  );
  assert.doesNotMatch(await ok('api-resources'), /crontabs/);
});

const open = (plural: string, kind: string, schema: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ${plural}.open.example.com }
spec:
  group: open.example.com
  scope: Cluster
  names: { plural: ${plural}, singular: ${kind.toLowerCase()}, kind: ${kind} }
  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: ${schema} } }]
`;

// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields at the schema root
// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields in an embedded object
// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD without validation schema
test('kubectl accepts unknown fields where the schema leaves them, and explains what there is', {
  skip: binary === undefined && 'no kubectl',
}, async (t) => {
  const { ok, run, file } = await startKubectl(t, binary as string);
  const preserve = 'x-kubernetes-preserve-unknown-fields: true';
  await ok('apply', '-f', file('a.yaml', open('roots', 'Root', `{ type: object, ${preserve} }`)));
  await ok(
    'apply',
    '-f',
    file(
      'b.yaml',
      open(
        'nests',
        'Nest',
        `{ type: object, properties: { spec: { type: object, description: The rest., ${preserve} }, kept: { type: string } } }`,
      ),
    ),
  );
  await ok('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
  const root = (more: string): string =>
    file('r.yaml', `apiVersion: open.example.com/v1\nkind: Root\nmetadata: { name: a }\n${more}`);
  await ok('create', '-f', root('dummy: { a: 1 }\n'));
  await ok('apply', '-f', root('dummy: { a: 2, b: [1] }\n'));
  assert.match(await ok('explain', 'roots'), /KIND: +Root\nVERSION: +v1\n\nDESCRIPTION:\s+<empty>/);
  const nest = (more: string): string =>
    file('n.yaml', `apiVersion: open.example.com/v1\nkind: Nest\nmetadata: { name: a }\n${more}`);
  await ok('create', '-f', nest('spec: { anything: { goes: [true] } }\n'));
  assert.match(await ok('explain', 'nests.spec'), /The rest\./);
  assert.match((await run('create', '-f', nest('other: 1\n'))).stderr, /unknown field "other"/);
  assert.equal(await ok('get', 'nest', 'a', '-o', 'jsonpath={.spec.anything.goes[0]}'), 'true');
  assert.match(await ok('get', 'nests,roots'), /nest.open.example.com\/a[\s\S]*root.open.example.com\/a/);
});

// They read OpenAPI version 2, as protobuf, and refuse what it does not know.
const old = installedKubectls().find(({ version }) => version === '1.27');

test('kubectl 1.27 validates and explains custom resources by the older OpenAPI', {
  skip: old === undefined && 'no kubectl 1.27',
}, async (t) => {
  const { ok, run, file } = await startKubectl(t, old?.path ?? '');
  await ok('apply', '-f', file('crd.yaml', definition));
  await ok('wait', '--for=condition=Established', 'crd/crontabs.stable.example.com', '--timeout=60s');
  assert.match(await ok('apply', '-f', file('ct.yaml', object)), /created/);
  assert.match(await ok('apply', '-f', file('ct.yaml', object.replace('my-image', 'other'))), /configured/);
  assert.match(await ok('explain', 'crontab.spec.cronSpec'), /When it runs\./);
  const unknown = await run('apply', '-f', file('bad.yaml', object.replace('image:', 'imagee:')));
  assert.match(unknown.stderr, /unknown field "(spec\.)?imagee"/);
});
