#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# --web.config.file: TLS, client certificates, users; what changes while bramble runs; and
# that the Unix socket asks for none of it.
. "$(dirname "$0")/lib.sh"

pki=$tmp/pki
mkdir "$pki"
new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$pki/$1.key" 2>/dev/null; }
# new_certificate NAME CA USAGE: signed by CA, for 127.0.0.1 and NAME.
new_certificate() {
	new_key "$1"
	openssl req -new -key "$pki/$1.key" -subj "/CN=$1" -out "$pki/$1.csr" 2>/dev/null
	openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.pem" -CAkey "$pki/$2.key" -CAcreateserial -days 2 \
		-out "$pki/$1.pem" 2>/dev/null -extfile <(
			echo "subjectAltName=DNS:$1,IP:127.0.0.1"
			echo "extendedKeyUsage=$3"
		)
}
for ca in ca other-ca; do
	new_key $ca
	openssl req -x509 -new -key "$pki/$ca.key" -days 2 -subj "/CN=$ca" -out "$pki/$ca.pem" 2>/dev/null
done
new_certificate first ca serverAuth
new_certificate second ca serverAuth
new_certificate prometheus ca clientAuth
new_certificate stranger ca clientAuth
new_certificate forged other-ca clientAuth
mv "$pki/forged.pem" "$pki/forged-prometheus.pem"

cp "$pki/first.pem" "$tmp/server.pem"
cp "$pki/first.key" "$tmp/server.key"
# The password is "secret".
cat >"$tmp/web.yml" <<'END_OF_FILE'
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_ca_file: pki/ca.pem
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus]
http_server_config:
  headers:
    X-Frame-Options: deny
basic_auth_users:
  prom: $2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
END_OF_FILE

