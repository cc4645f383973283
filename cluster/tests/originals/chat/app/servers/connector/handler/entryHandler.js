'use strict';

module.exports = (app) => ({
  enter(message, session, next) {
    const { username, rid } = message;
    const uid = `${username}*${rid}`;
    if (app.get('sessionService').getByUid(uid)) {
      next(null, { code: 500, error: true });
      return;
    }
    // A session that is bound keeps its uid, and enters the other room all the same.
    session.bind(uid);
    session.set('rid', rid);
    session.push('rid', () => {});
    session.on('closed', (closed) => leave(app, closed));
    // The answer is whatever comes back, also if that is an error.
    app.rpc.chat.chatRemote.add(session, uid, app.get('serverId'), rid, true, (users) => {
      next(null, { users });
    });
  },
});

function leave(app, session) {
  if (session && session.uid) {
    const rid = session.get('rid');
    app.rpc.chat.chatRemote.kick(session, session.uid, app.get('serverId'), rid, null);
  }
}
