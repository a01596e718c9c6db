# shellcheck shell=bash
# Two PostgreSQL that Patroni keeps as a pair: node1 and node2 below $dir, synchronous, with an etcd of one member.
# Needs message.sh, account.sh, server.sh, daemon.sh. Uses: dir, pg_bin.

# choose_pair_ports: kept in run/, because a later call of the script needs them.
choose_pair_ports() {
    local name
    for name in etcd etcd_peer node1 node2 rest1 rest2; do
        free_port >"$dir/run/$name.port"
    done
}

port_of() { cat "$dir/run/$1.port"; }

start_etcd() {
    local clients peers
    clients=http://127.0.0.1:$(port_of etcd) peers=http://127.0.0.1:$(port_of etcd_peer)
    start_daemon etcd etcd --name one --data-dir "$dir/etcd" --listen-client-urls "$clients" --advertise-client-urls "$clients" \
        --listen-peer-urls "$peers" --initial-advertise-peer-urls "$peers" --initial-cluster "one=$peers"
    wait_for_daemon etcd "its health" answers_at "$(port_of etcd)" /health
}

# write_patroni_settings N: of node N. A failover takes at most ttl and some seconds; 20 s is the least that Patroni takes.
write_patroni_settings() {
    local superuser replication
    superuser=$(cat "$(superuser_password_file)") replication=$(cat "$dir/secrets/replicator.password")
    write_private "$dir/node$1.yml" <<YAML
scope: pgveil
name: node$1
restapi: { listen: "127.0.0.1:$(port_of "rest$1")", connect_address: "127.0.0.1:$(port_of "rest$1")" }
etcd3: { host: "127.0.0.1:$(port_of etcd)" }
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    synchronous_mode: true
    master_start_timeout: 0
    postgresql:
      use_pg_rewind: true
      parameters: { max_connections: 150, wal_log_hints: "on", password_encryption: scram-sha-256 }
  initdb: [ encoding: UTF8, locale: C.UTF-8, data-checksums ]
postgresql:
  listen: "127.0.0.1:$(port_of "node$1")"
  connect_address: "localhost:$(port_of "node$1")"
  data_dir: $dir/node$1
  bin_dir: $pg_bin
  pgpass: $dir/run/node$1.pgpass
  authentication:
    superuser: { username: postgres, password: $superuser, sslmode: verify-full, sslrootcert: $dir/tls/ca.crt }
    replication: { username: replicator, password: $replication, sslmode: verify-full, sslrootcert: $dir/tls/ca.crt }
  parameters:
    unix_socket_directories: ''
    ssl: 'on'
    ssl_ca_file: $dir/tls/ca.crt
    ssl_cert_file: $dir/tls/postgres.crt
    ssl_key_file: $dir/tls/postgres.key
  pg_hba:
    - hostssl all all 127.0.0.1/32 scram-sha-256
    - hostssl replication replicator 127.0.0.1/32 scram-sha-256
tags: {}
YAML
}

start_node() {
    start_daemon "patroni$1" patroni "$dir/node$1.yml"
}

# start_pair: both nodes; sets `pg_port` to the primary's.
start_pair() {
    new_password | write_private "$(superuser_password_file)"
    new_password | write_private "$dir/secrets/replicator.password"
    write_patroni_settings 1
    write_patroni_settings 2
    start_etcd
    pg_port=$(port_of node1)
    start_node 1
    wait_for_daemon patroni1 "the primary" node_is primary 1
    start_node 2
    wait_for_daemon patroni2 "the synchronous standby" node_is synchronous 2
}

# node_is ROLE N: what Patroni says of it: primary, replica, synchronous.
node_is() { answers_at "$(port_of "rest$2")" "/$1"; }

# stop_pair: Patroni ends its own PostgreSQL; one whose Patroni was killed is ended here.
stop_pair() {
    local node
    for node in 2 1; do
        stop_daemon "patroni$node" TERM 60
        [ ! -s "$dir/node$node/postmaster.pid" ] ||
            as_account "$pg_bin/pg_ctl" -D "$dir/node$node" -m immediate -w -t 30 stop >>"$dir/log/pg_ctl.log" 2>&1 ||
            note "PostgreSQL in $dir/node$node did not stop; see $dir/log/patroni$node.log"
    done
    stop_daemon etcd TERM
}
