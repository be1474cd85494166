/**
 * The parts of a control plane, put together on whatever store: for the process of its own, and for `Cloud` inside a test.
 */
import { hostname } from 'node:os';
import {
  createHollowEndpoint,
  type HollowNodes,
  hollowMetricsOf,
  serveAgent,
  startHollowNodes,
  summaryOf,
} from '../agent/index.ts';
import type { CertificateSigningRequest } from '../api/index.ts';
import {
  type AdmissionPlugins,
  type Api,
  type ApiServer,
  AuditFile,
  type AuditOptions,
  agentOptions,
  createApi,
  createFirstObjects,
  createSecretTokenIssuer,
  createTokenIssuer,
  createWebhookClient,
  type ExtraPaths,
  type FrontProxy,
  keepFirstObjects,
  keepFlows,
  readAuditPolicy,
  serveApi,
} from '../apiserver/index.ts';
import { type Client, createInformers } from '../client/index.ts';
import { startControllers } from '../controllers/index.ts';
import type { Closing, Log } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { realRandom } from '../lib/io/real-random.ts';
import { createNodeReader, createObservation, createPodReader } from '../observe/index.ts';
import { startElectedScheduler, startRebalancer } from '../scheduler/index.ts';
import { createCertificateAuthority, type Pki } from '../security/index.ts';
import type { Store } from '../store/index.ts';
import { type AccessFiles, type OutsideAccess, readAccessFiles } from './access-files.ts';
import { createExplainPaths } from './explain-paths.ts';
import { createMetricsApis } from './metrics-apis.ts';
import { type CustomScores, schedulerSources } from './scheduler-sources.ts';
import type { AuditSettings } from './settings.ts';

export interface ControlPlaneOptions {
  readonly store: Store;
  readonly pki: Pki;
  readonly log: Log;
  readonly listen: { readonly host: string; readonly port: number };
  /** Where pods reach the API server. undefined: nowhere (no pods of this machine). Port 0: the one it listens on. */
  readonly advertise: { readonly address: string; readonly port: number } | undefined;
  readonly serviceCidr: string;
  readonly hollow: number;
  readonly hollowStartDelayMs?: number;
  readonly extra?: ExtraPaths;
  readonly audit?: AuditSettings;
  readonly access?: AccessFiles;
  readonly admission?: AdmissionPlugins;
  /** Custom scores of scheduling profiles that are functions, by name. */
  readonly scores?: CustomScores;
}

export interface ControlPlane {
  readonly server: ApiServer;
  readonly client: Client;
}

/** Often enough for a lease of 15 s; who is alone as a rule need not write more often. */
const leaseRenewMs = 5000;

/** As the certificate of `security/` has it. */
const frontProxyName = 'front-proxy-client';

/** Starts everything; what has to be closed is added to `closing`. Resolves when it is ready. */
export async function buildControlPlane(
  options: ControlPlaneOptions,
  closing: Closing,
): Promise<ControlPlane> {
  const { store, pki, log } = options;
  const webhooks = createWebhookClient();
  closing.add('webhooks', () => webhooks.close());
  const outside = await readAccessFiles(options.access ?? {}, { post: webhooks.post, clock: realClock, log });
  const frontProxy = frontProxyOf(pki, outside);
  const api = createApi({
    store,
    clock: realClock,
    random: realRandom,
    log: log.with({ part: 'api' }),
    serviceCidr: options.serviceCidr,
    issueToken: createTokenIssuer(pki.serviceAccountKey, () => realClock.nowMs()),
    post: webhooks.post,
    ...(options.admission === undefined ? {} : { admission: options.admission }),
    ...(outside.authorizers === undefined ? {} : { authorizers: outside.authorizers }),
  });
  const client = api.client();
  const informers = createInformers({
    client,
    clock: realClock,
    log: log.with({ part: 'informers' }),
    random: realRandom,
  });
  closing.add('informers', () => informers.stop());
  const common = { client, informers, clock: realClock, random: realRandom };
  const hollow: { nodes?: HollowNodes } = {};
  const observation = createObservation({
    ...common,
    log: log.with({ part: 'observation' }),
    registry: api.context.registry,
    readPod: createPodReader((pod) => {
      const { namespace = '', name = '' } = pod.metadata;
      const isHollow = hollow.nodes?.findPod(namespace, name) !== undefined;
      return isHollow ? (hollowMetricsOf(pod) ?? '') : undefined;
    }),
    readNode: createNodeReader(agentOptions(agentConnectionOf(pki)), (nodeName) => {
      const usage = hollow.nodes?.usage(nodeName);
      return usage === undefined ? undefined : summaryOf(usage);
    }),
  });
  closing.add('observation', () => observation.stop());
  api.serveComputed(...observation.apis);
  const explanations: {
    explain?: (podKey: string) => unknown;
    autoscaler?: (key: string) => unknown;
    elasticity?: (key: string) => unknown;
  } = {};
  const explain = createExplainPaths({
    pod: (podKey) => explanations.explain?.(podKey),
    autoscaler: (key) => explanations.autoscaler?.(key),
    elasticity: (key) => explanations.elasticity?.(key),
    access: (identity, asked) => api.context.access.explain(identity, asked),
  });
  const server = await serveApi({
    api,
    host: options.listen.host,
    port: options.listen.port,
    tls: { ca: pki.ca.cert, cert: pki.apiserver.cert, key: pki.apiserver.key },
    serviceAccountPublicKey: pki.serviceAccountPublicKeys,
    frontProxy,
    ...(outside.tokenJudges === undefined ? {} : { tokenJudges: outside.tokenJudges }),
    ...(outside.anonymous === undefined ? {} : { anonymous: outside.anonymous }),
    proxyClient: pki.frontProxyClient,
    agentConnection: agentConnectionOf(pki),
    ...openAudit(options, closing),
    extra: (request) => explain(request) || (options.extra?.(request) ?? false),
  });
  closing.add('API server', () => server.close());
  const flows = keepFlows(api.context, client);
  closing.add('flow control', () => flows.stop());
  const { advertise } = options;
  const address =
    advertise === undefined
      ? undefined
      : {
          address: advertise.address,
          port: advertise.port === 0 ? server.port : advertise.port,
          clusterIp: api.apiAddress,
        };
  const trust = {
    clientCa: pki.ca.cert,
    frontProxyCa: frontProxy.ca,
    allowedNames: frontProxy.allowedNames,
  };
  await createFirstObjects(client, address, trust, options.serviceCidr);
  const kept = keepFirstObjects(client, { clock: realClock, log }, address, trust, options.serviceCidr);
  closing.add('first objects', async () => kept.stop());
  const metrics = createMetricsApis(api, server, observation);
  const controllers = startControllers({
    ...common,
    log: log.with({ part: 'controllers' }),
    registry: api.context.registry,
    rootCaPem: pki.ca.cert,
    metrics,
    issueSecretToken: createSecretTokenIssuer(pki.serviceAccountKey),
    certificates: {
      authority: createCertificateAuthority(pki.ca),
      mayCreate: (request, subresource) => mayCreateRequest(api, request, subresource),
    },
  });
  closing.add('controllers', () => controllers.stop());
  explanations.autoscaler = (key) => controllers.explainAutoscaler(key);
  explanations.elasticity = (key) => controllers.explainElasticity(key);
  const scheduler = startElectedScheduler({
    ...common,
    log: log.with({ part: 'scheduler' }),
    sources: schedulerSources(metrics, options.scores),
    identity: `${hostname()}_caelum`,
    renewMs: leaseRenewMs,
  });
  closing.add('scheduler', () => scheduler.stop());
  explanations.explain = (podKey) => scheduler.explain(podKey);
  const rebalancer = startRebalancer({
    ...common,
    log: log.with({ part: 'rebalancer' }),
    isLeader: () => scheduler.isLeader,
  });
  closing.add('rebalancer', async () => rebalancer.stop());
  if (options.hollow > 0) hollow.nodes = await startHollow(options, common, closing);
  return { server, client };
}

