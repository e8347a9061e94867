{{/* What the operator does in each namespace that it watches. A test compares this with what it was seen to do. */}}
{{- define "marquee.rules" -}}
# The kinds, and what is said of them.
- apiGroups: [marquee.dev]
  resources: [rankingmodels, pagelayouts]
  verbs: [list, watch]
- apiGroups: [marquee.dev]
  resources: [rankingmodels/status, pagelayouts/status]
  verbs: [patch]
# Children name their owner with blockOwnerDeletion, which some clusters let only those do who may finalise the owner.
- apiGroups: [marquee.dev]
  resources: [rankingmodels/finalizers, pagelayouts/finalizers]
  verbs: [update]
# Children. Server-side apply is a patch, and a create where nothing is there yet.
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings]
  verbs: [list, watch, create, patch, delete]
# Where they are installed.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes, grpcroutes]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list, watch, create, patch, delete]
# Why pods are not ready.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Page pods follow the traffic of models: the operator may hand on that role, and no other.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [{{ ternary "roles" "clusterroles" (gt (len .Values.watchNamespaces) 0) }}]
  resourceNames: [{{ include "marquee.name" . }}-page-reader]
  verbs: [bind]
{{- end }}

{{/* What page pods may read in their namespace. */}}
{{- define "marquee.pageReaderRules" -}}
- apiGroups: [marquee.dev]
  resources: [rankingmodels]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
{{- end }}
