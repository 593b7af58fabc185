{{/* What the chart knows of shippers with a static configuration. The configuration itself is files/<shipper>/<file>. */}}
{{- define "klw.shippers" -}}
fluentbit:
  image: fluent/fluent-bit:5.1.1
  command: [/fluent-bit/bin/fluent-bit, --config=/etc/kube-log-watcher/fluent-bit.yaml]
  file: fluent-bit.yaml
  output: output.yaml
  state: /var/lib/fluent-bit
  settings: {database: /var/lib/fluent-bit/tail.db}
fluentd:
  image: fluent/fluentd:v1.16-debian-1
  command: [fluentd, --config, /etc/kube-log-watcher/fluent.conf]
  file: fluent.conf
  output: output.conf
  state: /var/lib/fluentd
  settings: {pos_file: /var/lib/fluentd/klw.pos}
rsyslog:
  # No image of rsyslog's makers is known that fits: name your own.
  image: ""
  command: [rsyslogd, -n, -f, /etc/kube-log-watcher/rsyslog.conf, -i, /tmp/rsyslogd.pid]
  file: rsyslog.conf
  output: output.conf
  state: /var/lib/rsyslog
  settings: {state_dir: /var/lib/rsyslog}
  # It answers there which table it has.
  answers: true
  # It does not start without.
  needs: table.json
syslogng:
  # Tried with 3.38 of Debian 12; newer ones of its makers are balabit/syslog-ng.
  image: ""
  command: [syslog-ng, -F, -f, /etc/kube-log-watcher/syslog-ng.conf, -R, /var/lib/syslog-ng/syslog-ng.persist, -p, /tmp/syslog-ng.pid, -c, /tmp/syslog-ng.ctl]
  file: syslog-ng.conf
  output: output.conf
  state: /var/lib/syslog-ng
  settings: {persist_file: /var/lib/syslog-ng/syslog-ng.persist}
  # It answers there which table it has.
  answers: true
  # It does not start without.
  needs: present.conf
logstash:
  image: docker.elastic.co/logstash/logstash:8.15.0
  command: [/usr/share/logstash/bin/logstash, --path.data, /var/lib/logstash, -f, "/etc/kube-log-watcher/*.conf"]
  file: logstash.conf
  output: output.conf
  state: /var/lib/logstash
  settings: {sincedb: /var/lib/logstash/klw.sincedb}
vector:
  image: timberio/vector:0.40.0-debian
  command: [vector, --watch-config, --config, /etc/kube-log-watcher/vector.yaml, --config, /etc/kube-log-watcher/output.yaml]
  file: vector.yaml
  output: output.yaml
  state: /var/lib/vector
  # Its checkpoints tell nothing of which file they are: segments stay for spool_seconds.
  settings: {}
filesd:
  image: grafana/alloy:v1.11.0
  command: [alloy, run, --storage.path=/var/lib/alloy, /etc/kube-log-watcher]
  file: config.alloy
  output: output.alloy
  state: /var/lib/alloy
  settings: {positions: /var/lib/alloy/loki.source.file.klw/positions.yml}
{{- end }}

{{/* The name of the shipper with a static configuration; nothing where there is none. */}}
{{- define "klw.static" -}}
{{- if hasKey (include "klw.shippers" . | fromYaml) .Values.shipper }}{{ .Values.shipper }}{{ end }}
{{- end }}

{{/* Whether the Scalyr agent runs: by its own switch, else when it is the shipper. */}}
{{- define "klw.scalyr" -}}
{{- if kindIs "invalid" .Values.scalyr.enabled }}
{{- if eq .Values.shipper "scalyr" }}true{{ end }}
{{- else if .Values.scalyr.enabled }}true{{ end }}
{{- end }}

{{/* All about the shipper with a static configuration, what the values say first. */}}
{{- define "klw.staticShipper" -}}
{{- $name := .Values.shipper }}
{{- $known := get (include "klw.shippers" . | fromYaml) $name }}
{{- $given := .Values.staticShipper }}
{{- $image := default $known.image $given.image }}
{{- if not $image }}{{ fail (printf "staticShipper.image: name an image with %s" $name) }}{{ end }}
{{- if and (not $given.output) (not $given.config) }}
{{- fail (printf "staticShipper.output: say, in the language of %s, where lines go" $name) }}
{{- end }}
{{- if and (ne $name "filesd") (not (include "klw.spool" .)) }}
{{- fail (printf "%s reads the spool, and there is none: see spool.enabled and spool.folder" $name) }}
{{- end }}
{{- $folder := default (printf "/var/log/kube-log-watcher/%s" $name) $given.hostPaths.metadata }}
{{- $state := default (printf "/var/lib/kube-log-watcher-%s" $name) $given.hostPaths.state }}
{{- $own := dict "name" $name "image" $image "folder" $folder "hostState" $state }}
{{- if $given.command }}{{ $_ := set $own "command" $given.command }}{{ end }}
{{- mergeOverwrite $known $own | toYaml }}
{{- end }}

{{/* Its static configuration, with the paths of these values. */}}
{{- define "klw.staticConfiguration" -}}
{{- $it := include "klw.staticShipper" . | fromYaml }}
{{- $text := .Files.Get (printf "files/%s/%s" $it.name $it.file) }}
{{- $text = replace (printf "/var/log/kube-log-watcher/%s" $it.name) $it.folder $text }}
{{- with include "klw.spool" . }}{{ $text = replace "/var/log/kube-log-watcher/spool" . $text }}{{ end }}
{{- default $text .Values.staticShipper.config }}
{{- end }}