function openAudit({ audit, log }: ControlPlaneOptions, closing: Closing): { readonly audit?: AuditOptions } {
  if (audit === undefined) return {};
  const file = new AuditFile({
    path: audit.file,
    nowMs: () => realClock.nowMs(),
    log: log.with({ part: 'audit' }),
  });
  // Before the server, which closes first: the last lines are of its last requests.
  closing.add('audit log', () => file.close());
  return { audit: { policy: readAuditPolicy(audit.policy), file, strict: audit.strict } };
}

/** Ours, which extension servers are called as, and those that were named to `caelum up`. */
function frontProxyOf({ frontProxyCa }: Pki, { proxyCa, proxyNames = [] }: OutsideAccess): FrontProxy {
  if (proxyCa === undefined) return { ca: frontProxyCa.cert, allowedNames: [frontProxyName] };
  return {
    ca: `${frontProxyCa.cert}\n${proxyCa}`,
    allowedNames: proxyNames.length === 0 ? [] : [frontProxyName, ...proxyNames],
  };
}

/** Whether the one who asked for a certificate may have it without anybody's looking. */
async function mayCreateRequest(
  api: Api,
  { username = '', uid, groups = [], extra }: CertificateSigningRequest['spec'],
  subresource: string,
): Promise<boolean> {
  const asker = {
    user: username,
    groups,
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
  const decision = await api.context.access.ask(asker, {
    kind: 'resource',
    verb: 'create',
    group: 'certificates.k8s.io',
    version: 'v1',
    resource: 'certificatesigningrequests',
    subresource,
    namespace: '',
    name: '',
  });
  return decision.allowed;
}

async function startHollow(
  options: ControlPlaneOptions,
  common: Pick<Parameters<typeof startHollowNodes>[0], 'client' | 'informers' | 'clock' | 'random'>,
  closing: Closing,
): Promise<HollowNodes> {
  const { pki, log } = options;
  const nodesReady = Promise.withResolvers<Awaited<ReturnType<typeof startHollowNodes>>>();
  const agent = await serveAgent({
    host: '127.0.0.1',
    port: 0,
    ca: pki.ca.cert,
    cert: pki.agent.cert,
    key: pki.agent.key,
    log: log.with({ part: 'hollow' }),
    endpoint: nodesReady.promise.then((nodes) => createHollowEndpoint(nodes, common.clock)),
  });
  closing.add('simulated agents', () => agent.close());
  const nodes = await startHollowNodes({
    ...common,
    log: log.with({ part: 'hollow' }),
    count: options.hollow,
    serverPort: agent.port,
    ...(options.hollowStartDelayMs === undefined ? {} : { startDelayMs: options.hollowStartDelayMs }),
  });
  closing.add('simulated nodes', () => nodes.stop());
  nodesReady.resolve(nodes);
  return nodes;
}

const agentConnectionOf = ({ ca, apiserverAgentClient: { cert, key } }: Pki) => ({ ca: ca.cert, cert, key });
