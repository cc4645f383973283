// Sets TCP_NODELAY on every connection between servers. Pomelo leaves it unset and writes a message in
// two parts, the second of which waits for the acknowledgement of the first: 40 ms and more that say
// nothing of its code. Its own code stays as it is; this is required before it.
'use strict';

const net = require('net');

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const socket = connect.apply(this, args);
  socket.setNoDelay(true);
  return socket;
};

// Those of clients, which are accepted too, have it already if they are WebSocket's.
const { emit } = net.Server.prototype;
net.Server.prototype.emit = function (event, ...args) {
  const [socket] = args;
  if (event === 'connection' && socket instanceof net.Socket) {
    socket.setNoDelay(true);
  }
  return emit.call(this, event, ...args);
};
