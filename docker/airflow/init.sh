#!/bin/bash
# Makes Airflow's tables, its pools, and the user who may sign in; changes nothing where they are there.
set -euo pipefail
airflow db migrate
airflow pools import /opt/airflow/dags/pools.json
if ! airflow users list --output plain | awk '{print $2}' | grep -qx admin; then
  airflow users create --username admin --password "$AIRFLOW_ADMIN_PASSWORD" \
    --firstname Wire --lastname Watch --role Admin --email admin@localhost
fi
