/** The types of metrics.v1beta1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. */
import type { ListMeta, ObjectMeta } from './meta.v1.ts';

export interface ContainerMetrics {
  readonly name?: string;
  readonly usage?: { readonly [key: string]: string };
}

export interface NodeMetrics {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly timestamp?: string;
  readonly window?: string;
  readonly usage?: { readonly [key: string]: string };
}

export interface NodeMetricsList {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ListMeta;
  readonly items?: readonly NodeMetrics[];
}

export interface PodMetrics {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly ContainerMetrics[];
}

export interface PodMetricsList {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ListMeta;
  readonly items?: readonly PodMetrics[];
}
