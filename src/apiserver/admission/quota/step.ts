/**
 * ResourceQuota: no namespace uses more than its quotas let it, however many ask at once. The last step: nothing is promised that another would refuse. Pure.
 * Source: Kubernetes 1.36, k8s.io/apiserver/pkg/admission/plugin/resourcequota, as behaviour.
 */
import {
  type Amounts,
  addUsage,
  canGrow,
  compareQuantities,
  contribution,
  type KubeObject,
  type Pod,
  subtractQuantities,
  takeUsage,
  unsaid,
} from '../../../api/index.ts';
import type { Admission, AdmissionContext, AdmissionStep } from '../chain.ts';
import { refused } from '../refusal.ts';
import { type Account, QuotaBook } from './account.ts';

export function resourceQuota(context: AdmissionContext): AdmissionStep {
  const book = new QuotaBook(context);
  return {
    name: 'ResourceQuota',
    concerns: ({ kind, groupResource }, subresource, operation) =>
      kind.namespaced &&
      (operation === 'CREATE'
        ? subresource === ''
        : operation === 'UPDATE' &&
          canGrow(groupResource) &&
          (subresource === '' || (groupResource === 'pods' && subresource === 'resize'))),
    handles: ({ namespace }) => book.has(namespace),
    validate: (admission) => check(book, admission),
  };
}

interface Use {
  readonly account: Account;
  readonly amounts: Amounts;
}

function check(book: QuotaBook, admission: Admission): void {
  const promises: Use[] = [];
  for (const account of book.accounts(admission.namespace)) {
    const amounts = wanted(account, admission);
    if (amounts === undefined) continue;
    checkFits(book, admission, account, amounts);
    promises.push({ account, amounts });
  }
  if (admission.dryRun || promises.length === 0) return;
  const uid = admission.object?.metadata.uid ?? '';
  for (const { account, amounts } of promises)
    account.promised.set(uid, [...(account.promised.get(uid) ?? []), amounts]);
  admission.afterwards(() => {
    for (const { account, amounts } of promises) {
      const left = account.promised.get(uid)?.filter((one) => one !== amounts);
      if (left === undefined || left.length === 0) account.promised.delete(uid);
      else account.promised.set(uid, left);
    }
  });
}

/** What the write uses beyond what there is; undefined: nothing, or the quota is not about it. */
function wanted({ quota }: Account, admission: Admission): Amounts | undefined {
  const { resource, object, oldObject, operation } = admission;
  const { groupResource } = resource;
  const usage = contribution(quota, groupResource, object as unknown as KubeObject);
  if (usage === undefined) return undefined;
  if (groupResource === 'pods' && (operation === 'CREATE' || admission.subresource === 'resize')) {
    const why = unsaid(object as unknown as Pod, Object.keys(quota.spec?.hard ?? {}));
    if (why !== undefined)
      throw refused(admission, `failed quota: ${quota.metadata.name}: must specify ${why}`);
  }
  const before = oldObject === undefined ? undefined : contribution(quota, groupResource, oldObject);
  const more: Record<string, string> = {};
  for (const [name, amount] of Object.entries(usage)) {
    const difference = before?.[name] === undefined ? amount : subtractQuantities(amount, before[name]);
    if (compareQuantities(difference, '0') > 0) more[name] = difference;
  }
  return Object.keys(more).length === 0 ? undefined : more;
}

function checkFits(book: QuotaBook, admission: Admission, account: Account, amounts: Amounts): void {
  const { quota } = account;
  let used = usedWith(account);
  let exceeded = exceeding(account, used, amounts);
  if (exceeded.length === 0) return;
  used = { ...used };
  takeUsage(used, book.overdue(admission.namespace, quota));
  if (admission.resource.groupResource === 'pods' && admission.operation === 'CREATE') {
    const credit = book.credit(admission.namespace, admission.object as unknown as Pod) ?? {};
    takeUsage(used, Object.fromEntries(Object.entries(credit).filter(([name]) => used[name] !== undefined)));
  }
  exceeded = exceeding(account, used, amounts);
  if (exceeded.length === 0) return;
  const text = (of: Amounts): string => exceeded.map((name) => `${name}=${of[name] ?? '0'}`).join(',');
  throw refused(
    admission,
    `exceeded quota: ${quota.metadata.name}, requested: ${text(amounts)}, used: ${text(used)}, limited: ${text(quota.spec?.hard ?? {})}`,
  );
}

function usedWith({ used, promised }: Account): Record<string, string> {
  if (promised.size === 0) return used;
  const all = { ...used };
  for (const list of promised.values()) for (const amounts of list) addUsage(all, amounts);
  return all;
}

function exceeding({ quota }: Account, used: Amounts, amounts: Amounts): readonly string[] {
  const sum: Record<string, string> = { ...used };
  addUsage(sum, amounts);
  return Object.keys(amounts)
    .filter((name) => {
      const hard = quota.spec?.hard?.[name];
      return hard !== undefined && compareQuantities(sum[name] ?? '0', hard) > 0;
    })
    .sort();
}
