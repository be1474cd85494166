/** `caelum image`: the images of this machine. Works on the store itself, beside a running cloud. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Arguments, formatBytes, formatDuration, textTable, usage } from '../../cli/index.ts';
import { silentLog } from '../../lib/index.ts';
import { dataOption, outputOption, print, printJson, type RunnableCommand, say } from '../command.ts';
import { dataDirectoryOf, layoutOf } from '../layout.ts';
import { openImages } from '../node-parts.ts';

type Images = ReturnType<typeof openImages>;

export const image: RunnableCommand = {
  name: 'image',
  summary: 'Lists, pulls, pushes, imports, exports and removes images.',
  words: 'ls | pull NAME | push NAME | tag SOURCE NAME | import FILE | export NAME FILE | rm NAME',
  wordCount: { min: 1, max: 3 },
  options: [
    dataOption,
    outputOption,
    { name: 'name', value: 'NAME', help: 'with import: the name that the image gets' },
    { name: 'docker', help: "with export: Docker's archive format in place of OCI's" },
  ],
  notes:
    'host.local/<program> is an image made on demand from a program of this machine: caelum image pull host.local/busybox',
  async run(given) {
    const layout = layoutOf(dataDirectoryOf(given.value('data')));
    const images = openImages(layout, silentLog);
    try {
      return await carryOut(images, given);
    } finally {
      await images.close();
    }
  },
};

async function carryOut(images: Images, given: Arguments): Promise<number> {
  const [verb = '', first, second] = given.words;
  const wants = (count: number, words: string): void => {
    if (given.words.length !== count + 1)
      throw usage(image, `"image ${verb}" wants ${words === '' ? 'nothing more' : words}`);
  };
  switch (verb) {
    case 'ls':
    case 'list':
      wants(0, '');
      await list(images, given);
      return 0;
    case 'pull': {
      wants(1, 'NAME');
      const pulled = await images.pull(first as string, { onProgress: progress() });
      say(`pulled ${first}: ${pulled.id}`);
      return 0;
    }
    case 'push': {
      wants(1, 'NAME');
      const { digest } = await images.push(first as string, { onProgress: progress() });
      say(`pushed ${first}: ${digest}`);
      return 0;
    }
    case 'tag':
      wants(2, 'SOURCE NAME');
      await images.tag(first as string, second as string);
      return 0;
    case 'import': {
      wants(1, 'FILE');
      const file = resolve(first as string);
      if (!existsSync(file)) throw usage(image, `there is no file "${first}"`);
      const name = given.value('name');
      for (const one of await images.importArchive(file, name === undefined ? {} : { name }))
        say(`imported ${one.names.join(', ') || one.id}`);
      return 0;
    }
    case 'export':
      wants(2, 'NAME FILE');
      await images.exportArchive(
        [first as string],
        resolve(second as string),
        given.flag('docker') ? 'docker' : 'oci',
      );
      return 0;
    case 'rm':
      wants(1, 'NAME');
      await images.remove(first as string);
      return 0;
    case 'build':
      throw usage(
        image,
        '"image build" is not served yet; build with another tool and "caelum image import" its archive',
      );
    default:
      throw usage(image, `there is no "image ${verb}"; there are: ls, pull, push, tag, import, export, rm`);
  }
}

async function list(images: Images, given: Arguments): Promise<void> {
  const all = await images.list();
  if (given.value('output') === 'json') {
    printJson(
      all.map(({ id, names, digests, sizeBytes, createdAtMs }) => ({
        id,
        names,
        digests,
        sizeBytes,
        createdAt: new Date(createdAtMs).toISOString(),
      })),
    );
    return;
  }
  const rows = all.flatMap((one) => {
    const age = one.createdAtMs > 0 ? formatDuration(Date.now() - one.createdAtMs) : '-';
    return (one.names.length === 0 ? ['<none>'] : one.names).map((name) => [
      name,
      one.id.replace('sha256:', '').slice(0, 12),
      formatBytes(one.sizeBytes),
      age,
    ]);
  });
  print(textTable(['NAME', 'ID', 'SIZE', 'AGE'], rows));
}

/** On a terminal one moving line; elsewhere a line a layer. */
function progress() {
  const done = new Set<string>();
  return ({
    layer,
    doneBytes,
    totalBytes,
  }: {
    readonly layer: string;
    readonly doneBytes: number;
    readonly totalBytes: number;
  }): void => {
    const short = layer.replace('sha256:', '').slice(0, 12);
    if (process.stderr.isTTY)
      process.stderr.write(
        `\r${short}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}   ${doneBytes >= totalBytes ? '\n' : ''}`,
      );
    else if (doneBytes >= totalBytes && !done.has(layer)) {
      done.add(layer);
      say(`${short}  ${formatBytes(totalBytes)}`);
    }
  };
}
