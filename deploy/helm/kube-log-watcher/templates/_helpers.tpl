{{- define "klw.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "klw.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "klw.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "klw.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "klw.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "klw.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "klw.selector" -}}
app.kubernetes.io/name: {{ include "klw.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "klw.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "klw.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "klw.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "klw.native" -}}
{{- if kindIs "invalid" .Values.nativeSidecar }}
{{- if semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version }}true{{ end }}
{{- else if .Values.nativeSidecar }}true{{ end }}
{{- end }}

{{/* Where segments are kept; nothing where they are not. */}}
{{- define "klw.spool" -}}
{{- if .Values.spool.enabled }}
{{- $docker := eq .Values.node.runtime "docker" }}
{{- $volume := ternary .Values.node.dockerContainers .Values.node.logs $docker }}
{{- $folder := default (ternary "" (printf "%s/kube-log-watcher/spool" (trimSuffix "/" $volume)) $docker) .Values.spool.folder }}
{{- if $folder }}
{{- $below := list $folder }}
{{- if not $docker }}{{ $below = append $below .Values.node.podLogs }}{{ end }}
{{- range $below }}
{{- if not (hasPrefix (printf "%s/" (trimSuffix "/" $volume)) .) }}
{{- fail (printf "%s is not below %s: hard links work within one mount only; set spool.enabled: false" . $volume) }}
{{- end }}
{{- end }}
{{- if hasPrefix (printf "%s/" .Values.node.podLogs) $folder }}
{{- fail "spool.folder is below node.podLogs, where the kubelet removes what is no pod's" }}
{{- end }}
{{- if and .Values.symlinker.enabled (hasPrefix (printf "%s/" .Values.symlinker.hostPaths.tree) (printf "%s/" $folder)) }}
{{- fail "spool.folder is below symlinker.hostPaths.tree: who reads the tree would read it all twice" }}
{{- end }}
{{- end }}
{{- $folder }}
{{- end }}
{{- end }}

{{/* The watcher's settings as a YAML file; .Values.settings and those of an agent win. */}}
{{- define "klw.settings" -}}
{{- $agents := list }}
{{- $own := dict "state_dir" .Values.node.state }}
{{- $docker := eq .Values.node.runtime "docker" }}
{{- $_ := set $own "containers_path" (ternary .Values.node.dockerContainers .Values.node.podLogs $docker) }}
{{- with include "klw.spool" . }}{{ $_ := set $own "spool_dir" (list .) }}{{ end }}
{{- with .Values.clusterId }}{{ $_ := set $own "cluster_id" . }}{{ end }}
{{- if .Values.events.enabled }}{{ $_ := set $own "events" true }}{{ end }}
{{- with .Values.http }}
{{- if .enabled }}{{ $_ := set $own "http_address" (printf "%s:%d" .host (int .port)) }}{{ end }}
{{- end }}
{{- if include "klw.scalyr" . }}
{{- $agents = append $agents "scalyr" }}
{{- $scalyr := dict "api_key_file" "/etc/scalyr-api-key/api-key" "config_path" "/etc/scalyr-agent-2/agent.json" }}
{{- $_ := set $scalyr "dest_path" "/mnt/scalyr-logs" }}
{{- $_ := set $scalyr "data_path" "/var/lib/scalyr-agent-2" }}
{{- if .Values.scalyr.journald.enabled }}
{{- $_ := set $scalyr "journald" true }}
{{- $_ := set $scalyr "journald_path" .Values.scalyr.journald.path }}
{{- end }}
{{- $_ := set $own "scalyr" (mergeOverwrite $scalyr (deepCopy .Values.scalyr.settings)) }}
{{- end }}
{{- if include "klw.static" . }}
{{- $it := include "klw.staticShipper" . | fromYaml }}
{{- $agents = append $agents $it.name }}
{{- $static := merge (dict "folder" $it.folder "config" (printf "/etc/kube-log-watcher-shipper/%s" $it.file)) $it.settings }}
{{- $_ := set $own $it.name (mergeOverwrite $static (deepCopy .Values.staticShipper.settings)) }}
{{- end }}
{{- if .Values.appdynamics.enabled }}
{{- $agents = append $agents "appdynamics" }}
{{- $_ := set $own "appdynamics" (dict "dest_path" .Values.appdynamics.jobPath) }}
{{- end }}
{{- if .Values.symlinker.enabled }}
{{- $agents = append $agents "symlinker" }}
{{- $_ := set $own "symlinker" (dict "symlink_dir" .Values.symlinker.hostPaths.tree) }}
{{- end }}
{{- $agents = concat $agents .Values.extraAgents }}
{{- if not $agents }}{{ fail "name a shipper, enable an agent (scalyr, appdynamics, symlinker), or name some in extraAgents" }}{{ end }}
{{- $_ := set $own "agents" $agents }}
{{- mergeOverwrite $own (deepCopy .Values.settings) | toYaml }}
{{- end }}

