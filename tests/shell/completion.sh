#!/usr/bin/env bash
# The completion scripts in the shells that they are for. Exit status 77: this machine has no such shell.
#
#   completion.sh bash|zsh|fish PROGRAM
set -euo pipefail
shell=$1 program=$2
command -v "$shell" >/dev/null || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ln -s "$program" walrelay
export PATH="$work:$PATH" HOME="$work" WALRELAY_CONFIG=
cat >named.yaml <<'EOF'
source: {url: "postgres://h/d"}
mappings:
  - {name: orders, table: orders, write: {hash: {key: "o:{id}"}}}
  - {name: order-lines, table: lines, write: {hash: {key: "l:{id}"}}}
EOF
touch "other file.yaml"
mkdir folder
walrelay completion "$shell" >"script.$shell"

# What the shell offers for a line whose last word is still being written, sorted, one a line.
offers_bash() {
  bash --norc --noprofile -c '
    source script.bash
    read -ra COMP_WORDS <<<"${1//=/ = }"
    if [[ $1 == *" " || $1 == *= ]]; then COMP_WORDS+=(""); fi
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _walrelay walrelay "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"' - "$1"
}

# By the keyboard: a shell in a terminal of its own, the line, the key. What the completion adds goes to a file.
cat >inner.zsh <<'EOF'
PROMPT_EOL_MARK=
autoload -Uz compinit
compinit -u -d dump
source script.zsh
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-[A-Za-z]#[OAD]* ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -A hits "$@"
  print -rl -- $hits >>offers
  builtin compadd "$@"
}
bindkey '^I' complete-word
PS1='reads%% '
EOF
cat >outer.zsh <<'EOF'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'setopt extended_glob; source inner.zsh'
zpty -r -m shell seen '*reads% *' # only now keys go to the line editor, not to the terminal's own
zpty -w -n shell "$1"$'\t\C-u'
zpty -w shell 'print over-$((1 + 1))'
zpty -r -m shell seen '*over-2*'
zpty -d shell
EOF
offers_zsh() {
  rm -f offers
  timeout 30 zsh -f outer.zsh "$1" >/dev/null
  cat offers 2>/dev/null || true
}

offers_fish() {
  fish --no-config -c 'source script.fish; complete -C $argv[1]' -- "$1" | cut -f1
}

failures=0
# offered LINE WORD...: the shell offers exactly these.
offered() {
  local line=$1 found expected
  shift
  found=$("offers_$shell" "$line" | sed '/^$/d' | sort -u | tr '\n' ' ')
  expected=$(printf '%s\n' "$@" | sed '/^$/d' | sort -u | tr '\n' ' ')
  [ "$found" = "$expected" ] && return
  printf '%s: "%s" offers "%s", not "%s"\n' "$shell" "$line" "$found" "$expected" >&2
  failures=$((failures + 1))
}

offered "walrelay re" rebuild reload
offered "walrelay config s" schema show
offered "walrelay completion " bash fish zsh
offered "walrelay status --out" --output
offered "walrelay status --output " json text yaml
offered "walrelay verify -o " json text
offered "walrelay run --log-level d" debug
offered "walrelay log-level w" warn
offered "walrelay rebuild --config named.yaml --mapping " order-lines orders
offered "walrelay verify --mapping orders --config named.yaml --rep" --repair
offered "walrelay run --config nam" named.yaml
offered "walrelay nonsense"
[ "$failures" = 0 ]
