# What the tour in demo.tape looks at: a fleet on the default ports, with an hour
# of records behind it and more of them coming. To be sourced by bash, in the
# directory of this repository; all of it ends with that bash.

PATH=${DISTLOG_BIN_DIR:-$PWD/target/release}:$PATH
cd "$(mktemp -d)" || return
export DISTLOG_MONITOR_INTERVAL=1s

# Each daemon is a process of its own, so that one of them can be killed.
start() { for daemon; do distlogd "$daemon" >"$daemon.out" 2>&1 & echo $! >"$daemon.pid"; done; }
trap 'kill $(cat ./*.pid)' EXIT
send() { curl -sS --retry-connrefused --retry 40 --retry-delay 1 -o answer.out "$@"; }

# A record of a shop that lends: which one is told by a number.
record() {
    case $(($1 % 97)) in
    0 | 1) echo '"level":"error","service":"Checkout","message":"card declined","order":'$1',"user":"ann"' ;;
    5 | 50 | 90) echo '"level":"warn","service":"Checkout","message":"payment took 2.4 s","order":'$1',"user":"bob"' ;;
    *) case $(($1 % 3)) in
        0) echo '"level":"info","service":"Storefront","message":"GET /books","status":200,"ms":'$(($1 % 40)) ;;
        1) echo '"level":"info","service":"Storefront","message":"POST /cart","status":201,"ms":'$(($1 % 70)) ;;
        *) echo '"level":"debug","service":"Checkout","message":"basket priced","items":'$(($1 % 9)) ;;
        esac ;;
    esac
}
past() {
    for ((i = 900; i > 0; i--)); do
        TZ=UTC printf '{"ts":"%(%FT%T)TZ",%s}\n' $((EPOCHSECONDS - i * 4)) "$(record $((900 - i)))"
    done | send -H 'content-type: application/x-ndjson' --data-binary @- localhost:4000/log
}
traffic() {
    for ((i = 900; ; i++)); do
        send -H 'content-type: application/json' -d "{$(record "$i")}" localhost:4000/log
        sleep 0.8
    done
}

start registry log library provider web monitor
past
for service in '"Storefront","serviceUrl":"http://localhost:8080","requiredServices":["LibraryService","Checkout"]' \
    '"Checkout","serviceUrl":"http://localhost:8081","requiredServices":["LogService"]'; do
    send localhost:3000/services -d "{\"serviceName\":$service,\"ttlSeconds\":600,\"metadata\":{\"distlog.probe\":\"lease\"}}"
done
send localhost:5000/library/books -d '{"title":"The Left Hand of Darkness","author":"Ursula K. Le Guin"}'
traffic 2>traffic.out & echo $! >traffic.pid
