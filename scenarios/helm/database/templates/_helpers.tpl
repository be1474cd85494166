{{- define "database.name" -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{- end }}

{{- define "database.labels" -}}
app: {{ include "database.name" . }}
chart: {{ .Chart.Name }}-{{ .Chart.Version }}
heritage: {{ .Release.Service }}
release: {{ .Release.Name }}
{{- end }}

{{- define "database.secret" -}}{{ default (include "database.name" .) .Values.auth.existingSecret }}{{- end }}

{{- /* A job that runs as a hook: what, when, in which order. */ -}}
{{- define "database.hook" -}}
{{- $root := .root }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "database.name" $root }}-{{ .name }}
  labels: {{- include "database.labels" $root | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .when }}
    helm.sh/hook-weight: {{ .weight | quote }}
    helm.sh/hook-delete-policy: {{ .keep | default "before-hook-creation,hook-succeeded" }}
spec:
  backoffLimit: 0
  activeDeadlineSeconds: 60
  template:
    metadata:
      name: {{ .name }}
      annotations:
        hollow.caelum.dev/exit-after-ms: "50"
        hollow.caelum.dev/exit-code: {{ ternary "1" "0" (eq $root.Values.jobs.fail .name) | quote }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ .account | default "default" }}
      containers:
        - name: {{ .name }}
          image: {{ $root.Values.image }}
          command: [sh, -c, {{ ternary "exit 1" (printf "echo %s" .name) (eq $root.Values.jobs.fail .name) | quote }}]
{{- end }}
