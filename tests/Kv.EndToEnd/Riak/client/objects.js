'use strict';

// Objects: values of every kind, siblings and their resolution, conditions, quorums, deletes.

const assert = require('node:assert/strict');
const Riak = require('basho-riak-client');
const { ask } = require('./client');

const text = value => value.value.toString('utf8');

async function store(client, key, value, more) {
  return ask(client, 'storeValue', Object.assign({}, key, { value }, more));
}

async function fetch(client, key, more) {
  return ask(client, 'fetchValue', Object.assign({}, key, more));
}

module.exports = [
  {
    name: 'a value comes back with all that was said about it',
    async run(client, key) {
      const value = new Riak.Commands.KV.RiakObject()
        .setContentType('text/plain').setContentEncoding('identity').setValue(Buffer.from([0, 255, 10, 13, 128]))
        .setUserMeta([{ key: 'colour', value: 'grün' }, { key: 'empty', value: '' }])
        .setLinks([{ bucket: 'people', key: 'bob', tag: 'friend' }]);
      const before = Date.now();
      await store(client, key, value);
      const fetched = await fetch(client, key);
      assert.deepEqual([fetched.isNotFound, Boolean(fetched.isUnchanged), fetched.values.length], [false, false, 1]);
      const found = fetched.values[0];
      assert.deepEqual([...found.value], [0, 255, 10, 13, 128]);
      assert.deepEqual([found.contentType, found.contentEncoding, found.isTombstone], ['text/plain', 'identity', false]);
      assert.deepEqual(found.userMeta, [{ key: 'colour', value: 'grün' }, { key: 'empty', value: '' }]);
      assert.deepEqual(found.links, [{ bucket: 'people', key: 'bob', tag: 'friend' }]);
      assert.ok(Math.abs(found.lastModified - before) < 600000, `last modified at ${found.lastModified}`);
    },
  },
  {
    name: 'a JavaScript value goes as JSON and comes back as it was',
    async run(client, key) {
      await store(client, key, { cart: ['book', 'lamp'], total: 42 });
      const fetched = await fetch(client, key, { convertToJs: true });
      assert.deepEqual(fetched.values[0].value, { cart: ['book', 'lamp'], total: 42 });
      assert.equal(fetched.values[0].contentType, 'application/json');
    },
  },
  {
    name: 'names of any language, and keys of any bytes, are taken',
    async run(client, key) {
      const odd = { bucket: `größe/${key.bucket}`, key: Buffer.from([0, 255, ...Buffer.from(key.key)]) };
      await store(client, odd, 'odd');
      assert.equal(text((await fetch(client, odd)).values[0]), 'odd');
    },
  },
  {
    name: 'a value of a mebibyte, and an empty one',
    async run(client, key) {
      const large = Buffer.alloc(1024 * 1024, 'kv');
      await store(client, key, large, { bucketType: 'plain' });
      assert.ok(large.equals((await fetch(client, key, { bucketType: 'plain' })).values[0].value));
      await store(client, key, '', { bucketType: 'plain' });
      assert.equal((await fetch(client, key, { bucketType: 'plain' })).values[0].value.length, 0);
    },
  },
  {
    name: 'many at once, over as many connections as the library opens',
    async run(client, key) {
      const keys = Array.from({ length: 100 }, (_, i) => ({ bucket: key.bucket, key: `${key.key}-${i}` }));
      await Promise.all(keys.map(each => store(client, each, each.key)));
      const fetched = await Promise.all(keys.map(each => fetch(client, each)));
      assert.deepEqual(fetched.map(each => text(each.values[0])), keys.map(each => each.key));
    },
  },
  {
    name: 'a store without a key gets one',
    async run(client, key) {
      const stored = await ask(client, 'storeValue', { bucket: key.bucket, value: 'unnamed' });
      assert.ok(stored.generatedKey.length > 10, stored.generatedKey);
      assert.equal(text((await fetch(client, { bucket: key.bucket, key: stored.generatedKey })).values[0]), 'unnamed');
    },
  },
  {
    name: 'what is not there is not found',
    async run(client, key) {
      assert.deepEqual(await fetch(client, key), { isNotFound: true, isUnchanged: false, vclock: null, values: [] });
    },
  },
  {
    name: 'writes beside each other are siblings, until one with their context follows',
    once: true,
    async run(client, key) {
      const cart = Object.assign({ bucketType: 'siblings' }, key);
      await store(client, cart, 'book');
      await store(client, cart, 'lamp');
      const both = await fetch(client, cart);
      assert.deepEqual(both.values.map(text).sort(), ['book', 'lamp']);
      assert.ok(both.values.every(value => value.vclock.equals(both.vclock)));

      const resolved = await fetch(client, cart, {
        conflictResolver(values) {
          const merged = values[0];
          merged.value = Buffer.from(values.map(text).sort().join(', '));
          return merged;
        },
      });
      assert.equal(resolved.values.length, 1);
      const stored = await ask(client, 'storeValue', { value: resolved.values[0], returnBody: true });
      assert.deepEqual(stored.values.map(text), ['book, lamp']);
      assert.deepEqual((await fetch(client, cart)).values.map(text), ['book, lamp']);
    },
  },
  {
    name: 'a store answers with the body or the head where it is asked to',
    once: true,
    async run(client, key) {
      const cart = Object.assign({ bucketType: 'siblings' }, key);
      const nothing = await store(client, cart, 'first');
      assert.deepEqual(nothing, { generatedKey: null, vclock: null, values: [] });
      const body = await store(client, cart, 'second', { returnBody: true });
      assert.deepEqual(body.values.map(text).sort(), ['first', 'second']);
      const head = await store(client, cart, 'third', { vclock: body.vclock, returnHead: true });
      assert.deepEqual([head.values.length, head.values[0].value.length], [1, 0]);
      assert.ok(!head.vclock.equals(body.vclock));
    },
  },
  {
    name: 'ifNoneMatch stores once, ifNotModified only what is still as it was read',
    once: true,
    async run(client, key) {
      await store(client, key, 'first', { ifNoneMatch: true });
      await assert.rejects(store(client, key, 'second', { ifNoneMatch: true }), /^Error: match_found$/);
      const read = await fetch(client, key);
      await store(client, key, 'third', { ifNotModified: true, vclock: read.vclock });
      await assert.rejects(store(client, key, 'fourth', { ifNotModified: true, vclock: read.vclock }), /^Error: modified$/);
      assert.equal(text((await fetch(client, key)).values[0]), 'third');
      const absent = { bucket: key.bucket, key: `${key.key}-absent` };
      await assert.rejects(store(client, absent, 'fifth', { ifNotModified: true, vclock: read.vclock }), /^Error: notfound$/);
    },
  },
  {
    name: 'a fetch of the head alone, and one of what has changed since',
    async run(client, key) {
      const first = await store(client, key, 'first', { returnHead: true });
      const head = await fetch(client, key, { headOnly: true });
      assert.deepEqual([head.values.length, head.values[0].value.length, head.values[0].contentType], [1, 0, 'application/json']);
      await store(client, key, 'second', { vclock: head.vclock });
      const second = await fetch(client, key, { ifModified: first.vclock });
      assert.equal(text(second.values[0]), 'second');

      // The answer is `unchanged` and no more, as Riak's is; the library looks for a context in it.
      await assert.rejects(fetch(client, key, { ifModified: second.vclock }), /toBuffer/);
    },
  },
  {
    name: 'quorums are taken, and one above n_val is refused',
    refused: true,
    async run(client, key) {
      await store(client, key, 'here', { w: 2, dw: 2, pw: 1, timeout: 20000 });
      const fetched = await fetch(client, key, { r: 2, pr: 1, notFoundOk: true, useBasicQuorum: true, timeout: 20000 });
      assert.equal(text(fetched.values[0]), 'here');
      await assert.rejects(fetch(client, key, { r: 4 }), /^Error: \{n_val_violation,3\}$/);
      await assert.rejects(store(client, key, 'there', { pw: 4 }), /^Error: \{n_val_violation,3\}$/);
    },
  },
  {
    name: 'a delete takes all that is there, with a context what was seen',
    once: true,
    async run(client, key) {
      const cart = Object.assign({ bucketType: 'siblings' }, key);
      assert.equal(await ask(client, 'deleteValue', cart), true);
      const seen = await store(client, cart, 'seen', { returnHead: true });
      await store(client, cart, 'unseen');
      await ask(client, 'deleteValue', Object.assign({ vclock: seen.vclock, w: 2, rw: 2 }, cart));
      const left = await fetch(client, cart);
      assert.deepEqual(left.values.filter(value => !value.isTombstone).map(text), ['unseen']);
      await ask(client, 'deleteValue', cart);
      assert.equal((await fetch(client, cart)).isNotFound, true);
    },
  },
  {
    name: 'the context of a delete is told while it is remembered',
    async run(client, key) {
      // A tombstone is reaped after three seconds, which on a busy machine may be before the fetch.
      for (let attempt = 1; ; attempt++) {
        await store(client, key, 'here');
        await ask(client, 'deleteValue', key);
        const fetched = await fetch(client, key, { returnDeletedVClock: true });
        if (!fetched.isNotFound) {
          assert.equal(fetched.values[0].isTombstone, true);
          assert.ok(fetched.vclock.length > 0);
          return;
        }

        assert.ok(attempt < 20, 'no tombstone was ever seen');
      }
    },
  },
];
