// Runs the original's protobuf for main.rs: a line of JSON in, a line of JSON out.
//
// in   protos    a schema file
//      messages  objects to encode with the message `r` of that schema
//      bodies    bytes to decode, in hex
// out  parsed    the parsed schema, as text
//      version   the digest of a handshake with this schema for both directions
//      messages  of each: {bytes}, {empty: true} or {throws}
//      bodies    of each: {value} or {throws}; a number is the hex of its IEEE bytes after a "#",
//                because not every reader of JSON gets all of its bits right
'use strict';

const crypto = require('crypto');
const readline = require('readline');
const protobuf = require('pomelo-protobuf');

// It reports trouble on standard output.
console.log = console.error = console.warn = () => {};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { protos, messages, bodies } = JSON.parse(line);
  const parsed = protobuf.parse(protos);
  const text = JSON.stringify(parsed);
  protobuf.init({ encoderProtos: parsed, decoderProtos: parsed });
  const answer = {
    parsed: text,
    version: crypto.createHash('md5').update(text + text).digest('base64'),
    messages: messages.map((message) => attempt(() => encoded(message))),
    bodies: bodies.map((body) => attempt(() => decoded(Buffer.from(body, 'hex')))),
  };
  process.stdout.write(JSON.stringify(answer) + '\n');
});

function attempt(what) {
  try {
    return what();
  } catch (error) {
    return { throws: String(error) };
  }
}

function encoded(message) {
  // It makes room by the length of the message's JSON and cuts off what needs more. A field that
  // no schema has makes it enough.
  const room = ' '.repeat(100 + 10 * JSON.stringify(message).length);
  const bytes = protobuf.encode('r', { ...message, 'room for the rest': room });
  return bytes === null ? { empty: true } : { bytes: bytes.toString('hex') };
}

function decoded(bytes) {
  const numbers = (_, value) => (typeof value === 'number' ? number(value) : value);
  return { value: JSON.parse(JSON.stringify(protobuf.decode('r', bytes), numbers)) };
}

function number(value) {
  if (!Number.isFinite(value)) {
    return null;
  }
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return '#' + bytes.toString('hex');
}
