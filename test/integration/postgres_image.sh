#!/bin/sh
# What the entry point of the image of PostgreSQL does, as its documentation has it: a cluster, the scripts of
# /docker-entrypoint-initdb.d, then the command. For compose_services.py.
set -eu
folder=/var/lib/postgresql/data
as_postgres() { setpriv --reuid=999 --regid=999 --clear-groups "$@"; }

chown 999:999 "$folder"
chmod 700 "$folder"
if [ ! -s "$folder/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # several words
    as_postgres initdb --no-sync -D "$folder" -U postgres --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
    echo "listen_addresses = '*'" >>"$folder/postgresql.conf"
    echo 'host all all all scram-sha-256' >>"$folder/pg_hba.conf"
    as_postgres pg_ctl -D "$folder" -o '-c listen_addresses=' -w start
    for script in /docker-entrypoint-initdb.d/*; do
        as_postgres "$script"
    done
    as_postgres pg_ctl -D "$folder" -m fast -w stop
fi
export PGDATA=$folder
exec setpriv --reuid=999 --regid=999 --clear-groups "$@"
