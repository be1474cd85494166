/** The table of authorization.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
FieldSelectorAttributes
  rawSelector 1 string
  requirements 2 []meta.v1.FieldSelectorRequirement list=atomic

LabelSelectorAttributes
  rawSelector 1 string
  requirements 2 []meta.v1.LabelSelectorRequirement list=atomic

LocalSubjectAccessReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SubjectAccessReviewSpec default={}
  status 3 SubjectAccessReviewStatus default={}

NonResourceAttributes
  path 1 string
  verb 2 string

NonResourceRule
  verbs! 1 []string list=atomic
  nonResourceURLs 2 []string list=atomic

ResourceAttributes
  namespace 1 string
  verb 2 string
  group 3 string
  version 4 string
  resource 5 string
  subresource 6 string
  name 7 string
  fieldSelector 8 FieldSelectorAttributes
  labelSelector 9 LabelSelectorAttributes

ResourceRule
  verbs! 1 []string list=atomic
  apiGroups 2 []string list=atomic
  resources 3 []string list=atomic
  resourceNames 4 []string list=atomic

SelfSubjectAccessReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SelfSubjectAccessReviewSpec default={}
  status 3 SubjectAccessReviewStatus default={}

SelfSubjectAccessReviewSpec
  resourceAttributes 1 ResourceAttributes
  nonResourceAttributes 2 NonResourceAttributes

SelfSubjectRulesReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SelfSubjectRulesReviewSpec default={}
  status 3 SubjectRulesReviewStatus default={}

SelfSubjectRulesReviewSpec
  namespace 1 string

SubjectAccessReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SubjectAccessReviewSpec default={}
  status 3 SubjectAccessReviewStatus default={}

SubjectAccessReviewSpec
  resourceAttributes 1 ResourceAttributes
  nonResourceAttributes 2 NonResourceAttributes
  user 3 string
  groups 4 []string list=atomic
  extra 5 {}[]string
  uid 6 string

SubjectAccessReviewStatus
  allowed! 1 bool default=false
  reason 2 string
  evaluationError 3 string
  denied 4 bool

SubjectRulesReviewStatus
  resourceRules! 1 []ResourceRule list=atomic
  nonResourceRules! 2 []NonResourceRule list=atomic
  incomplete! 3 bool default=false
  evaluationError 4 string
`;
