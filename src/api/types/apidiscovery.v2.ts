/** The types of apidiscovery.v2. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. */
import type { GroupVersionKind, ListMeta, ObjectMeta } from './meta.v1.ts';

export interface APIGroupDiscovery {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly versions?: readonly APIVersionDiscovery[];
}

export interface APIGroupDiscoveryList {
  readonly metadata?: ListMeta;
  readonly items?: readonly APIGroupDiscovery[];
}

export interface APIResourceDiscovery {
  readonly resource?: string;
  readonly responseKind?: GroupVersionKind;
  readonly scope?: string;
  readonly singularResource?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly APISubresourceDiscovery[];
}

export interface APISubresourceDiscovery {
  readonly subresource?: string;
  readonly responseKind?: GroupVersionKind;
  readonly acceptedTypes?: readonly GroupVersionKind[];
  readonly verbs?: readonly string[];
}

export interface APIVersionDiscovery {
  readonly version?: string;
  readonly resources?: readonly APIResourceDiscovery[];
  readonly freshness?: string;
}
