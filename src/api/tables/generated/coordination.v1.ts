/** The table of coordination.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
Lease kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 LeaseSpec default={}

LeaseList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Lease

LeaseSpec
  holderIdentity 1 string nullable
  leaseDurationSeconds 2 int32 nullable
  acquireTime 3 microTime
  renewTime 4 microTime
  leaseTransitions 5 int32 nullable
  strategy 6 string nullable
  preferredHolder 7 string nullable
`;