{{/* The node's logs for shippers, read-only, at the same paths as in the watcher. */}}
{{- define "klw.logMounts" -}}
- {name: pod-logs, mountPath: {{ .Values.node.podLogs | quote }}, readOnly: true}
{{- if eq .Values.node.runtime "docker" }}
- {name: docker-containers, mountPath: {{ .Values.node.dockerContainers | quote }}, readOnly: true}
{{- else if include "klw.spool" . }}
- {name: spool, mountPath: {{ include "klw.spool" . | quote }}, readOnly: true}
{{- end }}
{{- end }}

{{/* The node's logs for the watcher. Hard links need logs and spool on one mount, which can be written to. */}}
{{- define "klw.watcherLogMounts" -}}
{{- $spool := include "klw.spool" . }}
{{- if eq .Values.node.runtime "docker" }}
- {name: pod-logs, mountPath: {{ .Values.node.podLogs | quote }}, readOnly: true}
- {name: docker-containers, mountPath: {{ .Values.node.dockerContainers | quote }}, readOnly: {{ empty $spool }}}
{{- else if $spool }}
- {name: logs, mountPath: {{ .Values.node.logs | quote }}}
{{- else }}
- {name: pod-logs, mountPath: {{ .Values.node.podLogs | quote }}, readOnly: true}
{{- end }}
{{- if and (ne .Values.node.runtime "docker") (or (not $spool) (not (hasPrefix (printf "%s/" (trimSuffix "/" .Values.node.logs)) .Values.node.containerLinks))) }}
- {name: container-links, mountPath: {{ .Values.node.containerLinks | quote }}, readOnly: true}
{{- end }}
{{- if $spool }}
# Only for the kubelet to make the folder: no link works across this mount.
- {name: spool, mountPath: /mnt/spool, readOnly: true}
{{- end }}
{{- end }}

{{- define "klw.watcher" -}}
image: {{ include "klw.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: CLUSTER_NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
  - {name: WATCHER_CONFIG, value: /etc/kube-log-watcher/settings.yaml}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - {name: settings, mountPath: /etc/kube-log-watcher, readOnly: true}
  - {name: service-account, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
  - {name: state, mountPath: {{ .Values.node.state | quote }}}
  {{- include "klw.watcherLogMounts" . | trim | nindent 2 }}
  {{- if include "klw.scalyr" . }}
  - {name: scalyr-api-key, mountPath: /etc/scalyr-api-key, readOnly: true}
  - {name: scalyr-config, mountPath: /etc/scalyr-agent-2}
  - {name: scalyr-links, mountPath: /mnt/scalyr-logs}
  - {name: scalyr-checkpoints, mountPath: /var/lib/scalyr-agent-2, readOnly: true}
  {{- end }}
  {{- if include "klw.static" . }}
  {{- $it := include "klw.staticShipper" . | fromYaml }}
  - {name: shipper-config, mountPath: /etc/kube-log-watcher-shipper, readOnly: true}
  - {name: shipper-metadata, mountPath: {{ $it.folder | quote }}}
  - {name: shipper-state, mountPath: {{ $it.state | quote }}, readOnly: true}
  {{- end }}
  {{- if .Values.appdynamics.enabled }}
  - {name: appdynamics-jobs, mountPath: {{ .Values.appdynamics.jobPath | quote }}}
  {{- end }}
  {{- if .Values.symlinker.enabled }}
  - {name: symlinks, mountPath: {{ .Values.symlinker.hostPaths.tree | quote }}}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What only the watcher that goes on running has: its port and its probes. */}}
{{- define "klw.probes" -}}
{{- if .Values.http.enabled }}
ports:
  - {name: http, containerPort: {{ int .Values.http.port }}}
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}
{{- end }}
