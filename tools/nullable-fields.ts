/**
 * Scalar fields whose zero value means something else than their absence (pointers in Go), by message. The published schemas
 * do not tell these from plain values, and protobuf clients send plain values even when they are zero: without this list
 * `replicas: 0` and "no replicas given" would look alike, or every object would be full of `false`.
 */
const text = `
admission.v1.AdmissionRequest dryRun
admission.v1.AdmissionResponse patchType
admissionregistration.v1.MutatingWebhook timeoutSeconds
admissionregistration.v1.ValidatingWebhook timeoutSeconds
admissionregistration.v1.ServiceReference port path
admissionregistration.v1.WebhookClientConfig url
admissionregistration.v1.Validation reason
apiextensions.v1.CustomResourceDefinitionVersion deprecationWarning
apiextensions.v1.JSONSchemaProps maximum minimum maxLength minLength maxItems minItems multipleOf maxProperties minProperties x-kubernetes-preserve-unknown-fields x-kubernetes-list-type x-kubernetes-map-type
apiextensions.v1.ServiceReference port path
apiextensions.v1.ValidationRule optionalOldSelf reason
apiextensions.v1.WebhookClientConfig url
apiregistration.v1.ServiceReference port
apps.v1.DaemonSetSpec revisionHistoryLimit
apps.v1.DaemonSetStatus collisionCount
apps.v1.DeploymentSpec replicas revisionHistoryLimit progressDeadlineSeconds
apps.v1.DeploymentStatus collisionCount terminatingReplicas
apps.v1.ReplicaSetSpec replicas
apps.v1.ReplicaSetStatus terminatingReplicas
apps.v1.RollingUpdateStatefulSetStrategy partition
apps.v1.StatefulSetSpec replicas revisionHistoryLimit
apps.v1.StatefulSetStatus collisionCount
authentication.v1.TokenRequestSpec expirationSeconds
autoscaling.v1.ContainerResourceMetricSource targetAverageUtilization
autoscaling.v1.ContainerResourceMetricStatus currentAverageUtilization
autoscaling.v1.HorizontalPodAutoscalerSpec minReplicas targetCPUUtilizationPercentage
autoscaling.v1.HorizontalPodAutoscalerStatus observedGeneration currentCPUUtilizationPercentage
autoscaling.v1.ResourceMetricSource targetAverageUtilization
autoscaling.v1.ResourceMetricStatus currentAverageUtilization
autoscaling.v2.HPAScalingRules stabilizationWindowSeconds selectPolicy
autoscaling.v2.HorizontalPodAutoscalerSpec minReplicas
autoscaling.v2.HorizontalPodAutoscalerStatus observedGeneration
autoscaling.v2.MetricTarget averageUtilization
autoscaling.v2.MetricValueStatus averageUtilization
batch.v1.CronJobSpec startingDeadlineSeconds suspend successfulJobsHistoryLimit failedJobsHistoryLimit timeZone
batch.v1.JobSpec parallelism completions activeDeadlineSeconds manualSelector backoffLimit ttlSecondsAfterFinished suspend backoffLimitPerIndex maxFailedIndexes completionMode podReplacementPolicy managedBy
batch.v1.JobStatus ready terminating failedIndexes
batch.v1.PodFailurePolicyOnExitCodesRequirement containerName
batch.v1.SuccessPolicyRule succeededCount succeededIndexes
certificates.v1.CertificateSigningRequestSpec expirationSeconds
coordination.v1.LeaseSpec leaseDurationSeconds leaseTransitions holderIdentity strategy preferredHolder
core.v1.AzureDiskVolumeSource readOnly cachingMode fsType kind
core.v1.AzureFilePersistentVolumeSource secretNamespace
core.v1.CSIVolumeSource readOnly fsType
core.v1.ClientIPConfig timeoutSeconds
core.v1.ClusterTrustBundleProjection optional name signerName
core.v1.ConfigMap immutable
core.v1.ConfigMapEnvSource optional
core.v1.ConfigMapKeySelector optional
core.v1.ConfigMapProjection optional
core.v1.ConfigMapVolumeSource defaultMode optional
core.v1.Container restartPolicy
core.v1.ContainerStatus started
core.v1.DownwardAPIVolumeFile mode
core.v1.DownwardAPIVolumeSource defaultMode
core.v1.EndpointAddress nodeName
core.v1.EndpointPort appProtocol
core.v1.EphemeralContainer restartPolicy
core.v1.FCVolumeSource lun
core.v1.FileKeySelector optional
core.v1.GlusterfsPersistentVolumeSource endpointsNamespace
core.v1.GRPCAction service
core.v1.HostPathVolumeSource type
core.v1.ISCSIPersistentVolumeSource initiatorName
core.v1.ISCSIVolumeSource initiatorName
core.v1.KeyToPath mode
core.v1.LoadBalancerIngress ipMode
core.v1.LocalVolumeSource fsType
core.v1.NodeFeatures supplementalGroupsPolicy
core.v1.NodeRuntimeHandlerFeatures recursiveReadOnlyMounts userNamespaces
core.v1.NodeSwapStatus capacity
core.v1.PersistentVolumeClaimSpec storageClassName volumeMode volumeAttributesClassName
core.v1.PersistentVolumeClaimStatus currentVolumeAttributesClassName
core.v1.PersistentVolumeSpec volumeMode volumeAttributesClassName
core.v1.PodCertificateProjection maxExpirationSeconds
core.v1.PodDNSConfigOption value
core.v1.PodLogOptions sinceSeconds tailLines limitBytes stream
core.v1.PodResourceClaim resourceClaimName resourceClaimTemplateName
core.v1.PodResourceClaimStatus resourceClaimName
core.v1.PodSchedulingGroup podGroupName
core.v1.PodSecurityContext runAsUser runAsNonRoot fsGroup runAsGroup fsGroupChangePolicy supplementalGroupsPolicy seLinuxChangePolicy
core.v1.PodSpec terminationGracePeriodSeconds activeDeadlineSeconds automountServiceAccountToken priority shareProcessNamespace enableServiceLinks setHostnameAsFQDN hostUsers runtimeClassName preemptionPolicy hostnameOverride
core.v1.PortStatus error
core.v1.Probe terminationGracePeriodSeconds
core.v1.ProjectedVolumeSource defaultMode
core.v1.ReplicationControllerSpec replicas
core.v1.SeccompProfile localhostProfile
core.v1.AppArmorProfile localhostProfile
core.v1.Secret immutable
core.v1.SecretEnvSource optional
core.v1.SecretKeySelector optional
core.v1.SecretProjection optional
core.v1.SecretVolumeSource defaultMode optional
core.v1.SecurityContext privileged runAsUser runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation runAsGroup procMount
core.v1.ServiceAccount automountServiceAccountToken
core.v1.ServiceAccountTokenProjection expirationSeconds
core.v1.ServicePort appProtocol
core.v1.ServiceSpec allocateLoadBalancerNodePorts ipFamilyPolicy loadBalancerClass internalTrafficPolicy trafficDistribution
core.v1.Toleration tolerationSeconds
core.v1.TopologySpreadConstraint minDomains nodeAffinityPolicy nodeTaintsPolicy
core.v1.TypedLocalObjectReference apiGroup
core.v1.TypedObjectReference apiGroup namespace
core.v1.VolumeMount mountPropagation recursiveReadOnly
core.v1.VolumeMountStatus recursiveReadOnly
core.v1.WindowsSecurityContextOptions hostProcess gmsaCredentialSpecName gmsaCredentialSpec runAsUserName
discovery.v1.Endpoint hostname nodeName zone
discovery.v1.EndpointConditions ready serving terminating
discovery.v1.EndpointPort port name protocol appProtocol
flowcontrol.v1.ExemptPriorityLevelConfiguration nominalConcurrencyShares lendablePercent
flowcontrol.v1.LimitedPriorityLevelConfiguration nominalConcurrencyShares lendablePercent borrowingLimitPercent
meta.v1.ApplyOptions force
meta.v1.DeleteOptions gracePeriodSeconds orphanDependents ignoreStoreReadErrorWithClusterBreakingPotential propagationPolicy
meta.v1.ListMeta remainingItemCount
meta.v1.ListOptions timeoutSeconds sendInitialEvents
meta.v1.ObjectMeta deletionGracePeriodSeconds
meta.v1.OwnerReference controller blockOwnerDeletion
meta.v1.PatchOptions force
meta.v1.Preconditions uid resourceVersion
networking.v1.HTTPIngressPath pathType
networking.v1.IngressClassParametersReference apiGroup namespace scope
networking.v1.IngressPortStatus error
networking.v1.IngressSpec ingressClassName
networking.v1.NetworkPolicyPort endPort protocol
policy.v1.PodDisruptionBudgetSpec unhealthyPodEvictionPolicy
resource.v1.Device allNodes bindsToNode allowMultipleAllocations nodeName
resource.v1.DeviceAttribute int bool string version
resource.v1.DeviceConstraint matchAttribute distinctAttribute
resource.v1.DeviceRequestAllocationResult adminAccess shareID
resource.v1.AllocatedDeviceStatus shareID
resource.v1.DeviceToleration tolerationSeconds
resource.v1.DeviceClassSpec extendedResourceName
resource.v1.ExactDeviceRequest adminAccess
resource.v1.ResourceSliceSpec allNodes perDeviceNodeSelection nodeName
scheduling.v1.PriorityClass preemptionPolicy
scheduling.v1alpha2.PodGroupSpec disruptionMode priority
scheduling.v1alpha2.PodGroupTemplate disruptionMode priority
scheduling.v1alpha2.PodGroupResourceClaim resourceClaimName resourceClaimTemplateName
scheduling.v1alpha2.PodGroupResourceClaimStatus resourceClaimName
storage.v1.CSIDriverSpec attachRequired podInfoOnMount storageCapacity requiresRepublish seLinuxMount nodeAllocatableUpdatePeriodSeconds serviceAccountTokenInSecrets fsGroupPolicy preventPodSchedulingIfMissing
storage.v1.StorageClass allowVolumeExpansion reclaimPolicy volumeBindingMode
storage.v1.TokenRequest expirationSeconds
storage.v1.VolumeAttachmentSource persistentVolumeName
storage.v1.VolumeError errorCode
storage.v1.VolumeNodeResources count
`;

export const nullableFields: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [message = '', ...fields] = line.split(' ');
      return [message, fields];
    }),
);
