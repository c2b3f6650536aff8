#!/usr/bin/env bash
# ansible-test sanity on a copy of the tracked plugins: ansible-test takes no linked collection. It makes environments of
# its own under .cache/sanity, so only the first run needs the package index.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="$root/.cache/sanity"
tree="$cache/ansible_collections"
packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

mkdir -p "$tree/loadlift" "$cache/home/.ansible/test/cache"
ln -sfn "$packages/ansible_collections/amazon" "$tree/amazon"
ln -sfn "$packages/ansible_collections/community" "$tree/community"

# ansible-test fetches get-pip.py from the network; pip is here already.
for version in 24_2 25_2; do
  cat >"$cache/home/.ansible/test/cache/get_pip_$version.py" <<'EOF'
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
arguments = [one for one in sys.argv[1:] if one not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *arguments]).returncode)
EOF
done

rm -rf "$tree/loadlift/aws"
mkdir -p "$tree/loadlift/aws"
cd "$root"
git ls-files -z -- galaxy.yml meta plugins tests/config.yml | tar --create --ignore-failed-read --null --files-from=- | tar --extract --directory="$tree/loadlift/aws"
cd "$tree/loadlift/aws"
git init --quiet # ansible-test looks at what git knows, and would look into the checkout's own git
echo tests/output >.git/info/exclude

export HOME="$cache/home"
exec ansible-test sanity --color no --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@"
