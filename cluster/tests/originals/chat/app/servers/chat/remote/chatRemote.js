'use strict';

const { nameOf } = require('../../../util/uid');

module.exports = (app) => {
  const channelOf = (rid, create) => app.get('channelService').getChannel(rid, create);
  const usersOf = (channel) => (channel ? channel.getMembers().map(nameOf) : []);

  return {
    // `sid` is the connector through which the user came.
    add(uid, sid, rid, create, callback) {
      const channel = channelOf(rid, create);
      // Before the newcomer is a member, who so does not hear of himself.
      channel.pushMessage({ route: 'onAdd', user: nameOf(uid) });
      channel.add(uid, sid);
      callback(usersOf(channel));
    },

    get(rid, create, callback) {
      callback(usersOf(channelOf(rid, create)));
    },

    kick(uid, sid, rid, callback) {
      const channel = channelOf(rid, false);
      if (channel) {
        channel.leave(uid, sid);
        channel.pushMessage({ route: 'onLeave', user: nameOf(uid) });
      }
      callback();
    },
  };
};
