// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// usage: node http2.js server PORT KEY CERTIFICATE
//        node http2.js watch PORT SECONDS     two watches, and a question now and then
//        node http2.js ask PORT COUNT PAUSE_MS   questions alone, one at a time
//        node http2.js talk PORT SECONDS      both sides speak when they like
//
// HTTP/2 over TLS, one connection for each client, as an API server and its clients have
// it. A client's window is so small that it sends a WINDOW_UPDATE for whatever it is sent. Clients print
// how many questions were answered.
'use strict';
const fs = require('fs');
const http2 = require('http2');

const WINDOW = 8192; // bytes
const EVENT = 'e'.repeat(6000);
const [mode, port, ...args] = process.argv.slice(2);

// What the server pushes, every so often, until the stream is closed.
function push(stream, ms) {
	const timer = setInterval(() => stream.write(EVENT), ms);

	stream.on('close', () => clearInterval(timer));
	stream.on('error', () => clearInterval(timer));
}

function serve(key, cert) {
	const server = http2.createSecureServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) });

	server.on('stream', (stream, headers) => {
		const [, what, ms] = headers[':path'].split('/');

		stream.on('data', () => {});
		if (what === 'ask') {
			setTimeout(() => {
				stream.respond({ ':status': 200 });
				stream.end(EVENT);
			}, Number(ms));
		} else {
			stream.respond({ ':status': 200 });
			push(stream, Number(ms));
		}
	});
	server.listen(Number(port), '127.0.0.1');
}

function open() {
	return http2.connect(`https://127.0.0.1:${port}`, {
		rejectUnauthorized: false,
		settings: { initialWindowSize: WINDOW },
	});
}

// A stream that is read as it comes. headers: of the question.
function request(session, headers) {
	const stream = session.request(headers, { endStream: headers[':method'] === 'GET' });

	stream.on('data', () => {});
	stream.on('error', () => {});
	return stream;
}

let answered = 0;

// A question with a body, whose answer takes the server 30 ms.
function ask(session, done) {
	const stream = request(session, { ':method': 'PUT', ':path': '/ask/30', 'x-lease': `node-${answered}` });

	stream.end('l'.repeat(200));
	stream.on('end', () => {
		answered++;
		if (done)
			done();
	});
}

function end(session) {
	session.destroy();
	console.log(`answered ${answered}`);
	process.exit(0);
}

// The watches' pushes come far apart. After two of them the client asks in between.
function watch(session, seconds) {
	request(session, { ':method': 'GET', ':path': '/watch/2600' });
	request(session, { ':method': 'GET', ':path': '/watch/2600' });
	setTimeout(() => setInterval(() => ask(session), 2600), 4000);
	setTimeout(() => setInterval(() => session.ping(() => {}), 2600), 3500);
	setTimeout(() => end(session), seconds * 1000);
}

function askInTurn(session, count, pause) {
	if (count === 0) {
		end(session);
		return;
	}
	ask(session, () => setTimeout(() => askInTurn(session, count - 1, pause), pause));
}

// Both speak on their own: the server every 2.6 s, the client every 4.1 s.
function talk(session, seconds) {
	const stream = request(session, { ':method': 'POST', ':path': '/talk/2600' });

	setInterval(() => stream.write('t'.repeat(300)), 4100);
	setTimeout(() => end(session), seconds * 1000);
}

if (mode === 'server') {
	serve(args[0], args[1]);
} else {
	const session = open();

	session.on('connect', () => {
		if (mode === 'watch')
			watch(session, Number(args[0]));
		else if (mode === 'ask')
			askInTurn(session, Number(args[0]), Number(args[1]));
		else
			talk(session, Number(args[0]));
	});
}
