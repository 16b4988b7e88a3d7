'use strict';

// Data types: what each operation makes, contexts, keys that the server makes, refusals.

const assert = require('node:assert/strict');
const Riak = require('basho-riak-client');
const CommandBase = require('basho-riak-client/lib/commands/commandbase');
const { ask, execute } = require('./client');

const { CRDT } = Riak.Commands;
const typed = (bucketType, key, more) => Object.assign({ bucketType }, key, more);

/** A message of the protocol that the library has no command for. */
function message(client, request, response, fields) {
  return new Promise((resolve, reject) => {
    const command = new CommandBase(request, response, (error, result) => (error ? reject(new Error(String(error))) : resolve(result)));
    command.constructPbRequest = () => Object.assign(command.getPbReqBuilder(), fields);
    command.onSuccess = result => {
      command.callback(null, result);
      return true;
    };
    client.execute(command);
  });
}

module.exports = [
  {
    name: 'a counter counts up and down',
    once: true,
    async run(client, key) {
      const counter = typed('counters', key);
      assert.deepEqual(await ask(client, 'fetchCounter', counter), { counterValue: null, isNotFound: true, notFound: true });
      assert.deepEqual(await ask(client, 'updateCounter', typed('counters', key, { increment: 50, returnBody: false })), null);
      const updated = await ask(client, 'updateCounter', typed('counters', key, { increment: -8, returnBody: true, w: 2, dw: 1, pw: 1, timeout: 20000 }));
      assert.deepEqual(updated, { generatedKey: null, counterValue: 42 });
      assert.equal((await ask(client, 'fetchCounter', typed('counters', key, { r: 2, pr: 1 }))).counterValue, 42);
    },
  },
  {
    name: 'a set takes members and gives them up by the context that saw them',
    once: true,
    async run(client, key) {
      const set = typed('sets', key);
      const absent = await ask(client, 'fetchSet', set);
      assert.deepEqual([absent.values, absent.isNotFound], [[], true]);
      const added = await ask(client, 'updateSet', typed('sets', key, { additions: ['b', 'a', 'ü'] }));
      assert.deepEqual(added.values, ['a', 'b', 'ü']);
      await ask(client, 'updateSet', typed('sets', key, { additions: ['a'], returnBody: false }));
      const removed = await ask(client, 'updateSet', typed('sets', key, { removals: ['a', 'b'], context: added.context }));
      assert.deepEqual(removed.values, ['a', 'ü']);
      const raw = await ask(client, 'fetchSet', typed('sets', key, { setsAsBuffers: true }));
      assert.deepEqual(raw.values.map(member => [...member]), [[97], [195, 188]]);
      assert.ok(raw.context.length > 0);
      await assert.rejects(ask(client, 'updateSet', typed('sets', key, { removals: ['c'] })), /^Error: \{precondition,\{not_present,<<"c">>\}\}$/);
    },
  },
  {
    name: 'a map holds fields of every kind, in maps within it too',
    once: true,
    async run(client, key) {
      const op = new CRDT.UpdateMap.MapOperation();
      op.incrementCounter('visits', 7).addToSet('friends', 'bob').addToSet('friends', 'eve').setRegister('name', 'alice').setFlag('paid', true);
      op.map('address').setRegister('city', 'Köln').setFlag('checked', false).map('geo').incrementCounter('looks', 1);
      const made = await ask(client, 'updateMap', typed('maps', key, { op }));
      assert.deepEqual(made.map.counters, { visits: 7 });
      assert.deepEqual(made.map.sets, { friends: ['bob', 'eve'] });
      assert.equal(made.map.registers.name.toString(), 'alice');
      assert.deepEqual(made.map.flags, { paid: true });
      assert.equal(made.map.maps.address.registers.city.toString(), 'Köln');
      assert.deepEqual(made.map.maps.address.flags, { checked: false });
      assert.deepEqual(made.map.maps.address.maps.geo.counters, { looks: 1 });

      const removal = new CRDT.UpdateMap.MapOperation();
      removal.removeCounter('visits').removeFromSet('friends', 'bob').removeRegister('name').removeFlag('paid').removeMap('address');
      assert.throws(() => new CRDT.UpdateMap(typed('maps', key, { op: removal }), () => undefined), /context/);
      await ask(client, 'updateMap', typed('maps', key, { op: removal, context: made.context, returnBody: false }));
      const left = await ask(client, 'fetchMap', typed('maps', key));
      assert.deepEqual(left.map, { counters: {}, sets: { friends: ['eve'] }, registers: {}, flags: {}, maps: {} });
    },
  },
  {
    name: 'a removal spares what its context had not seen',
    once: true,
    async run(client, key) {
      const first = new CRDT.UpdateMap.MapOperation().addToSet('s', 'seen');
      const seen = await ask(client, 'updateMap', typed('maps', key, { op: first }));
      await ask(client, 'updateMap', typed('maps', key, { op: new CRDT.UpdateMap.MapOperation().addToSet('s', 'unseen') }));
      const removal = new CRDT.UpdateMap.MapOperation().removeSet('s');
      const left = await ask(client, 'updateMap', typed('maps', key, { op: removal, context: seen.context }));
      assert.deepEqual(left.map.sets, { s: ['unseen'] });
    },
  },
  {
    name: 'a HyperLogLog estimates how many there are',
    async run(client, key) {
      const absent = await execute(client, CRDT.FetchHll, typed('hlls', key));
      assert.deepEqual(absent, { cardinality: null, isNotFound: true });
      const additions = Array.from({ length: 1000 }, (_, i) => `member ${i}`);
      await execute(client, CRDT.UpdateHll, typed('hlls', key, { additions }));
      const again = await execute(client, CRDT.UpdateHll, typed('hlls', key, { additions: additions.slice(500), returnBody: true }));
      assert.ok(Math.abs(again.cardinality - 1000) < 50, `estimated ${again.cardinality}`);
      const fetched = await execute(client, CRDT.FetchHll, typed('hlls', key, { r: 2 }));
      assert.deepEqual(fetched, { cardinality: again.cardinality, isNotFound: false });
    },
  },
  {
    name: 'updates without a key get one',
    async run(client, key) {
      const made = [
        await ask(client, 'updateCounter', { bucketType: 'counters', bucket: key.bucket, increment: 1, returnBody: true }),
        await ask(client, 'updateSet', { bucketType: 'sets', bucket: key.bucket, additions: ['a'] }),
        await ask(client, 'updateMap', { bucketType: 'maps', bucket: key.bucket, op: new CRDT.UpdateMap.MapOperation().setFlag('f', true) }),
      ];
      assert.equal(new Set(made.map(each => each.generatedKey)).size, 3);
      const set = await ask(client, 'fetchSet', { bucketType: 'sets', bucket: key.bucket, key: made[1].generatedKey });
      assert.deepEqual(set.values, ['a']);
    },
  },
  {
    name: 'a data type is deleted as any object',
    once: true,
    async run(client, key) {
      await ask(client, 'updateSet', typed('sets', key, { additions: ['a'] }));
      await ask(client, 'deleteValue', typed('sets', key));
      assert.equal((await ask(client, 'fetchSet', typed('sets', key))).isNotFound, true);
      assert.deepEqual((await ask(client, 'updateSet', typed('sets', key, { additions: ['b'] }))).values, ['b']);
    },
  },
  {
    name: 'an operation on another data type is refused, and one where there is none',
    refused: true,
    async run(client, key) {
      await assert.rejects(ask(client, 'updateSet', typed('counters', key, { additions: ['a'] })), /^Error: Operation type is set but {2}bucket type is counter\.$/);
      await assert.rejects(ask(client, 'updateSet', typed('gsets', key, { additions: ['a'] })), /^Error: Operation type is set but {2}bucket type is gset\.$/);
      await assert.rejects(ask(client, 'updateCounter', typed('siblings', key, { increment: 1 })), /^Error: Bucket datatype 'undefined' is not a supported type\.$/);
      await assert.rejects(ask(client, 'fetchMap', typed('nowhere', key)), /^Error: Error no bucket type `<<"nowhere">>`$/);
    },
  },
  {
    name: "a grow-only set, by the library's messages",
    async run(client, key) {
      const names = { bucket: Buffer.from(key.bucket), type: Buffer.from('gsets'), key: Buffer.from(key.key) };
      const op = { gset_op: { adds: [Buffer.from('b'), Buffer.from('a')] } };
      const updated = await message(client, 'DtUpdateReq', 'DtUpdateResp', Object.assign({ op, return_body: true }, names));
      assert.deepEqual(updated.gset_value.map(member => member.toString('utf8')), ['a', 'b']);
      const fetched = await message(client, 'DtFetchReq', 'DtFetchResp', names);
      assert.deepEqual(fetched.value.gset_value.map(member => member.toString('utf8')), ['a', 'b']);
    },
  },
  {
    name: "a counter of Riak 1.4, by the library's messages",
    once: true,
    async run(client, key) {
      const names = { bucket: Buffer.from(key.bucket), key: Buffer.from(key.key) };
      await ask(client, 'storeBucketProps', { bucket: key.bucket, allowMult: true });
      const count = amount => message(client, 'RpbCounterUpdateReq', 'RpbCounterUpdateResp', Object.assign({ amount, returnvalue: true }, names));
      await untilCounted(() => count(50));
      assert.equal((await untilCounted(() => count(-8))).value.toNumber(), 42);
      assert.equal((await message(client, 'RpbCounterGetReq', 'RpbCounterGetResp', names)).value.toNumber(), 42);
    },
  },
];

/** A node that has not heard of the bucket's new properties yet refuses, and has not counted. */
async function untilCounted(count) {
  for (const end = Date.now() + 60000; ;) {
    try {
      return await count();
    } catch (error) {
      if (!/allow_mult=true/.test(error.message) || Date.now() > end) {
        throw error;
      }
    }
  }
}
