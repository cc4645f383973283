// Pomelo's servers listen on every address of the machine. These are for tests: where no address
// is asked for, it is the loopback one.
'use strict';

const net = require('net');

const { listen } = net.Server.prototype;

net.Server.prototype.listen = function (port, ...more) {
  const isPort = typeof port === 'number' && typeof more[0] !== 'string';
  return isPort ? listen.call(this, port, '127.0.0.1', ...more) : listen.call(this, port, ...more);
};
