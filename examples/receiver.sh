#!/usr/bin/env bash
# Receive alerts of Tocsin with a shell and openssl: check the signature, answer the challenge,
# write each message once to a file. It serves one connection on its standard input and output, so
# let socat, systemd (Accept=yes) or inetd listen:
#
#   export WEBHOOK_SECRET=whsec_... WEBHOOK_FILE=alerts.jsonl
#   socat TCP-LISTEN:8080,reuseaddr,fork EXEC:./receiver.sh
#
# Tocsin posts to https on port 443 only: put a server with a certificate in front. The secret is in
# openssl's arguments for a moment: on a machine that you share, take receiver.py.
set -u -f -o pipefail
shopt -s nocasematch # header names come in any case
export LC_ALL=C
tolerance=300       # seconds: a signature that is older, or of the future, is not believed
longest=4194304     # bytes of a body
file=${WEBHOOK_FILE:-alerts.jsonl}

answer() { # status, text
  printf 'HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' "$1" "${#2}" "$2"
  exit 0
}

body=$(mktemp) || exit 1
trap 'rm -f "$body"' EXIT

# The head. Bash reads a pipe or socket byte by byte, so that the body is left for head -c.
id='' stamp='' signatures='' length='' lines=0
IFS= read -r -t 10 request || exit 0
while IFS= read -r -t 10 line; do
  line=${line%$'\r'}
  [ -n "$line" ] || break
  [ $((lines += 1)) -le 100 ] || answer '431 Request Header Fields Too Large' ''
  value=${line#*:}
  value=${value#"${value%%[![:space:]]*}"}
  case "${line%%:*}" in
    webhook-id) id=$value ;;
    webhook-timestamp) stamp=$value ;;
    webhook-signature) signatures=$value ;;
    content-length) length=$value ;;
  esac
done
case $request in POST\ *) ;; *) answer '405 Method Not Allowed' '' ;; esac
[[ $length =~ ^[0-9]{1,7}$ ]] && [ "$length" -le "$longest" ] || answer '413 Content Too Large' ''
timeout 10 head -c "$length" >"$body" || answer '408 Request Timeout' ''

# The signature: HMAC-SHA256 of id.timestamp.body, for any secret and any of the signatures.
[[ -n $id && $stamp =~ ^[0-9]{1,11}$ ]] || answer '401 Unauthorized' ''
age=$(($(date +%s) - 10#$stamp))
[ "${age#-}" -le "$tolerance" ] || answer '401 Unauthorized' ''
genuine=no
for secret in ${WEBHOOK_SECRET:?set it to the secret that you were shown, whsec_...}; do
  key=$(printf %s "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  [ -n "$key" ] || continue
  wanted=$({ printf '%s.%s.' "$id" "$stamp"; cat "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
  for signature in $signatures; do
    [ "$signature" = "v1,$wanted" ] && genuine=yes # [ minds the case
  done
done
[ $genuine = yes ] || answer '401 Unauthorized' ''

# A challenge is answered with its text; a message that comes again is not written again.
if grep -q '^{"specversion":"1.0","type":"tocsin.challenge.v1"' "$body"; then
  answer '200 OK' "$(sed -n 's/.*"data":{"challenge":"\([A-Za-z0-9_-]*\)"}.*/\1/p' "$body")"
fi
if ! grep -q -x -F -- "$id" "$file.ids" 2>/dev/null; then
  { cat "$body" && echo; } >>"$file" || answer '500 Internal Server Error' '' # it comes again
  printf '%s\n' "$id" >>"$file.ids"
fi
answer '200 OK' ''
