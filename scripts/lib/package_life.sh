#!/usr/bin/env bash
# The life of the package, in the copy of a machine that scripts/test-package makes.
set -euo pipefail

step() { printf 'package: %s\n' "$*"; }
die() {
  printf 'package: FAILED: %s\n' "$*" >&2
  exit 1
}
is() { [ "$1" = "$2" ] || die "$3 is \"$1\", not \"$2\""; }
configuration=/etc/walrelay/walrelay.yaml

step "install"
dpkg --purge walrelay >/dev/null 2>&1 || true
dpkg -i /walrelay.deb >/install.log 2>&1 || {
  cat /install.log >&2
  die "it does not install"
}
grep -q 'systemctl enable --now walrelay' /install.log || die "nobody is told how to go on"
is "$(dpkg-query -W -f='${db:Status-Status}' walrelay)" installed "its state"
is "$(stat -c '%U:%G %a' "$configuration")" "root:walrelay 640" "the owner of $configuration"
is "$(stat -c '%U:%G %a' /etc/walrelay/credentials)" "root:root 700" "the owner of the folder of secrets"
is "$(getent passwd walrelay | cut -d: -f6,7)" "/nonexistent:/usr/sbin/nologin" "the user's home and shell"
[ -z "$(find /etc/systemd -name '*walrelay*')" ] || die "the service is enabled, and nobody has said so"
dpkg --verify walrelay || die "files are not as they were packed"

step "the program, its completion and its page"
is "$(command -v walrelay)" /usr/bin/walrelay "the program's place"
walrelay version | grep -q '^walrelay [0-9]' || die "walrelay version"
if ldd /usr/bin/walrelay | grep 'not found'; then die "a library is missing"; fi
setpriv --reuid walrelay --regid walrelay --clear-groups walrelay config show -c "$configuration" >/dev/null ||
  die "the user cannot read its configuration"
setpriv --reuid nobody --regid nogroup --clear-groups walrelay config show -c "$configuration" >/dev/null 2>&1 &&
  die "everybody can read the configuration"
bash -c 'source /usr/share/bash-completion/completions/walrelay && complete -p walrelay' >/dev/null || die "completion"
gzip -dc /usr/share/man/man1/walrelay.1.gz | grep -q '^\.Dt WALRELAY 1' || die "the manual page"
gzip -dc /usr/share/man/man5/walrelay.yaml.5.gz | grep -q '^\.Dt WALRELAY.YAML 5' || die "the configuration's page"
if command -v systemd-analyze >/dev/null; then
  # Only what it says of us; the page cannot be shown where manual pages are not installed.
  said=$(systemd-analyze verify walrelay.service walrelay@main.service 2>&1 | grep walrelay | grep -v "Command 'man" || true)
  is "$said" "" "what systemd says of the units"
fi

step "it runs as its user, and health says so"
mkdir -p /run/service && chown walrelay /run/service
cat >/run/service/w.yaml <<'EOF'
source: {url: "host=/nowhere dbname=x"}
target: {url: "unix:///nowhere"}
http: {listen: "127.0.0.1:19847"}
EOF
setpriv --reuid walrelay --regid walrelay --clear-groups --no-new-privs --bounding-set=-all \
  walrelay run -c /run/service/w.yaml 2>/run/service/log &
running=$!
healthy=false
for _ in $(seq 100); do
  if walrelay healthcheck --url http://127.0.0.1:19847 >/dev/null 2>&1; then
    healthy=true
    break
  fi
  read -r -t 0.1 _ <> <(:) || true
done
$healthy || die "it does not run: $(cat /run/service/log)"
kill "$running"
wait "$running" || die "it does not end in order"
rm -r /run/service

step "upgrade: what was changed stays"
echo '# ours' >>"$configuration"
dpkg --force-confdef --force-confold -i /walrelay.deb >/dev/null 2>&1 || die "it does not install again"
is "$(tail -n 1 "$configuration")" "# ours" "the end of the changed configuration"
is "$(stat -c '%U:%G %a' "$configuration")" "root:walrelay 640" "the owner of the changed configuration"
echo secret >/etc/walrelay/credentials/postgres-password

step "remove: the program goes, the configuration stays"
dpkg --remove walrelay >/dev/null 2>&1 || die "it cannot be removed"
[ ! -e /usr/bin/walrelay ] || die "the program is still there"
[ -e "$configuration" ] || die "the configuration has gone"

step "purge: everything goes"
dpkg --purge walrelay >/purge.log 2>&1 || die "it cannot be purged"
grep -q pg_drop_replication_slot /purge.log || die "nobody is told of the slot"
[ ! -e /etc/walrelay ] || die "/etc/walrelay is still there: $(ls -A /etc/walrelay)"
if getent passwd walrelay || getent group walrelay; then die "the user is still there"; fi
