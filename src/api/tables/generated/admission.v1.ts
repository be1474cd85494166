/** The table of admission.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
AdmissionRequest
  uid 1 string
  kind 2 meta.v1.GroupVersionKind
  resource 3 meta.v1.GroupVersionResource
  subResource 4 string
  name 5 string
  namespace 6 string
  operation 7 string
  userInfo 8 authentication.v1.UserInfo
  object 9 json
  oldObject 10 json
  dryRun 11 bool nullable
  options 12 json
  requestKind 13 meta.v1.GroupVersionKind
  requestResource 14 meta.v1.GroupVersionResource
  requestSubResource 15 string

AdmissionResponse
  uid 1 string
  allowed 2 bool
  status 3 meta.v1.Status
  patch 4 bytes
  patchType 5 string nullable
  auditAnnotations 6 {}string
  warnings 7 []string

AdmissionReview kind
  apiVersion - string
  kind - string
  request 1 AdmissionRequest
  response 2 AdmissionResponse
`;
