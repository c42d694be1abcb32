# Stops a throwaway PostgreSQL and removes its files once no process uses it.
# $1: the cluster's folder, $2: the file that names the shared cluster, $3: how many idle seconds to wait.
# Each process that uses the cluster has a file named by its process id in `users`; a dead one's file goes.
# Whoever joins writes its file first and then looks whether `current` still names this cluster, so after taking
# that name away one more look at the users is enough to miss nobody.
cluster=$1
current=$2
grace=$3

is_used() {
    for user in "$cluster"/users/*; do
        [ -e "$user" ] || continue
        kill -0 "${user##*/}" 2>/dev/null && return 0
        rm -f "$user"
    done
    return 1
}

is_ours() {
    { cat "/proc/$1/cmdline" || ps -o args= -p "$1"; } 2>/dev/null | grep -qaF "$cluster/data"
}

idle=0
while :; do
    if is_used; then
        idle=0
    elif [ "$idle" -ge "$grace" ]; then
        [ "$(cat "$current" 2>/dev/null)" = "$cluster" ] && rm -f "$current"
        is_used || break
    else
        idle=$((idle + 1))
    fi
    sleep 1
done

postmaster=$(head -n 1 "$cluster/data/postmaster.pid" 2>/dev/null)
if [ -n "$postmaster" ] && is_ours "$postmaster"; then
    kill -QUIT "$postmaster"
    while is_ours "$postmaster"; do sleep 0.1; done
fi
rm -rf "$cluster"
