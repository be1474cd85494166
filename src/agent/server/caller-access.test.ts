/** Who may see an agent's figures by a token: asked once for a while, refused soon again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, SubjectAccessReview, TokenReview, UserInfo } from '../../api/index.ts';
import { createFakeClient } from '../../client/index.ts';
import { SeededRandom, SimulatedClock } from '../../lib/index.ts';
import { CallerAccess } from './caller-access.ts';

function start() {
  const clock = new SimulatedClock();
  const client = createFakeClient({ clock, random: new SeededRandom(1) });
  const asked: string[] = [];
  /** By user: what he may. */
  const roles = new Map<string, readonly string[]>([
    ['reader', ['metrics']],
    ['admin', ['proxy']],
  ]);
  const create = async <T extends KubeObject>(_ref: unknown, object: T): Promise<T> => {
    if (object.kind === 'TokenReview') {
      const { token = '' } = (object as unknown as TokenReview).spec;
      asked.push(`who is ${token}`);
      const user = { username: token, groups: ['some'], extra: { a: ['b'] } };
      return { ...object, status: roles.has(token) ? { authenticated: true, user } : { error: 'no' } };
    }
    const {
      user = '',
      groups,
      extra,
      resourceAttributes = {},
    } = (object as unknown as SubjectAccessReview).spec;
    const { verb, resource, subresource = '', name } = resourceAttributes;
    asked.push(`${user} ${verb} ${resource}/${subresource} ${name}`);
    assert.deepEqual([groups, extra], [['some'], { a: ['b'] }]);
    return { ...object, status: { allowed: roles.get(user)?.includes(subresource) === true } };
  };
  const access = new CallerAccess({ client: { ...client, create } as never, clock, nodeName: 'n' });
  const check = (token: string | undefined, path: string, certified?: UserInfo): Promise<string> =>
    access.check(certified, token === undefined ? undefined : `Bearer ${token}`, path).then(
      () => 'yes',
      (error: Error) => error.message,
    );
  return { clock, asked, roles, check };
}

test('CallerAccess.check() lets through whom roles let through, and says to others what they lack', async () => {
  const { check } = start();
  const forbidden = (user: string, what: string) =>
    `Forbidden (user=${user}, verb=get, resource=nodes, subresource(s)=[${what}])`;
  const cases: readonly (readonly [string | undefined, string, string])[] = [
    ['reader', 'metrics', 'yes'],
    ['reader', 'stats', forbidden('reader', 'stats proxy')],
    ['admin', 'stats', 'yes'],
    ['admin', 'healthz', 'yes'],
    // Roles say it may; what can be done there is for the API server alone.
    ['admin', 'exec', forbidden('admin', 'proxy')],
    ['admin', 'containerLogs', forbidden('admin', 'proxy')],
    ['admin', '__proto__', forbidden('admin', 'proxy')],
    ['nobody', 'metrics', 'Unauthorized'],
    [undefined, 'metrics', 'Unauthorized'],
    ['a b', 'metrics', 'Unauthorized'],
    ['x'.repeat(20_000), 'metrics', 'Unauthorized'],
  ];
  const certified = { username: 'reader', groups: ['some'], extra: { a: ['b'] } };
  assert.equal(await check(undefined, 'metrics', certified), 'yes');
  assert.equal(await check('admin', 'stats', certified), forbidden('reader', 'stats proxy'));
  for (const [token, path, expected] of cases)
    assert.equal(await check(token, path), expected, `${token} ${path}`);
});

test('CallerAccess.check() keeps answers for a while, refusals for less', async () => {
  const { check, asked, roles, clock } = start();
  for (let times = 0; times < 3; times++) await check('reader', 'metrics');
  assert.deepEqual(asked.splice(0), ['who is reader', 'reader get nodes/metrics n']);
  await check('reader', 'pods');
  await check('nobody', 'pods');
  roles.set('reader', ['metrics', 'pods']);
  roles.set('nobody', ['pods']);
  assert.notEqual(await check('reader', 'pods'), 'yes');
  await clock.advance(11_000);
  assert.equal(await check('reader', 'pods'), 'yes');
  assert.equal(await check('nobody', 'pods'), 'yes');
  roles.delete('reader');
  await clock.advance(100_000);
  assert.equal(await check('reader', 'metrics'), 'yes');
  await clock.advance(21_000);
  assert.equal(await check('reader', 'metrics'), 'Unauthorized');
});
