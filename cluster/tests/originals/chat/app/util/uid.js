'use strict';

// The user's name in `name*room`. A name that has a * in it is cut short, as in the original.
exports.nameOf = (uid) => uid.split('*')[0];
