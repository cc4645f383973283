'use strict';

const { nameOf } = require('../../../util/uid');

module.exports = (app) => ({
  // Throws without a session that has entered, without its room and without the target, which the
  // client is told as code 500.
  send(message, session, next) {
    const rid = session.get('rid');
    const from = nameOf(session.uid);
    const { content, target } = message;
    const channelService = app.get('channelService');
    const channel = channelService.getChannel(rid, false);
    // The fields are written to clients in this order.
    const push = { route: 'onChat', msg: content, from, target };
    // Not ===: an array with one * in it counts too.
    if (target == '*') {
      channel.pushMessage(push);
    } else {
      const uid = `${target}*${rid}`;
      const { sid } = channel.getMember(uid);
      channelService.pushMessageByUids(push, [{ uid, sid }]);
    }
    next(null, { route: message.route });
  },
});
