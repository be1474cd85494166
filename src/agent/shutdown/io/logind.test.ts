/** The lock of systemd-logind, with programs in place of systemd's own that keep account of what they are asked. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../../../lib/index.ts';
import { realClock } from '../../../lib/io/real-clock.ts';
import { goingOf, Logind } from './logind.ts';

const busctl = `#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
*monitor*) exec tail -n +1 -f signals ;;
*InhibitDelayMaxUSec*) cat delay ;;
*PreparingForShutdown*) cat preparing ;;
esac
`;
const inhibit = `#!/bin/sh
cd "$(dirname "$0")"
echo "locked $*" >> account
for word; do program=$word; done
$program
echo released >> account
`;
const systemctl = `#!/bin/sh
cd "$(dirname "$0")"
echo "systemctl $*" >> account
echo '{"type":"t","data":30000000}' > delay
`;

async function createScene(t: TestContext, preparing = false) {
  const folder = await mkdtemp(join(tmpdir(), 'caelum-logind-'));
  const file = (name: string): string => join(folder, name);
  for (const [name, text] of Object.entries({ busctl, 'systemd-inhibit': inhibit, systemctl })) {
    await writeFile(file(name), text);
    await chmod(file(name), 0o755);
  }
  await mkdir(file('systemd'));
  await Promise.all([
    writeFile(file('signals'), ''),
    writeFile(file('account'), ''),
    writeFile(file('delay'), '{"type":"t","data":5000000}\n'),
    writeFile(file('preparing'), `{"type":"b","data":${preparing}}\n`),
  ]);
  const heard: string[] = [];
  const podsEnded = Promise.withResolvers<void>();
  const logind = new Logind({
    clock: realClock,
    log: silentLog,
    neededMs: 30_000,
    onShutdown: () => {
      heard.push('shutdown');
      return podsEnded.promise;
    },
    onCancelled: () => void heard.push('cancelled'),
    systemdFolder: file('systemd'),
    settingsFolder: file('settings'),
    programFolder: folder,
  });
  const account = async (): Promise<readonly string[]> =>
    (await readFile(file('account'), 'utf8')).split('\n').filter((line) => line !== '');
  const until = async (what: string, is: () => boolean | Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await is()); tries++) {
      assert.ok(tries < 3000, `${what}: heard ${heard.join()}; ${(await account()).join('\n')}`);
      await realClock.sleep(20);
    }
  };
  const times = async (word: string): Promise<number> =>
    (await account()).filter((line) => line.startsWith(word)).length;
  t.after(async () => {
    await logind.stop();
    // The lock's program writes its first line some time after it was started, and its last one after it has lost us.
    await until('locks are given back', async () => {
      const locked = await times('locked');
      return (locked > 0 || !existsSync(file('systemd'))) && locked === (await times('released'));
    });
    await rm(folder, { recursive: true, force: true });
  });
  const say = (isGoing: boolean): Promise<void> =>
    appendFile(
      file('signals'),
      `${JSON.stringify({ type: 'signal', member: 'PrepareForShutdown', payload: { type: 'b', data: [isGoing] } })}\n`,
    );
  return { logind, file, heard, account, until, times, say, podsEnded };
}

test('Logind holds up a shutdown until pods have ended', async (t) => {
  const { logind, file, heard, account, until, times, say, podsEnded } = await createScene(t);
  await logind.start();
  await until('locked', async () => (await times('locked')) === 1);
  const [reload, locked] = await account();
  assert.equal(reload, 'systemctl kill --signal=HUP systemd-logind.service');
  assert.match(locked ?? '', /--what=shutdown --who=caelum .*--mode=delay cat$/);
  assert.match(await readFile(join(file('settings'), '99-caelum.conf'), 'utf8'), /^InhibitDelayMaxSec=30$/m);
  await say(true);
  await until('heard', () => heard.length === 1);
  assert.deepEqual([heard, await times('released')], [['shutdown'], 0]);
  podsEnded.resolve();
  await until('given back', async () => (await times('released')) === 1);
  assert.equal(await times('locked'), 1);
});

test('Logind takes the lock again when a shutdown is called off', async (t) => {
  const { logind, heard, until, times, say, podsEnded } = await createScene(t);
  await logind.start();
  await until('locked', async () => (await times('locked')) === 1);
  podsEnded.resolve();
  await say(true);
  await until('given back', async () => (await times('released')) === 1);
  await say(false);
  await until('locked again', async () => (await times('locked')) === 2);
  assert.deepEqual(heard, ['shutdown', 'cancelled']);
});

test('Logind that is started while the machine goes down acts at once, and leaves no settings behind', async (t) => {
  const { logind, file, heard, until } = await createScene(t, true);
  await logind.start();
  await until('heard', () => heard.length === 1);
  await logind.stop();
  assert.equal(existsSync(join(file('settings'), '99-caelum.conf')), false);
});

test('Logind does nothing where there is no systemd', async (t) => {
  const { logind, file, account } = await createScene(t);
  await rm(file('systemd'), { recursive: true });
  await logind.start();
  assert.deepEqual(await account(), []);
});

test('goingOf() understands what busctl prints, and passes the rest over', () => {
  const line = (member: string, data: unknown): string =>
    JSON.stringify({ type: 'signal', member, payload: { type: 'b', data: [data] } });
  assert.deepEqual([line('PrepareForShutdown', true), line('PrepareForShutdown', false)].map(goingOf), [
    true,
    false,
  ]);
  for (const other of [line('PrepareForSleep', true), line('PrepareForShutdown', 'x'), '{', ''])
    assert.equal(goingOf(other), undefined);
});
