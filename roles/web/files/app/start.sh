#!/usr/bin/env bash
# Runs the application in the foreground until a signal: nginx in front of gunicorn. Where one of the two ends, so does
# the other, and this script with a failure, for whoever watches it to start it again.
#
#   LISTEN_ADDRESS, LISTEN_PORT   where nginx listens; nothing else is bound but a unix socket
#   RUN_DIRECTORY                 sockets and temporary files; default is run/ in the current folder
#   WEB_WORKERS, WEB_THREADS      processes of the application (default 2), and threads of each (default 128)
#   DATABASE_CONNECTIONS          connections to the database of each process (default 4)
#   LOADLIFT_STACK, AWS_REGION, DATABASE_SECRET, CACHE_ENDPOINT, SETTINGS_PARAMETER: see shop/configuration.py
set -euo pipefail

app=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
: "${LISTEN_ADDRESS:?is not set: the address where nginx listens}" "${LISTEN_PORT:?is not set: the port where nginx listens}"
run=${RUN_DIRECTORY:-$PWD/run}
# Another name at each start: an earlier gunicorn that is still ending takes only its own socket away.
socket="shop-$$.sock"

prepare() {
  mkdir -p "$run"
  chmod 700 "$run"
  # From here on paths are relative to this folder: a unix socket's path is limited to 107 characters.
  cd "$run"
  run=$(pwd -P)
  exec 9>lock
  flock -n 9 || { echo "start.sh runs already in $run." >&2; exit 1; }
  end_leftovers
  rm -f shop-*.sock
  local user=""
  [ "$(id -u)" -ne 0 ] || user="user root;" # whoever runs this script may read the bundle; another user may not
  sed -e "s|@APP@|$app|" -e "s|@RUN@|$run|" -e "s|@SOCKET@|$socket|" -e "s|@USER@|$user|" \
    -e "s|@LISTEN@|$LISTEN_ADDRESS:$LISTEN_PORT|" "$app/nginx.conf" >nginx.conf
}

# Ends what a killed nginx or gunicorn, or a killed start.sh, left behind: it is known by its working directory.
end_leftovers() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/cwd" 2>/dev/null)" = "$run" ] || continue
    grep -qaE 'nginx|gunicorn' "$process/cmdline" 2>/dev/null || continue
    kill -KILL "${process#/proc/}" 2>/dev/null || true
  done
}

# A child ends with this script, even where the script is killed.
child() { exec setpriv --pdeathsig TERM -- "$@" 9>&-; }

stop() {
  trap '' TERM INT
  # nginx first, and alone: it answers what it has begun to answer, and gunicorn must be there for that.
  kill -QUIT "$nginx" 2>/dev/null || true
  wait "$nginx" 2>/dev/null || true
  kill -TERM "$gunicorn" 2>/dev/null || true
  wait "$gunicorn" 2>/dev/null || true
  end_leftovers
  rm -f "$socket"
}

prepare
child gunicorn --pythonpath "$app" --bind "unix:$socket" --worker-class gthread --workers "${WEB_WORKERS:-2}" \
  --threads "${WEB_THREADS:-128}" --keep-alive 75 --graceful-timeout 2 --no-control-socket --umask 077 shop.wsgi:app &
gunicorn=$!
child nginx -p "$run" -c "$run/nginx.conf" -e stderr &
nginx=$!
trap 'stop; exit 0' TERM INT
wait -n || true
echo "nginx or gunicorn has ended; so does start.sh." >&2
stop
exit 1
