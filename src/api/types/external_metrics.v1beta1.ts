/** The types of external_metrics.v1beta1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. */
import type { ListMeta } from './meta.v1.ts';

export interface ExternalMetricValue {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metricName?: string;
  readonly metricLabels?: { readonly [key: string]: string };
  readonly timestamp?: string;
  readonly window?: number;
  readonly value?: string;
}

export interface ExternalMetricValueList {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ListMeta;
  readonly items?: readonly ExternalMetricValue[];
}
