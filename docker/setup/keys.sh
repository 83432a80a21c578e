#!/bin/bash
# Gives Kibana's own user its password, makes the user `analyst`, and the key with which Wirewatch writes: /keys/index.
# Run again, it changes the passwords to what .env says, and makes a new key only where the old one no longer works.
set -euo pipefail
elastic=https://elasticsearch:9200

# call METHOD PATH < body: as the superuser. Secrets go by standard input, so that no process list shows them.
call() {
  curl --silent --show-error --fail-with-body --cacert /certs/ca/ca.crt --request "$1" "$elastic$2" \
    --config <(printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD") \
    --header 'Content-Type: application/json' --data-binary @-
}

call POST /_security/user/kibana_system/_password >/dev/null <<<"{\"password\": \"$KIBANA_PASSWORD\"}"

call PUT /_security/user/analyst >/dev/null <<JSON
{"password": "$ANALYST_PASSWORD", "full_name": "Analyst", "roles": ["viewer"]}
JSON

works() {
  [ -s /keys/index ] && curl --silent --fail --output /dev/null --cacert /certs/ca/ca.crt \
    --config <(printf 'header = "Authorization: ApiKey %s"\n' "$(cat /keys/index)") "$elastic/_security/_authenticate"
}

if ! works; then
  call POST /_security/api_key > /tmp/key <<'JSON'
{
  "name": "wirewatch",
  "role_descriptors": {
    "wirewatch": {
      "cluster": ["monitor", "manage_index_templates"],
      "indices": [{"names": ["wire-*"], "privileges": ["create_index", "manage", "read", "write", "view_index_metadata"]}]
    }
  }
}
JSON
  sed -n 's/.*"encoded":"\([^"]*\)".*/\1/p' /tmp/key > /keys/index.new
  [ -s /keys/index.new ] || { echo "Elasticsearch gave no key" >&2; exit 1; }
  mv /keys/index.new /keys/index
  rm /tmp/key
fi
chown 1000:0 /keys/index
chmod 440 /keys/index
echo "users and key are in place"
