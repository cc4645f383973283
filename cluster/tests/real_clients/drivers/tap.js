// Reads along what goes over a WebSocket of the package ws, whichever version a client brings: the
// client does not know, and what it says of itself is not relied on.

"use strict";

const HANDSHAKE = 1;
const HEARTBEAT = 3;
const DATA = 4;
const KICK = 5;
const REQUEST = 0;
const PUSH = 3;

exports.watch = function (socket, emit) {
  socket.on("message", (data) => exports.received(Buffer.from(data), emit));
  socket.on("close", () => emit({ event: "closed" }));
  const send = socket.send;
  socket.send = function (data, ...more) {
    exports.sent(Buffer.from(data), emit);
    return send.call(this, data, ...more);
  };
};

exports.received = function (data, emit) {
  const body = data.subarray(4);
  switch (data[0]) {
    case HANDSHAKE: {
      const { heartbeat, useDict, useProto, dict, protos } = JSON.parse(body).sys;
      const event = { heartbeat: heartbeat ?? null, useDict: !!useDict, useProto: !!useProto };
      emit({ event: "handshake", ...event, dict: !!dict, protos: !!protos });
      break;
    }
    case HEARTBEAT:
      emit({ event: "heartbeat" });
      break;
    case KICK:
      emit({ event: "kick", reason: JSON.parse(body).reason });
      break;
    case DATA: {
      const message = decode(body);
      if (message.type === PUSH) {
        // A protobuf body begins with the number of its first field.
        const format = message.body.toString().startsWith("{") ? "json" : "protobuf";
        emit({ event: "got", route: message.route, format });
      }
    }
  }
};

exports.sent = function (data, emit) {
  if (data[0] === DATA) {
    emit({ event: "sent", route: decode(data.subarray(4)).route });
  }
};

// The route of a request or push, as the number or text that it is, and the body.
function decode(data) {
  const type = (data[0] >> 1) & 7;
  let at = 1;
  if (type === REQUEST) {
    while (data[at++] >= 0x80);
  }
  if (data[0] & 1) {
    return { type, route: data.readUInt16BE(at), body: data.subarray(at + 2) };
  }
  const end = at + 1 + data[at];
  return { type, route: data.toString("utf8", at + 1, end), body: data.subarray(end) };
}