# Ready means: the socket answers.
ready_options=(--unix-socket "$tmp/bramble.sock")
start_bramble --web.config.file="$tmp/web.yml"
url=https${bramble_url#http}

# ask ARGS...: the status, 000 if there is no connection.
ask() { curl -s -m 10 -o "$tmp/page" -w '%{http_code}' --cacert "$pki/ca.pem" "$@" "$url/metrics"; }
client=(--cert "$pki/prometheus.pem" --key "$pki/prometheus.key")
user=(-u prom:secret)

check "with certificate and password" test "$(ask "${client[@]}" "${user[@]}")" = 200
check "the metrics are there" grep -q '^bramble_build_info' "$tmp/page"
check "with TLS 1.2, too" test "$(ask --tls-max 1.2 "${client[@]}" "${user[@]}")" = 200
check "not with TLS 1.1" test "$(ask --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 "${client[@]}" "${user[@]}")" = 000
check "not without a certificate" test "$(ask "${user[@]}")" = 000
check "not with a certificate of another name" \
	test "$(ask --cert "$pki/stranger.pem" --key "$pki/stranger.key" "${user[@]}")" = 000
check "not with a certificate of another CA" \
	test "$(ask --cert "$pki/forged-prometheus.pem" --key "$pki/forged.key" "${user[@]}")" = 000
check "not with a server's certificate" \
	test "$(ask --cert "$pki/second.pem" --key "$pki/second.key" "${user[@]}")" = 000
check "401 without a password" test "$(ask "${client[@]}")" = 401
check "401 with a wrong password" test "$(ask "${client[@]}" -u prom:Secret)" = 401
check "plain HTTP is answered with 400" test "$(curl -s -m 10 -w '%{http_code}' "$bramble_url/metrics")" = \
	"TLS is spoken here: ask for https://
400"

# ---- a client that is turned away learns why, and so does the operator
refusal() { curl -sv -m 10 -o /dev/null --cacert "$pki/ca.pem" "$@" "$url/metrics" 2>&1; }
check "the alert without a certificate" grep -q 'alert certificate required' <<<"$(refusal)"
check "the alert with one of another CA" grep -q 'alert unknown ca' \
	<<<"$(refusal --cert "$pki/forged-prometheus.pem" --key "$pki/forged.key")"
check "the alert with another name" grep -q 'alert bad certificate' \
	<<<"$(refusal --cert "$pki/stranger.pem" --key "$pki/stranger.key")"
check "the alert with TLS 1.1" grep -q 'alert protocol version' \
	<<<"$(refusal --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0)"
for words in 'it has no certificate' 'is of another CA .*CN=forged' 'no name of its certificate .*CN=stranger' \
	'no version of TLS' 'speaks plain HTTP'; do
	check "the log says: $words" test "$(grep -c "refused the client 127.0.0.1:.*$words" "$bramble_log")" = 1
done
ask "${client[@]}" "${user[@]}" >/dev/null
check "they are counted" test "$(sed -n 's/^bramble_web_refused_total{reason="no_certificate"} //p' "$tmp/page")" -ge 2
header=$(curl -sI --cacert "$pki/ca.pem" "${client[@]}" "${user[@]}" "$url/")
check "the configured header is sent" grep -qi '^X-Frame-Options: deny' <<<"$header"
check "the Unix socket asks for nothing" bramble_ready
"$BRAMBLE" top --once --interval=200ms --socket="$tmp/bramble.sock" >"$tmp/top.txt" 2>&1
check "top reads it" grep -q '^NAME ' "$tmp/top.txt"

# ---- changes while it runs
subject() {
	curl -sv -o /dev/null --cacert "$pki/ca.pem" "${client[@]}" "${user[@]}" "$url/healthz" 2>&1 |
		sed -n 's/^\* *subject: CN=//p'
}
serves() { [ "$(subject)" = "$1" ]; }
check "the first certificate" serves first
cp "$pki/second.pem" "$tmp/server.pem"
cp "$pki/second.key" "$tmp/server.key"
check "a new certificate is used without a restart" wait_until 10 serves second

sed -i '/basic_auth_users/,$d' "$tmp/web.yml"
keeps_users() {
	[ "$(ask "${client[@]}")" = 401 ] && grep -q 'has no users any more: restart bramble.*stays in force' "$bramble_log"
}
check "a file without its users, as one that is half written, lets nobody in" wait_until 10 keeps_users
echo 'basic_auth_users: {}' >>"$tmp/web.yml"
keeps_users_again() { keeps_users && [ "$(grep -c 'has no users any more' "$bramble_log")" = 2 ]; }
check "not even if it says so: that takes a restart" wait_until 10 keeps_users_again
sed -i '$d' "$tmp/web.yml"
# The password is "changed".
cat >>"$tmp/web.yml" <<'END_OF_FILE'
basic_auth_users:
  prom: $2b$04$abcdefghijklmnopqrstuu5XQl64I3WPWSJw.ftK7xXCrRn1r6QJi
END_OF_FILE
user=(-u prom:changed)
takes_the_new_password() { [ "$(ask "${client[@]}" "${user[@]}")" = 200 ]; }
check "a changed configuration is used without a restart" wait_until 10 takes_the_new_password

echo 'basic_auth_user: {}' >>"$tmp/web.yml"
complains() {
	takes_the_new_password && grep -q 'unknown key .*did you mean basic_auth_users?.*stays in force' "$bramble_log"
}
check "a wrong one is told, and the last one stays" wait_until 10 complains
sed -i '$d' "$tmp/web.yml"
rm "$tmp/server.pem"
misses_file() { takes_the_new_password && grep -q 'server.pem: No such file .*stays in force' "$bramble_log"; }
check "so is a file that is missing" wait_until 10 misses_file
echo 'basic_auth_user: {}' >>"$tmp/web.yml"
check "others can read the hashes: the log warns" grep -q 'hashes of passwords in it can be read by .*chmod 600' "$bramble_log"
stop_bramble

# ---- wrong passwords of eight addresses: the known user is always answered, a new one is let in
# The passwords are "secret" and "other".
cat >"$tmp/users.yml" <<'END_OF_FILE'
basic_auth_users:
  prom: $2b$08$abcdefghijklmnopqrstuuKxCcvB7KZ7.BpDoK0bh6qM7Dl1/xiJa
  two: $2b$08$abcdefghijklmnopqrstuuUU80QXrnnCgZ9JT6yOsfhqgpsr6Umjm
END_OF_FILE
start_bramble --web.config.file="$tmp/users.yml"
# status_from HOST USER:PASSWORD: from the address 127.0.HOST
status_from() { curl -s -m 60 -o /dev/null -w '%{http_code}' --interface "127.0.$1" -u "$2" "$bramble_url/healthz"; }
# The CPU time of all threads but the first, in ticks.
hashing_ticks() { cat /proc/"$bramble_pid"/task/*/stat | sed 's/.*) //' | awk -v ORS='' 'NR > 1 { n += $12 + $13 } END { print n + 0 }'; }
check "a right password is let in" test "$(status_from 0.1 prom:secret)" = 200
began=$(date +%s%N)
ticks=$(hashing_ticks)
guess() { while :; do status_from "1.$1" "prom:wrong-$RANDOM-$RANDOM"; echo; done >>"$tmp/guesses"; }
guessers=()
for i in 1 2 3 4 5 6 7 8; do
	in_background guess "$i"
	guessers+=("$background_pid")
done
answers=0
for i in $(seq 50); do [ "$(status_from 0.1 prom:secret)" != 200 ] || answers=$((answers + 1)); done
check "wrong passwords do not stop a known user" test "$answers" = 50
newcomer() { [ "$(status_from 2.1 two:other)" = 200 ]; }
check "nor a new one" wait_until 60 newcomer
for pid in "${guessers[@]}"; do kill "$pid" && wait "$pid"; done
ticks=$((($(hashing_ticks) - ticks) * 1000 / $(getconf CLK_TCK)))
elapsed=$((($(date +%s%N) - began) / 1000000))
# A tenth is the bound; the first hash needs no rest before it.
check "hashing takes little of a CPU" test $ticks -le $((elapsed / 5 + 300)) || note "$ticks of $elapsed ms"
note "$(sort "$tmp/guesses" | uniq -c | tr -s ' \n' ' '), $ticks of $elapsed ms of CPU"
check "no wrong password was let in" test "$(grep -c 200 "$tmp/guesses")" = 0
stop_bramble

# ---- promtool contains the exporter-toolkit, and must accept the same files
# verdict FILE: whether bramble starts with it.
verdict() {
	local pid out=$tmp/verdict.log
	: >"$out"
	"$BRAMBLE" serve --web.listen-address=127.0.0.1:0 --web.socket= --kube.source=none --no-probe.tcp --no-probe.fsync \
		--no-probe.memory --no-probe.block --web.config.file="$1" >"$out" 2>&1 &
	pid=$!
	wait_until 20 eval "grep -q 'msg=\"serving' $out || ! kill -0 $pid 2>/dev/null"
	kill -TERM $pid 2>/dev/null
	wait $pid 2>/dev/null
	if grep -q 'msg="serving' "$out"; then echo taken; else echo "refused: $(grep -o 'level=error.*' "$out")"; fi
}
toolkit_verdict() { if promtool check web-config "$1" >/dev/null 2>&1; then echo taken; else echo refused; fi; }
tls='tls_server_config: {cert_file: pki/first.pem, key_file: pki/first.key'
while read -r expected text; do
	printf '%b' "${text/@/$tls}" >"$tmp/peer.yml"
	found=$(verdict "$tmp/peer.yml")
	check "$expected, as by the toolkit: $text" \
		test "${found%%:*} $(toolkit_verdict "$tmp/peer.yml")" = "$expected $expected" || note "$found"
done <<'END_OF_LIST'
taken ~
taken tls_server_config: {min_version: TLS12}
taken @, client_auth_type: RequireClientCert, client_ca_file: null, cipher_suites: , prefer_server_cipher_suites: yes}
taken @, client_auth_type: VerifyClientCertIfGiven, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]}
taken basic_auth_users: ~\nhttp_server_config: {http2: null, headers: {X-XSS-Protection: 1}}
refused tls_server_config: {cert_flie: pki/first.pem}
refused @, client_auth_type: NoCert}
refused @, min_version: TLS14}
refused @, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}
refused @, curve_preferences: [CurveP123]}
refused @, client_ca_file: pki/ca.pem}
refused basic_auth_users: {prom: secret}
refused http_server_config: {headers: {X-Frame-Options: all}}
END_OF_LIST

# ---- a certificate as many scripts make it, and a client in Go; over IPv6
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$pki/rsa.key" -out "$pki/rsa.pem" -subj /CN=pi -days 2 \
	-addext keyUsage=critical,keyEncipherment -addext subjectAltName=IP:::1,IP:127.0.0.1 2>/dev/null
printf 'tls_server_config: {cert_file: pki/rsa.pem, key_file: pki/rsa.key}\n' >"$tmp/rsa.yml"
port=$(free_port)
in_background "$BRAMBLE" serve --web.listen-address="[::1]:$port" --web.socket= --kube.source=none \
	--web.config.file="$tmp/rsa.yml" >"$tmp/rsa.log" 2>&1
# promtool asks for what is not there, and ends with 1.
go_client() { grep -q 'see / for what is here' <<<"$(SSL_CERT_FILE=$pki/rsa.pem promtool query instant "https://[::1]:$port" up 2>&1)"; }
check "keyEncipherment alone serves a client in Go" wait_until 10 go_client
for version in --tlsv1.3 "--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256"; do
	# shellcheck disable=SC2086 # words
	check "and one with OpenSSL, $version" test \
		"$(curl -s -m 10 -o /dev/null -w '%{http_code}' --cacert "$pki/rsa.pem" $version "https://[::1]:$port/metrics")" = 200
done
check "the address is printed as it can be asked" grep -qF "https://[::1]:$port/metrics" "$tmp/rsa.log"
kill -TERM "$background_pid"
wait "$background_pid"

# ---- what keeps it from starting
"$BRAMBLE" serve --web.listen-address=127.0.0.1:0 --web.config.file="$tmp/web.yml" >"$tmp/out" 2>&1
check "a wrong configuration is told at the start: 1" \
	sh -c "test $? = 1 && grep -q 'web.yml: line [0-9]*: unknown key' $tmp/out"
printf 'tls_server_config: {cert_file: pki/first.pem, key_file: pki/second.key}\n' >"$tmp/web.yml"
"$BRAMBLE" serve --web.listen-address=127.0.0.1:0 --web.config.file="$tmp/web.yml" >"$tmp/out" 2>&1
check "so are a certificate and a key that do not belong together: 1" \
	sh -c "test $? = 1 && grep -q 'pki/first.pem with the key .*pki/second.key' $tmp/out"
finish
