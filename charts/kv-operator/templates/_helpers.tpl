{{- define "kv-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kv-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "kv-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else if hasPrefix (printf "%s-" .Release.Name) (include "kv-operator.name" .) }}
{{- /* Release `kv` of chart `kv-operator` is `kv-operator`, not `kv-kv-operator`. */}}
{{- include "kv-operator.name" . }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "kv-operator.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "kv-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kv-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "kv-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kv-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kv-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "kv-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* An image reference: dict "image" (registry, repository, tag, digest) "root" $. */}}
{{- define "kv-operator.image" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry }}
{{- with $registry }}{{ . }}/{{ end }}
{{- .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ default .root.Chart.AppVersion .image.tag }}{{ end }}
{{- end }}

{{- /* Namespaces to watch, joined by commas; empty for all. */}}
{{- define "kv-operator.watchNamespaces" -}}
{{- if and (eq .Values.rbac.scope "namespaces") (not .Values.watchNamespaces) }}
{{- .Release.Namespace }}
{{- else }}
{{- join "," .Values.watchNamespaces }}
{{- end }}
{{- end }}

{{- /* What the operator may do in a namespace that it watches. No wildcards, no secrets, no pods/exec. */}}
{{- define "kv-operator.rules" -}}
- apiGroups: [kv.dev]
  resources: [clusters]
  verbs: [get, list, watch, patch]
- apiGroups: [kv.dev]
  resources: [buckettypes]
  verbs: [get, list, watch]
- apiGroups: [kv.dev]
  resources: [clusters/status, buckettypes/status]
  verbs: [patch]
# Where an API server asks for it of whoever makes objects that hold up the end of their owner.
- apiGroups: [kv.dev]
  resources: [clusters/finalizers]
  verbs: [update]
# The operator deletes StatefulSets, pods and volume claims. Of the rest it needs the right and never uses it: where an API server guards owner references (OpenShift; the plugin
# OwnerReferencesPermissionEnforcement), whoever changes those of an object must be allowed to delete it.
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, patch, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}
