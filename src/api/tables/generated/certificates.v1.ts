/** The table of certificates.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
CertificateSigningRequest kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 CertificateSigningRequestSpec default={}
  status 3 CertificateSigningRequestStatus default={}

CertificateSigningRequestCondition
  type! 1 string default=""
  reason 2 string
  message 3 string
  lastUpdateTime 4 time
  lastTransitionTime 5 time
  status! 6 string default=""

CertificateSigningRequestList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []CertificateSigningRequest

CertificateSigningRequestSpec
  request! 1 bytes
  username 2 string
  uid 3 string
  groups 4 []string list=atomic
  usages 5 []string list=atomic
  extra 6 {}[]string
  signerName! 7 string default=""
  expirationSeconds 8 int32 nullable

CertificateSigningRequestStatus
  conditions 1 []CertificateSigningRequestCondition list=map(type)
  certificate 2 bytes
`;
