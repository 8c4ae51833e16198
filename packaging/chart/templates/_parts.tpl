{{- define "cni-plugins.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- define "cni-plugins.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cni-plugins.labels" -}}
{{ include "cni-plugins.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "cni-plugins.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Where this distribution's runtime looks for plugins. */ -}}
{{- define "cni-plugins.binDir" -}}
{{- $dirs := dict
  "k3s" "/var/lib/rancher/k3s/data/cni"
  "microk8s" "/var/snap/microk8s/current/opt/cni/bin"
  "gke" "/home/kubernetes/bin"
  "openshift" "/var/lib/cni/bin" -}}
{{- .Values.binDir | default (get $dirs .Values.distribution) | default "/opt/cni/bin" }}
{{- end }}

{{- /* What both pods have in common. */ -}}
{{- define "cni-plugins.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
