# shellcheck shell=bash
# HAProxy before the proxies of a cluster. Needs message.sh, account.sh, daemon.sh. Uses: dir, proxies, balancer_port.

# write_balancer_settings: as docs/OPERATIONS.md, "Several proxies", has them for real machines.
write_balancer_settings() {
    cat >"$dir/haproxy.cfg" <<CFG
global
    maxconn 1000
    stats socket $dir/run/haproxy.sock mode 600 level admin
defaults
    mode tcp
    timeout connect 3s
    timeout client 24h
    timeout server 24h
    timeout check 10s
    retries 3
    option redispatch 1
frontend clients
    bind 127.0.0.1:$balancer_port
    # If none is ready, for want of a database perhaps, any that lives can say why.
    use_backend living if { nbsrv(ready) eq 0 }
    default_backend ready
backend ready
    balance leastconn
    option httpchk GET /readyz
    default-server check inter 300ms fall 1 rise 1
$(balancer_servers)
backend living
    option httpchk GET /healthz
    default-server check inter 1s
$(balancer_servers)
CFG
}

balancer_servers() {
    local number
    for number in $(seq "$proxies"); do
        echo "    server proxy$number 127.0.0.1:$(port_of "proxy$number") port $(port_of "http$number")"
    done
}

start_balancer() {
    write_balancer_settings
    start_daemon haproxy haproxy -db -f "$dir/haproxy.cfg"
    wait_for_daemon haproxy "its port" answers_at "$balancer_port"
}
