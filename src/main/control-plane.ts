/**
 * The process of the control plane: store, API server, controllers, scheduler, and the simulated nodes where they are asked for.
 *
 *   open store ─▶ API ─▶ HTTPS listens, first objects ─▶ controllers, scheduler, simulated nodes ─▶ ready
 */
import { join } from 'node:path';
import { CaelumError, Closing, type Log } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { ensurePki } from '../security/index.ts';
import { openSqliteStore } from '../store/index.ts';
import { buildControlPlane } from './control-plane-parts.ts';
import { awaitAgent } from './going-down.ts';
import type { Layout } from './layout.ts';
import type { Running } from './running.ts';
import { agentNames, apiNames, type Settings } from './settings.ts';
import { createSnapshotPaths } from './snapshot-paths.ts';

export async function startControlPlane(layout: Layout, settings: Settings, log: Log): Promise<Running> {
  const closing = new Closing();
  try {
    const pki = await ensurePki({
      directory: layout.pki,
      nodeName: settings.nodeName,
      names: apiNames(settings),
      agentNames: agentNames(settings),
      nowMs: realClock.nowMs(),
    });
    const store = await openSqliteStore({
      file: layout.store,
      clock: realClock,
      log: log.with({ part: 'store' }),
    });
    closing.add('store', () => store.close());
    await buildControlPlane(
      {
        store,
        pki,
        log,
        listen: { host: settings.apiHost, port: settings.apiPort },
        advertise: { address: settings.nodeAddress, port: settings.apiPort },
        serviceCidr: settings.network.serviceCidr,
        hollow: settings.hollow,
        ...(settings.audit === undefined ? {} : { audit: settings.audit }),
        ...(settings.access === undefined ? {} : { access: settings.access }),
        ...(settings.admission === undefined ? {} : { admission: settings.admission }),
        extra: createSnapshotPaths(store, join(layout.data, 'run')),
      },
      closing,
    );
  } catch (error) {
    await closing.close();
    if (
      (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ||
      (error as NodeJS.ErrnoException).code === 'EACCES'
    )
      throw portError(settings, error as NodeJS.ErrnoException);
    throw error;
  }
  return {
    stop: async () => {
      await awaitAgent(layout, settings, log);
      for (const error of await closing.close()) log.warn('closing', { error });
    },
  };
}

function portError(settings: Settings, error: NodeJS.ErrnoException): CaelumError {
  const why =
    error.code === 'EACCES' ? 'this user may not use the port' : 'the port is taken by another program';
  return new CaelumError(
    'unavailable',
    `Cannot listen on ${settings.apiHost}:${settings.apiPort}: ${why}; choose another with --api-port`,
  );
}
