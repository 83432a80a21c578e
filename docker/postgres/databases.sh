#!/bin/bash
# Makes the two databases, on PostgreSQL's first start: Wirewatch's ledger, and Airflow's own.
set -euo pipefail
for name in wirewatch airflow; do
  createdb --username postgres "$name"
done
