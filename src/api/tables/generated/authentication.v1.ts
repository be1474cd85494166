/** The table of authentication.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
BoundObjectReference
  kind 1 string
  apiVersion 2 string
  name 3 string
  uid 4 string

SelfSubjectReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  status 2 SelfSubjectReviewStatus default={}

SelfSubjectReviewStatus
  userInfo 1 UserInfo default={}

TokenRequest kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 TokenRequestSpec default={}
  status 3 TokenRequestStatus default={}

TokenRequestSpec
  audiences 1 []string list=atomic
  boundObjectRef 3 BoundObjectReference
  expirationSeconds 4 int64 nullable

TokenRequestStatus
  token 1 string default=""
  expirationTimestamp 2 time

TokenReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 TokenReviewSpec default={}
  status 3 TokenReviewStatus default={}

TokenReviewSpec
  token! 1 string
  audiences 2 []string list=atomic

TokenReviewStatus
  authenticated 1 bool
  user 2 UserInfo default={}
  error 3 string
  audiences 4 []string list=atomic

UserInfo
  username 1 string
  uid 2 string
  groups 3 []string list=atomic
  extra 4 {}[]string
`;
