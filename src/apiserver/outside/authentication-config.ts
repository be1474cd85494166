/**
 * The file that says whose tokens are believed beside our own, and where strangers may go: an AuthenticationConfiguration, read and checked. Pure.
 * Source: Kubernetes 1.36, apiserver.config.k8s.io/v1, as behaviour.
 */
import { CaelumError } from '../../lib/index.ts';
import { type ClaimReader, compileClaims, type JwtSettings, type Problem } from './jwt-claims.ts';

export interface JwtIssuer {
  readonly url: string;
  readonly discoveryUrl: string;
  /** PEM; undefined: the system's authorities. */
  readonly ca: string | undefined;
  readonly audiences: readonly string[];
  readonly read: ClaimReader;
}

export interface OutsideAuthentication {
  readonly issuers: readonly JwtIssuer[];
  readonly anonymous: { readonly enabled: boolean; readonly paths: readonly string[] } | undefined;
}

interface Configuration {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly jwt?: readonly JwtSettings[];
  readonly anonymous?: {
    readonly enabled?: boolean;
    readonly conditions?: readonly { readonly path?: string }[];
  };
}

const versions = ['v1', 'v1beta1'].map((version) => `apiserver.config.k8s.io/${version}`);

/** Throws `invalid` with every problem. `ownIssuer` is taken. */
export function readAuthenticationConfig(value: unknown, ownIssuer: string): OutsideAuthentication {
  const problems: string[] = [];
  const problem: Problem = (field, why) => problems.push(`${field}: ${why}`);
  const { apiVersion = '', kind = '', jwt = [], anonymous } = (value ?? {}) as Configuration;
  if (!versions.includes(apiVersion) || kind !== 'AuthenticationConfiguration')
    problem(
      'kind',
      `Invalid value: "${apiVersion}, ${kind}": must be AuthenticationConfiguration of ${versions.join(' or ')}`,
    );
  const seen = new Set<string>([ownIssuer]);
  const issuers = jwt.map((settings, index) => issuerOf(settings, `jwt[${index}]`, problem, seen));
  const paths = (anonymous?.conditions ?? []).map(({ path = '' }) => path);
  if (paths.length > 0 && anonymous?.enabled !== true)
    problem(
      'anonymous.conditions',
      'Invalid value: enabled should be set to true when conditions are defined',
    );
  if (problems.length > 0)
    throw new CaelumError('invalid', `Cannot use authentication configuration: ${problems.join('; ')}`);
  return {
    issuers,
    anonymous: anonymous === undefined ? undefined : { enabled: anonymous.enabled === true, paths },
  };
}

function issuerOf(settings: JwtSettings, at: string, problem: Problem, seen: Set<string>): JwtIssuer {
  const {
    url = '',
    discoveryURL = '',
    certificateAuthority = '',
    audiences = [],
    audienceMatchPolicy = '',
  } = settings.issuer ?? {};
  checkUrl(url, `${at}.issuer.url`, problem);
  if (seen.has(url)) problem(`${at}.issuer.url`, `Duplicate value: ${JSON.stringify(url)}`);
  seen.add(url);
  if (discoveryURL !== '') {
    checkUrl(discoveryURL, `${at}.issuer.discoveryURL`, problem);
    if (discoveryURL.replace(/\/$/, '') === url.replace(/\/$/, ''))
      problem(
        `${at}.issuer.discoveryURL`,
        `Invalid value: ${JSON.stringify(discoveryURL)}: discoveryURL must be different from URL`,
      );
  }
  if (audiences.length === 0)
    problem(`${at}.issuer.audiences`, 'Required value: at least one jwt[*].issuer.audiences is required');
  if (audiences.some((one) => one === ''))
    problem(`${at}.issuer.audiences`, "Required value: audience can't be empty");
  if (audiences.length > 1 && audienceMatchPolicy !== 'MatchAny')
    problem(
      `${at}.issuer.audienceMatchPolicy`,
      `Invalid value: ${JSON.stringify(audienceMatchPolicy)}: audienceMatchPolicy must be MatchAny for multiple audiences`,
    );
  if (certificateAuthority !== '' && !certificateAuthority.includes('-----BEGIN CERTIFICATE-----'))
    problem(
      `${at}.issuer.certificateAuthority`,
      'Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
    );
  return {
    url,
    discoveryUrl:
      discoveryURL === '' ? `${url.replace(/\/$/, '')}/.well-known/openid-configuration` : discoveryURL,
    ca: certificateAuthority === '' ? undefined : certificateAuthority,
    audiences,
    read: compileClaims(settings, at, problem),
  };
}

function checkUrl(text: string, field: string, problem: Problem): void {
  const why = (what: string): void => problem(field, `Invalid value: ${JSON.stringify(text)}: ${what}`);
  if (text === '') problem(field, 'Required value: URL is required');
  else {
    const url = URL.parse(text);
    if (url === null || url.protocol !== 'https:') why('URL scheme must be https');
    else if (url.username !== '' || url.password !== '') why('URL must not contain a username or password');
    else if (url.search !== '') why('URL must not contain a query');
    else if (url.hash !== '') why('URL must not contain a fragment');
  }
}
