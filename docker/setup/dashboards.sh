#!/bin/bash
# Imports mappings/kibana.ndjson into Kibana, in place of what an earlier version put there.
set -euo pipefail
answer=$(curl --silent --show-error --fail-with-body --request POST \
  'http://kibana:5601/api/saved_objects/_import?overwrite=true' --header 'kbn-xsrf: true' \
  --config <(printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD") --form file=@/kibana.ndjson)
case $answer in
  *'"success":true'*) echo "data views, saved searches and dashboards are in place" ;;
  *) echo "Kibana refused some of the objects: $answer" >&2; exit 1 ;;
esac
