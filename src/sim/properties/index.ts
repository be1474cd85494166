/** Every property, one line each. What the store promises of durability is checked by `truth.ts` itself. */
import type { Property } from '../property.ts';
import { metadata } from './api/metadata.ts';
import { namespacesFurnished } from './api/namespaces.ts';
import { namespacesClosed } from './api/namespaces-closed.ts';
import { quotasKept } from './api/quotas-kept.ts';
import { copiesAgree } from './client/copies-agree.ts';
import { endpointsOfTheLiving } from './endpoints/of-the-living.ts';
import { onlyReadyEndpoints, uniqueAddresses } from './endpoints/only-ready.ts';
import { nothingElseGoes, orphansGo } from './garbage/collected.ts';
import { orphansKept } from './garbage/orphans-kept.ts';
import { foregroundLast, orphansStay } from './garbage/promises.ts';
import { seenDeleted } from './garbage/seen-deleted.ts';
import { agentTruth } from './node/agent-truth.ts';
import { evicted } from './node/evictions.ts';
import { nodesHealthy } from './node/health.ts';
import { lostIsTold } from './node/lost.ts';
import { noneStartsGoing } from './node/none-starts-going.ts';
import { podsRun } from './node/pods-run.ts';
import { noStorms } from './rest/no-storms.ts';
import { nothingWritten } from './rest/nothing-written.ts';
import { nothingTakenBlindly } from './scaling/careful.ts';
import { noFlapping, ratesKept, windowsKept } from './scaling/paced.ts';
import { loadMet, useRecommended } from './scaling/reached.ts';
import { useIsTrue } from './scaling/told.ts';
import { noEvictionStorms } from './scaling/vertical.ts';
import { allocationVerified } from './scheduler/allocation.ts';
import { boundOnce } from './scheduler/bound-once.ts';
import { devicesGivenBack, devicesHeldOnce } from './scheduler/devices.ts';
import { gangsBeginWhole, gangsGivenUpHalf, gangsReached, gangsTogether } from './scheduler/gangs.ts';
import { gpusWhole } from './scheduler/gpus.ts';
import { gatesKept, importantFirst, victimsLower } from './scheduler/importance.ts';
import { led } from './scheduler/led.ts';
import { noOvercommit } from './scheduler/no-overcommit.ts';
import { noneLeftWaiting } from './scheduler/none-left-waiting.ts';
import { onlyAnswered, profilesTold, wishesHeeded } from './scheduler/profiles.ts';
import { movesEnd, movesWithinLimits } from './scheduler/rebalancing.ts';
import { heldRoomKept, reservationsReached } from './scheduler/reservations.ts';
import { rulesKept } from './scheduler/rules-kept.ts';
import { guaranteesKept, queuesWithinMax, reclaimedForSomebody } from './scheduler/tenants.ts';
import { noneToTheGone, rulesReached, serviceAvailable } from './service-available.ts';
import { keptWhileHealthy } from './service-kept.ts';
import { volumesKept, volumesSettled } from './storage/volumes.ts';
import { objectsAreNotChanged } from './store/objects-are-not-changed.ts';
import { watchIsComplete } from './store/watch-is-complete.ts';
import { autoscalersCareful } from './workload/autoscalers.ts';
import { budgetsKept, budgetsTold } from './workload/budgets.ts';
import { daemonsOnce, daemonsReached } from './workload/daemon-sets.ts';
import { historyShort } from './workload/history.ts';
import { cronsAlone, jobsCount, jobsEnd } from './workload/jobs.ts';
import { noOvershoot } from './workload/no-overshoot.ts';
import { pauseKept } from './workload/paused.ts';
import { deploymentsReached, replicaSetsReached } from './workload/reached.ts';
import { recreateApart } from './workload/recreate.ts';
import { setsInOrder, setsReached } from './workload/stateful-sets.ts';
import { surge } from './workload/surge.ts';
import { unavailable } from './workload/unavailable.ts';
import { unreadyFirst } from './workload/unready-first.ts';

export const properties: readonly Property[] = [
  watchIsComplete,
  objectsAreNotChanged,
  copiesAgree,
  metadata,
  namespacesFurnished,
  namespacesClosed,
  quotasKept,
  volumesKept,
  volumesSettled,
  noOvercommit,
  allocationVerified,
  boundOnce,
  devicesHeldOnce,
  devicesGivenBack,
  rulesKept,
  noneLeftWaiting,
  importantFirst,
  victimsLower,
  gatesKept,
  guaranteesKept,
  reclaimedForSomebody,
  queuesWithinMax,
  gangsBeginWhole,
  gangsTogether,
  gangsGivenUpHalf,
  gangsReached,
  heldRoomKept,
  reservationsReached,
  gpusWhole,
  onlyAnswered,
  wishesHeeded,
  profilesTold,
  movesWithinLimits,
  movesEnd,
  led,
  surge,
  unavailable,
  noOvershoot,
  replicaSetsReached,
  deploymentsReached,
  pauseKept,
  recreateApart,
  historyShort,
  unreadyFirst,
  setsInOrder,
  setsReached,
  daemonsOnce,
  daemonsReached,
  jobsCount,
  jobsEnd,
  cronsAlone,
  budgetsKept,
  budgetsTold,
  autoscalersCareful,
  useIsTrue,
  nothingTakenBlindly,
  windowsKept,
  ratesKept,
  noFlapping,
  loadMet,
  useRecommended,
  noEvictionStorms,
  nodesHealthy,
  podsRun,
  agentTruth,
  lostIsTold,
  evicted,
  noneStartsGoing,
  onlyReadyEndpoints,
  uniqueAddresses,
  endpointsOfTheLiving,
  orphansGo,
  nothingElseGoes,
  orphansStay,
  orphansKept,
  foregroundLast,
  seenDeleted,
  serviceAvailable,
  keptWhileHealthy,
  noneToTheGone,
  rulesReached,
  nothingWritten,
  noStorms,
];
