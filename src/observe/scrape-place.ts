/** Where a program's metrics are, as the annotations say that Prometheus' users write: port, path and scheme. Pure. */
import type { Pod } from '../api/index.ts';
import { CaelumError } from '../lib/index.ts';

export interface ScrapePlace {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

const pathLengthMax = 1024;

/** Without a port the first that a container declares, or 80. Throws `invalid` for what is no place. */
export function placeOfMetrics({ metadata, spec, status }: Pod): ScrapePlace {
  const annotation = (name: string): string | undefined => metadata.annotations?.[`prometheus.io/${name}`];
  const scheme = annotation('scheme') ?? 'http';
  if (scheme !== 'http' && scheme !== 'https')
    throw refused(`prometheus.io/scheme: ${JSON.stringify(scheme.slice(0, 64))} is neither http nor https`);
  const declared = (spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .find(({ protocol }) => (protocol ?? 'TCP') === 'TCP')?.containerPort;
  const port = annotation('port') ?? String(declared ?? 80);
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535)
    throw refused(`prometheus.io/port: ${JSON.stringify(port.slice(0, 64))} is no port`);
  const path = annotation('path') ?? '/metrics';
  const full = path.startsWith('/') ? path : `/${path}`;
  if (!/^[!-~]*$/.test(full) || full.length > pathLengthMax)
    throw refused('prometheus.io/path: it is no path of a URL');
  const host = status?.podIP ?? '';
  if (host === '') throw refused('the pod has no address');
  return { scheme, host, port: Number(port), path: full };
}

const refused = (why: string): CaelumError => new CaelumError('invalid', why);
