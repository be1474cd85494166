/**
 * The process of a node: pods as containers, virtual IPs, DNS.
 *
 *   runtime, network, images ─▶ agent registers the node ─▶ pods │ services: rules, DNS ─▶ node Ready ─▶ ready
 */
import { parseNodeConfig, startAgent } from '../agent/index.ts';
import { createHttpClient, createInformers, type HttpClient } from '../client/index.ts';
import { Closing, isError, type Log } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { realRandom } from '../lib/io/real-random.ts';
import { ensurePki } from '../security/index.ts';
import { ensureDnsService, startDns, startServiceRules } from '../services/index.ts';
import { timeForPods } from './going-down.ts';
import type { Layout } from './layout.ts';
import { nodePodCidr, openNode } from './node-parts.ts';
import type { Running } from './running.ts';
import { agentNames, apiNames, apiUrl, clusterDomain, type Settings } from './settings.ts';

export async function startNodeAgent(layout: Layout, settings: Settings, log: Log): Promise<Running> {
  const closing = new Closing();
  const pki = await ensurePki({
    directory: layout.pki,
    nodeName: settings.nodeName,
    names: apiNames(settings),
    agentNames: agentNames(settings),
    nowMs: realClock.nowMs(),
  });
  const client = createHttpClient({
    server: apiUrl(settings),
    ca: pki.ca.cert,
    cert: pki.node.cert,
    key: pki.node.key,
  });
  closing.add('client', () => client.close());
  const informers = createInformers({
    client,
    clock: realClock,
    log: log.with({ part: 'informers' }),
    random: realRandom,
  });
  closing.add('informers', () => informers.stop());
  const [parts] = await Promise.all([openNode(layout, settings.network, log), whenReachable(client, log)]);
  closing.add('runtime', () => parts.runtime.close());
  const agent = await startAgent({
    client,
    informers,
    clock: realClock,
    random: realRandom,
    log: log.with({ part: 'agent' }),
    ...parts,
    nodeName: settings.nodeName,
    nodeAddress: settings.nodeAddress,
    dataDirectory: layout.node,
    imagesDirectory: layout.images,
    config: parseNodeConfig(settings.node),
    clusterDns: settings.network.dnsAddress,
    clusterDomain,
    server: { ca: pki.ca.cert, cert: pki.agent.cert, key: pki.agent.key, host: '0.0.0.0', port: 0 },
  });
  closing.add('agent', () => agent.stop());
  const rules = startServiceRules({
    informers,
    clock: realClock,
    log: log.with({ part: 'services' }),
    nodeName: settings.nodeName,
    table: settings.network.serviceTable,
    podCidr: nodePodCidr(settings.network),
    serviceCidr: settings.network.serviceCidr,
    bridge: settings.network.bridgeName,
  });
  closing.add('virtual IPs', () => rules.stop());
  const dns = await startDns({
    informers,
    clock: realClock,
    log: log.with({ part: 'dns' }),
    addresses: [settings.network.bridgeAddress],
    port: 53,
    clusterDomain,
  });
  closing.add('DNS', () => dns.close());
  await ensureDnsService({
    client,
    clusterIp: settings.network.dnsAddress,
    addresses: [settings.network.bridgeAddress],
    nodeName: settings.nodeName,
  });
  return {
    stop: async () => {
      if ((await timeForPods(layout, settings)) > 0) await agent.endPods();
      for (const error of await closing.close()) log.warn('closing', { error });
    },
  };
}

/** Control plane and agent start side by side; whichever is first waits. */
async function whenReachable(client: HttpClient, log: Log): Promise<void> {
  const startedMs = realClock.monotonicMs();
  for (let delayMs = 10; ; delayMs = Math.min(1000, delayMs * 1.3)) {
    try {
      await client.request('GET', '/version');
      return;
    } catch (error) {
      if (!isError(error, 'unavailable')) throw error;
      if (realClock.monotonicMs() - startedMs > 10_000)
        log.warn('the API server is not there yet', { error });
      await realClock.sleep(delayMs);
    }
  }
}
