'use strict';

// Runs every command of the library against the nodes that the arguments name, host:port. With KILL=pid they all run again and again beside each other, and in the
// middle of it that process, one of the nodes, is killed: the library goes on with the others, and the application notices nothing.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { ask, connect, stop } = require('./client');

const ROUNDS = 4;
const commands = [...require('./buckets'), ...require('./objects'), ...require('./datatypes'), ...require('./mapreduce')];
const victim = process.env.KILL ? Number(process.env.KILL) : null;
let names = 0;
let killed = false;

const fresh = () => ({ bucket: `bucket-${++names}`, key: `key-${names}` });

test(victim === null ? 'every command' : 'every command, and a node is killed among them', { concurrency: commands.length + 1 }, async t => {
  const client = await connect(process.argv.slice(2));
  try {
    await (victim === null ? one(t, client) : amid(t, client));
  } finally {
    await stop(client);
  }
});

async function one(t, client) {
  for (const command of commands) {
    await t.test(command.name, () => command.run(client, fresh()));
  }
}

async function amid(t, client) {
  const written = [];
  let ended = 0;
  let allEnded = false;
  const tests = commands.map(command => t.test(command.name, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await perform(command, client);
      if (++ended === (commands.length * ROUNDS) / 2) {
        process.kill(victim, 'SIGKILL');
        killed = true;
      }
    }
  }));
  const writing = t.test('what was acknowledged is there', async () => {
    while (!allEnded) {
      const key = fresh();
      await ask(client, 'storeValue', Object.assign({ value: key.key }, key));
      written.push(key);
    }

    assert.ok(killed && written.length > 100, `${written.length} were written`);
    for (const key of written) {
      const fetched = await ask(client, 'fetchValue', key);
      assert.deepEqual(fetched.values.map(value => value.value.toString()), [key.key]);
    }
  });
  await Promise.allSettled(tests);
  allEnded = true;
  await writing;
}

/**
 * What the library sends again when a connection breaks may have been done by then, and then a counter counts twice, or a condition no longer holds, with Riak as here. What is refused it sends
 * again too, and if the last of its four tries is the one that breaks, the application hears of that and not of the refusal. So a command that may be done once only, or that is to be refused, has
 * a second try where its node was killed under it; the others have none.
 */
async function perform(command, client) {
  const before = killed;
  try {
    await command.run(client, fresh());
  } catch (error) {
    if (!(command.once || command.refused) || before || !killed) {
      throw error;
    }

    await command.run(client, fresh());
  }
}
