#!/usr/bin/env bash
# Unit and integration tests under other Pythons, each with the newest Ansible that it gets: 3.11 ansible-core 2.19, from
# 3.12 on 2.21. Give the interpreters; their environments are made outside of the checkout and kept.
#
#     tests/versions.sh python3.12 python3.13 [-- options of pytest]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/loadlift-versions
cd "$root"

pythons=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  pythons+=("$1")
  shift
done
[ $# -eq 0 ] || shift
[ ${#pythons[@]} -gt 0 ] || { echo "Give one or more interpreters, such as python3.12; allowed are Python 3.11 and newer." >&2; exit 2; }

# The requirements as they are, but for Ansible's version, without the Lambda runtime, which no test here starts.
requirements() {
  local ansible=$1
  sed -e "s/^ansible==.*/ansible==$ansible/" -e '/^awslambdaric/d' requirements.txt
  grep -E '^(hypothesis|html5lib|pytest)==' requirements-test.txt
}

environment() {
  local python=$1 venv=$2 ansible=14.5.0
  "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 12))' && ansible=$(sed -n 's/^ansible==//p' requirements.txt)
  requirements "$ansible" >"$cache/wanted"
  cmp --silent "$cache/wanted" "$venv/wanted" && return
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$cache/wanted"
  cp "$cache/wanted" "$venv/wanted"
}

mkdir -p "$cache"
failed=()
for python in "${pythons[@]}"; do
  version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
  venv=$cache/$version
  environment "$python" "$venv"
  packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  mkdir -p "$packages/ansible_collections/loadlift"
  ln -sfn "$root" "$packages/ansible_collections/loadlift/aws"
  ln -sfn "$root/.venv/ministack" "$venv/ministack" # an environment of its own, whatever the version here
  echo "Python $version, ansible-core $("$venv/bin/python" -c 'from ansible.release import __version__; print(__version__)')"
  # Nothing is written into the checkout.
  PATH="$venv/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest -o cache_dir="$cache/pytest" tests/unit tests/integration "$@" || failed+=("$version")
done
[ ${#failed[@]} -eq 0 ] || { echo "Failed under Python: ${failed[*]}" >&2; exit 1; }
