#!/bin/bash
# Makes the certificate authority and Elasticsearch's certificate, where they are not there yet.
set -euo pipefail
cd /usr/share/elasticsearch
certs=config/certs
if [ ! -f "$certs/ca/ca.crt" ]; then
  bin/elasticsearch-certutil ca --silent --pem --days 3650 --out /tmp/ca.zip
  unzip -q /tmp/ca.zip -d "$certs"
fi
if [ ! -f "$certs/elasticsearch/elasticsearch.crt" ]; then
  bin/elasticsearch-certutil cert --silent --pem --days 3650 --name elasticsearch \
    --dns elasticsearch --dns localhost --ip 127.0.0.1 \
    --ca-cert "$certs/ca/ca.crt" --ca-key "$certs/ca/ca.key" --out /tmp/elasticsearch.zip
  unzip -q /tmp/elasticsearch.zip -d "$certs"
fi
# Elasticsearch runs in group 0; the authority's key is for this service alone.
chown -R root:root "$certs"
find "$certs" -type d -exec chmod 755 {} +
find "$certs" -type f -exec chmod 644 {} +
chmod 640 "$certs/elasticsearch/elasticsearch.key"
chmod 600 "$certs/ca/ca.key"
