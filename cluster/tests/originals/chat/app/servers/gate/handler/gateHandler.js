'use strict';

const { serverOf } = require('../../../util/dispatch');

module.exports = (app) => ({
  queryEntry(message, session, next) {
    const connectors = app.getServersByType('connector');
    if (!message.uid || !connectors || connectors.length === 0) {
      next(null, { code: 500 });
      return;
    }
    const { host, clientPort } = serverOf(message.uid, connectors);
    next(null, { code: 200, host, port: clientPort });
  },
});
