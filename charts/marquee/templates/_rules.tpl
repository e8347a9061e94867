{{/* The operator's rights in each namespace that it watches. A test compares them with the requests that it sends. */}}
{{- define "marquee.rules" -}}
# The kinds and their status.
- apiGroups: [marquee.dev]
  resources: [rankingmodels, pagelayouts]
  verbs: [list, watch]
- apiGroups: [marquee.dev]
  resources: [rankingmodels/status, pagelayouts/status]
  verbs: [patch]
# Children set blockOwnerDeletion on their owner. Some clusters allow that only with the right to set the owner's finalizers.
- apiGroups: [marquee.dev]
  resources: [rankingmodels/finalizers, pagelayouts/finalizers]
  verbs: [update]
# Children. Server-side apply is a patch; it is also a create if the object does not exist.
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
# Only where these kinds are installed.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes, grpcroutes]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list, watch, create, patch, delete]
# To find out why pods are not ready.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Page pods read the traffic of models: the operator may bind that role, and no other.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [{{ ternary "roles" "clusterroles" (gt (len .Values.watchNamespaces) 0) }}]
  resourceNames: [{{ include "marquee.name" . }}-page-reader]
  verbs: [bind]
{{- end }}

{{/* Rights of page pods in their namespace. */}}
{{- define "marquee.pageReaderRules" -}}
- apiGroups: [marquee.dev]
  resources: [rankingmodels]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
{{- end }}
