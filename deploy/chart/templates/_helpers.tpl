{{- define "causeway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "causeway.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "causeway.discovery" -}}
{{- printf "%s-instance-discovery" (include "causeway.fullname" . | trunc 44 | trimSuffix "-") -}}
{{- end -}}

{{- define "causeway.selector" -}}
app.kubernetes.io/name: {{ include "causeway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: self-hosted-gateway
{{- end -}}

{{- define "causeway.labels" -}}
{{ include "causeway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "causeway.serviceAccount" -}}
{{- $own := "default" -}}
{{- if .Values.serviceAccount.create -}}{{- $own = include "causeway.fullname" . -}}{{- end -}}
{{- coalesce .Values.serviceAccount.name .Values.serviceAccountName $own -}}
{{- end -}}

{{- define "causeway.secret" -}}
{{- if .Values.secret.createSecret -}}
{{- include "causeway.fullname" . -}}
{{- else -}}
{{- required "secret.existingSecretName is required when secret.createSecret is false" .Values.secret.existingSecretName -}}
{{- end -}}
{{- end -}}

{{- define "causeway.claim" -}}
{{- with .Values.gateway.configuration.backup.persistentVolumeClaim -}}
{{- if .create -}}
{{- printf "%s-configuration-backup" (include "causeway.fullname" $ | trunc 42 | trimSuffix "-") -}}
{{- else -}}
{{- required "gateway.configuration.backup.persistentVolumeClaim.existingName is required when create is false" .existingName -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* gatewaytoken, azureadapp, workloadidentity or certificate */ -}}
{{- define "causeway.auth" -}}
{{- $auth := lower .Values.gateway.auth.type -}}
{{- if not (has $auth (list "gatewaytoken" "azureadapp" "workloadidentity" "certificate")) -}}
{{- fail (printf "gateway.auth.type is %q; it must be GatewayToken, AzureAdApp, WorkloadIdentity or Certificate" .Values.gateway.auth.type) -}}
{{- end -}}
{{- $auth -}}
{{- end -}}

{{- define "causeway.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag | toString) -}}
{{- end -}}
