'use strict';

const crc = require('crc');

// The one of `servers` that `key` belongs to. Throws for null and the like, as the original does.
exports.serverOf = (key, servers) => servers[Math.abs(crc.crc32(key)) % servers.length];
